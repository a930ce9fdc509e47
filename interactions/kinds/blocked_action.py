from typing import ClassVar

from pydantic import Field

from interactions.card import Card, Choice, Severity, Tone
from interactions.kinds.words import Arguments, Line, Name, Prose, facts, json_payload
from interactions.model import Decision, Question


class BlockedAction(Question):
    """A policy stopped an agent's tool call, and a person says whether it stays stopped."""

    kind: ClassVar[str] = "blocked_action"

    agent: Name
    tool: Name
    user: Line = ""
    arguments: Arguments = Field(default=None, description="The arguments of the call, shown whole.")
    policy: Line = ""
    reason: Prose = Field(default="", description="Why it was blocked (markdown).")

    def card(self) -> Card:
        return Card(
            title=f"{self.agent} was blocked from {self.tool}",
            severity=Severity.HIGH,
            text=self.reason,
            facts=facts(Agent=self.agent, User=self.user, Tool=self.tool, Policy=self.policy),
            payload=json_payload(self.arguments),
            choices=(
                Choice("approve", "Approve", Tone.PRIMARY, approves=True),
                Choice("keep_blocked", "Keep blocked", Tone.DANGER),
            ),
        )

    def decide(self, choice: str, actor: str) -> Decision:
        verb = "Approved" if choice == "approve" else "Kept blocked"
        return Decision(choice, f"{verb} by {actor}")
