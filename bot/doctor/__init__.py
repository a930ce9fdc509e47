"""Whether everything works: what can be looked at without a person, and the round trip of a question through one."""
