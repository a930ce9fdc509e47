"""What platforms are told about this installation before it can talk to them."""

from bot.provisioning.slack import (
    GRANTS,
    MINIMAL,
    Grant,
    SlackApp,
    Unreachable,
    creation_link,
    grants_of,
    slack_manifest,
)

__all__ = [
    "GRANTS",
    "MINIMAL",
    "Grant",
    "SlackApp",
    "Unreachable",
    "creation_link",
    "grants_of",
    "slack_manifest",
]
