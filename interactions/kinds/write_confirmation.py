from typing import ClassVar, Self

from pydantic import Field, model_validator

from interactions.card import Card, Choice, Severity, Tone
from interactions.kinds.words import Arguments, Exact, Message, Name, diff_payload, facts, json_payload
from interactions.model import Decision, Question


class WriteConfirmation(Question):
    """An agent wants to write, and a person says whether it may."""

    kind: ClassVar[str] = "write_confirmation"

    agent: Name
    tool: Name
    summary: Message
    arguments: Arguments = Field(default=None, description="The arguments of the call, shown whole.")
    diff: Exact = Field(default="", description="Instead of arguments: a unified diff, shown whole.")

    @model_validator(mode="after")
    def _one_payload(self) -> Self:
        if self.diff and self.arguments is not None:
            raise ValueError("give either arguments or diff, not both")
        return self

    def card(self) -> Card:
        return Card(
            title=f"{self.agent} wants to write",
            severity=Severity.MEDIUM,
            text=self.summary,
            facts=facts(Agent=self.agent, Tool=self.tool),
            payload=diff_payload(self.diff) if self.diff else json_payload(self.arguments),
            choices=(
                Choice("execute", "Execute", Tone.PRIMARY, approves=True),
                Choice("cancel", "Cancel", Tone.DANGER),
            ),
        )

    def decide(self, choice: str, actor: str) -> Decision:
        verb = "Execution approved" if choice == "execute" else "Cancelled"
        return Decision(choice, f"{verb} by {actor}")
