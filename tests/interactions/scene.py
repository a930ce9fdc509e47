"""Who is who, and questions to put to them. Ana and Ben are operators who were asked, Cleo is an outsider."""

from datetime import UTC, datetime, timedelta
from typing import Any

from interactions.kinds.blocked_action import BlockedAction
from interactions.kinds.clarification import Clarification, Option
from interactions.kinds.write_confirmation import WriteConfirmation
from interactions.model import Actor, Interaction, Question, Requester, Role

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

ANA = Actor("op_ana", "Ana", "ana@example.com")
BEN = Actor("op_ben", "Ben", "ben@example.com")
EVA = Actor("op_eva", "Eva", "eva@example.com", Role.ADMIN)
CLEO = Actor("op_cleo", "Cleo", "cleo@example.com")
VIEWING_ANA = Actor("op_ana", "Ana", "ana@example.com", Role.VIEWER)
REMOVED_ANA = Actor("op_ana", "Ana", "ana@example.com", active=False)

BLOCKED = BlockedAction(agent="Cleaner", tool="drive.delete", arguments={"path": "/reports"}, policy="no-delete")
WRITE = WriteConfirmation(agent="Editor", tool="crm.update", summary="Rename a customer", arguments={"id": 7})
PICK = Clarification(
    question="Which customer?",
    choices=(Option(id="acme", label="Acme"), Option(id="apex", label="Apex")),
    allow_other=True,
)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def asked(question: Question = BLOCKED, **changed: Any) -> Interaction:
    """Put to Ana, Ben and Eva at noon, with an hour to answer."""
    given: dict[str, Any] = {
        "id": "int_1",
        "question": question,
        "digest": "d" * 64,
        "requester": Requester(email="cleo@example.com", agent="Cleaner"),
        "audience": frozenset({ANA.id, BEN.id, EVA.id}),
        "created_at": NOON,
        "expires_at": after(60),
    }
    return Interaction(**given | changed)
