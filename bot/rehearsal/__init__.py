"""A local Slack, Microsoft Teams and mailbox that behave like the real ones, for the demo and for the tests.

They know the platforms only, nothing of the product: each is a real server on its own port of loopback.
"""
