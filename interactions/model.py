"""The nouns of asking: a question and its registry entry, who asks, who answers, what stands."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from interactions.card import Card, Status


class ReasonRule(StrEnum):
    """Whether a person is asked why."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED_ON_DENIAL = "required_on_denial"


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"

    @property
    def decides(self) -> bool:
        return self is not Role.VIEWER


@dataclass(frozen=True, slots=True)
class Decision:
    """What a choice means in words, such as "Approved by Ana"."""

    choice: str
    text: str


class Question(BaseModel, ABC):
    """A kind of question: a frozen payload that knows its card and its choices. No channel, no I/O, no clock."""

    # Stripping blanks here would reach into JSON arguments and show another call than the one that is made.
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]

    @abstractmethod
    def card(self) -> Card: ...

    @abstractmethod
    def decide(self, choice: str, actor: str) -> Decision: ...


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked. The person behind `email` never approves this request."""

    email: str = ""
    agent: str = ""
    session: str = ""

    @property
    def words(self) -> str:
        return f"{self.agent} for {self.email}" if self.agent and self.email else self.agent or self.email


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator at the moment of the click, as the directory knows them then."""

    id: str
    name: str
    email: str
    role: Role = Role.OPERATOR
    active: bool = True


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer, kept whether or not it ended the question."""

    operator: str
    name: str
    channel: str
    choice: str
    at: datetime
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer that stands."""

    choice: str
    text: str
    by: str
    channel: str
    at: datetime
    approved: bool | None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return self.inputs.get("reason", "")


@dataclass(frozen=True, slots=True)
class Interaction:
    """A question put to people: who may answer (operators' ids; none means nobody), until when, and how it stands."""

    id: str
    question: Question
    digest: str
    requester: Requester
    audience: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    approvals: int = 1
    reason: ReasonRule = ReasonRule.NONE
    status: Status = Status.PENDING
    votes: tuple[Vote, ...] = ()
    ruling: Ruling | None = None
    ended_at: datetime | None = None
    ended_because: str = ""


def payload_of(question: Question) -> dict[str, JsonValue]:
    """The payload as it is stored and digested: only what was said, with defaults left out."""
    return question.model_dump(mode="json", exclude_defaults=True)
