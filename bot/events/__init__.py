"""One class per type of event: what it means to a person, why it matters, and what there is to do."""
