from typing import ClassVar

from interactions.card import Card, Severity
from interactions.model import Decision, Question
from interactions.text import code


class Unreadable(Question):
    """Stands in for a question that this version cannot read: it is seen, withdrawn and expires; nobody decides it."""

    kind: ClassVar[str] = "unreadable"

    was: str = ""

    def card(self) -> Card:
        return Card(
            title="A request that cannot be read",
            severity=Severity.MEDIUM,
            text=f"It was put as {code(self.was)} by another version of Gatebell, so nobody can decide it here.",
        )

    def decide(self, choice: str, actor: str) -> Decision:
        raise ValueError("it has no choices")
