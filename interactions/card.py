"""The card: what is shown to a person, in words of no channel."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a person should care, from the most to the least."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical up to 4 for info: what is sent first."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Tone(StrEnum):
    """How a choice looks: an ordinary one, the expected one, or one that destroys."""

    NEUTRAL = "neutral"
    PRIMARY = "primary"
    DANGER = "danger"


class Status(StrEnum):
    """The truthful states of a question; each end has a word of its own."""

    PENDING = "pending"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNDELIVERABLE = "undeliverable"


class Format(StrEnum):
    """How a payload is to be read."""

    JSON = "json"
    TEXT = "text"
    DIFF = "diff"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a decision is about, already in words for reading. It is shown whole, or it cannot be approved there."""

    body: str
    format: Format = Format.JSON
    label: str = "Arguments"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a person can give. `approves` marks the answers that let something happen."""

    id: str
    label: str
    tone: Tone = Tone.NEUTRAL
    approves: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """Something to write beside a choice. `choices` names the choices that ask for it; empty means every one."""

    id: str
    label: str
    choices: tuple[str, ...] = ()
    required: bool = False
    multiline: bool = True
    max_length: int = 2000

    def belongs_to(self, choice: str) -> bool:
        return not self.choices or choice in self.choices


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: `text` is a whole short sentence without the time, such as "Approved by Ana"."""

    status: Status
    text: str
    at: datetime | None = None
    approved: bool | None = None
    reason: str = ""


SEALED = "sealed:"  # how a link begins that is for its reader alone; what follows says nothing to anybody


@dataclass(frozen=True, slots=True)
class Card:
    """A notice or a question. Text is markdown from outside: data, never markup of a platform.

    A pending question has choices and no outcome; an ended one has an outcome and no choices; a notice has neither.
    An `alert` is a notice of trouble that goes on; `happened_at` is when that, or its end, began.
    """

    title: str
    severity: Severity = Severity.INFO
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    payload: Payload | None = None
    choices: tuple[Choice, ...] = ()
    inputs: tuple[Input, ...] = ()
    requester: str = ""
    expires_at: datetime | None = None
    progress: str = ""
    link: str = ""
    link_label: str = ""
    digest: str = ""
    outcome: Outcome | None = None
    alert: bool = False
    happened_at: datetime | None = None

    @property
    def status(self) -> Status:
        return self.outcome.status if self.outcome else Status.PENDING

    @property
    def is_personal(self) -> bool:
        """Whether it is for its reader alone: its link lies sealed, for it makes its reader of whoever opens it."""
        return self.link.startswith(SEALED)

    @property
    def asks_approval(self) -> bool:
        """Whether one of its choices lets something happen, so that the others deny it."""
        return any(choice.approves for choice in self.choices)

    @property
    def guarded(self) -> tuple[Choice, ...]:
        """What nobody may choose without having seen everything: the approving choices, or all if none approves."""
        return tuple(choice for choice in self.choices if choice.approves) or self.choices

    def inputs_of(self, choice: str) -> tuple[Input, ...]:
        return tuple(field for field in self.inputs if field.belongs_to(choice))

    def choice(self, choice: str) -> Choice | None:
        return next((each for each in self.choices if each.id == choice), None)
