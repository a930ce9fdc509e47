"""The demo: the rehearsal platforms on one page, in front of the real server, with an agent that asks."""
