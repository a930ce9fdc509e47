"""Gatebell's client: tell people what happened, ask them, and use their answers once.

from gatebell import Gatebell

gate = Gatebell()

@gate.requires_approval(to="ana@example.com")
def delete_files(paths: list[str]) -> int: ...
"""

from gatebell.answers import Decision, Interaction, Told
from gatebell.async_client import AsyncGatebell
from gatebell.client import Gatebell
from gatebell.errors import (
    Changed,
    Denied,
    Expired,
    FieldError,
    GatebellError,
    NotApproved,
    Rejected,
    Undeliverable,
    Unreachable,
    Withdrawn,
)

__all__ = [
    "AsyncGatebell",
    "Changed",
    "Decision",
    "Denied",
    "Expired",
    "FieldError",
    "Gatebell",
    "GatebellError",
    "Interaction",
    "NotApproved",
    "Rejected",
    "Told",
    "Undeliverable",
    "Unreachable",
    "Withdrawn",
]
