"""What the server answers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gatebell.errors import Denied, Expired, NotApproved, Undeliverable, Withdrawn


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an event: accepted, deduplicated (told recently) or suppressed; `reason` says why."""

    event_id: str
    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer that stands. `approved` is None where no choice approves anything."""

    choice: str
    approved: bool | None
    by: str
    channel: str
    decided_at: datetime
    reason: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """A question as it stands: pending, decided, expired, withdrawn or undeliverable."""

    id: str
    kind: str
    status: str
    digest: str
    url: str
    expires_at: datetime | None
    decision: Decision | None
    because: str = ""

    @property
    def ended(self) -> bool:
        return self.status != "pending"

    @property
    def approved(self) -> bool:
        return self.decision is not None and self.decision.approved is True

    def not_approved(self) -> NotApproved | None:
        """How it ended without an approval; None where it is approved or still pending."""
        match self.status:
            case "decided" if self.decision and not self.approved:
                reason = f": {self.decision.reason}" if self.decision.reason else ""
                return Denied(f"{self.decision.by} said no ({self.decision.choice}){reason}", self)
            case "expired":
                return Expired("Nobody answered in time", self)
            case "withdrawn":
                return Withdrawn(f"The question was withdrawn{_because(self)}", self)
            case "undeliverable":
                return Undeliverable(f"Nobody could be reached{_because(self)}", self)
        return None


def interaction(said: Mapping[str, Any]) -> Interaction:
    return Interaction(
        id=said["id"],
        kind=said["kind"],
        status=said["status"],
        digest=said["digest"],
        url=said["url"],
        expires_at=_moment(said.get("expires_at")),
        decision=_decision(said["decision"]) if said.get("decision") else None,
        because=said.get("because", ""),
    )


def told(said: Mapping[str, Any]) -> Told:
    return Told(said["event_id"], said["result"], said.get("reason", ""))


def _decision(said: Mapping[str, Any]) -> Decision:
    return Decision(
        choice=said["choice"],
        approved=said["approved"],
        by=said["by"],
        channel=said["channel"],
        decided_at=datetime.fromisoformat(said["decided_at"]),
        reason=said.get("reason", ""),
        inputs=said.get("inputs", {}),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _because(interaction: Interaction) -> str:
    return f": {interaction.because}" if interaction.because else ""
