"""Cards of every kind in every state, for all renderers."""

from dataclasses import replace
from datetime import UTC, datetime

from interactions.card import Card, Choice, Format, Input, Outcome, Payload, Severity, Status
from interactions.registry import Registry

AT = datetime(2026, 3, 4, 14, 2, tzinfo=UTC)
TOKEN = "d-1234567890.3f2a9c1e77d04b55.AbCdEfGhIjKlMnOpQrStUv"
PAGE = "https://gate.example/d/ana"
REASON = Input("reason", "Reason", ("keep_blocked", "cancel"), required=True)


def _asked(kind: str, **payload: object) -> Card:
    card = Registry().question(kind, payload).card()  # type: ignore[arg-type]  # the payloads below are JSON
    return replace(card, requester="billing-agent for cleo@example.com", expires_at=AT, digest="3f2a9c1e77d04b55")


BLOCKED = _asked(
    "blocked_action",
    agent="billing-agent",
    user="cleo@example.com",
    tool="drive.delete",
    arguments={"path": "/reports/2026/q1.xlsx", "permanent": True, "versions": [1, 2]},
    policy="no-permanent-deletes",
    reason="**Never** outside the change window, see [the policy](https://wiki.example.com/delete).\n\n- one\n- two",
)
WRITE = _asked(
    "write_confirmation",
    agent="release-bot",
    tool="repo.commit",
    summary="Raise the time-out of the `payment` client.",
    diff="--- a/settings.py\n+++ b/settings.py\n@@ -10,3 +10,3 @@\n DEBUG = False\n-TIMEOUT = 30\n+TIMEOUT = 300\n",
)
TOWNS = ("Illinois", "Missouri", "Massachusetts", "Oregon", "Ohio", "Virginia")
CLARIFICATION = _asked(
    "clarification",
    agent="travel-agent",
    question="Which Springfield do you mean?",
    choices=[{"id": town.lower(), "label": town, "description": f"The one in {town}"} for town in TOWNS],
    allow_other=True,
)
FEW = _asked(
    "clarification",
    question="Which calendar?",
    choices=[
        {"id": "work", "label": "Work", "description": "ana@example.com"},
        {"id": "home", "label": "Private"},
    ],
)
NOTICE = Card(
    title="Error rate above 5 %",
    severity=Severity.CRITICAL,
    text="The error rate of **gate-1** is 7.2 %.\n\n> Since the deploy\n\n```\nGET /v1/tools 502\n```\n\n"
    "| server | rate |\n|---|---|\n| gate-1 | 7.2 % |",
    facts=(("Severity", "critical"), ("Server", "gate-1"), ("Trace", "x" * 90)),
    link="https://grafana.example.com/d/abc",
    alert=True,
    happened_at=AT,
)
LINKED = Card(
    title="Sign in to Gatebell",
    text="Open this in the browser that you asked from.",
    link="https://gate.example/login/abc",
    link_label="Sign in",
)
SMALL = Card(title="Backup finished", text="All 12 databases are saved.")


def ended(card: Card, status: Status, text: str, *, approved: bool | None = None, reason: str = "") -> Card:
    outcome = Outcome(status, text, AT, approved, reason)
    return replace(card, choices=(), inputs=(), progress="", outcome=outcome)


def with_payload(card: Card, body: str, form: Format = Format.TEXT) -> Card:
    return replace(card, payload=Payload(body, form))


def choices(count: int, *, approving: bool = False) -> tuple[Choice, ...]:
    return tuple(Choice(f"c{place}", f"Choice {place}", approves=approving and place == 0) for place in range(count))


def _states(card: Card) -> dict[str, Card]:
    voted = replace(card, inputs=(*card.inputs, REASON), progress="1 of 2 approvals: Ben")
    return {
        "pending": card,
        "progress": voted,
        "approved": ended(card, Status.DECIDED, "Approved by Ana", approved=True),
        "denied": ended(card, Status.DECIDED, "Denied by Ana", approved=False, reason="Not before *Monday*."),
        "chosen": ended(card, Status.DECIDED, "Illinois, chosen by Ana"),
        "expired": ended(card, Status.EXPIRED, "Expired without an answer"),
        "withdrawn": ended(card, Status.WITHDRAWN, "Withdrawn by the requester", reason="Done otherwise."),
        "undeliverable": ended(card, Status.UNDELIVERABLE, "Nobody could be reached"),
    }


KINDS = {"blocked_action": BLOCKED, "write_confirmation": WRITE, "clarification": CLARIFICATION}
CARDS: dict[str, Card] = {
    **{f"{kind}-{state}": each for kind, card in KINDS.items() for state, each in _states(card).items()},
    "blocked_action-too_long_for_slack": with_payload(BLOCKED, "All of <this> & more must be read.\n" * 320),
    "clarification-few": FEW,
    "notice": NOTICE,
    "notice-linked": LINKED,
    "notice-small": SMALL,
}
