from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interactions.card import Card, Choice, Input, Severity
from interactions.kinds.words import Line, Message, Name, facts
from interactions.model import Decision, Question

OTHER = "other"


class Option(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(min_length=1, max_length=75, pattern=r"^[A-Za-z0-9_.:-]+$")
    label: Name
    description: Line = ""


class Clarification(Question):
    """An agent cannot go on without knowing which one a person means."""

    kind: ClassVar[str] = "clarification"

    question: Message
    choices: tuple[Option, ...] = Field(min_length=1, max_length=100)
    agent: Line = ""
    allow_other: bool = Field(default=False, description='Offer "Something else" with a free text.')

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [option.id for option in self.choices]
        if len(set(ids)) < len(ids):
            raise ValueError("choices must have different ids")
        if self.allow_other and OTHER in ids:
            raise ValueError(f'the id "{OTHER}" is taken by allow_other')
        return self

    def card(self) -> Card:
        offered = tuple(Choice(each.id, each.label, description=each.description) for each in self.choices)
        other = (Choice(OTHER, "Something else"),) if self.allow_other else ()
        return Card(
            title=f"{self.agent} needs to know" if self.agent else "A question for you",
            severity=Severity.LOW,
            text=self.question,
            facts=facts(Agent=self.agent),
            choices=(*offered, *other),
            inputs=(Input(OTHER, "What else?", (OTHER,), required=True),) if self.allow_other else (),
        )

    def decide(self, choice: str, actor: str) -> Decision:
        label = next((each.label for each in self.choices if each.id == choice), "Something else")
        return Decision(choice, f"{label}, chosen by {actor}")
