"""The nouns of dispatch: what a producer says, what is worth telling, and what is asked for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue

from bot.channels.contract import Reader
from interactions.card import Card, Severity
from interactions.model import Question, ReasonRule, Requester

LONGEST_LIFE = 31 * 86400.0  # seconds for which a question may wait at the most


class Phase(StrEnum):
    """Whether an event reports a trouble or its end."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened, told by a producer. `producer` is the API key's id: one producer never silences another."""

    type: str
    summary: str
    severity: Severity = Severity.MEDIUM
    source: str = ""
    phase: Phase = Phase.FIRING
    dedup_key: str = ""
    context: Mapping[str, JsonValue] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    details: str = ""
    occurred_at: datetime | None = None
    producer: str = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom to reach and, for a question, who may decide: operators by e-mail or id; a room is only shown the card.

    Empty means the installation's own recipient. `channel` restricts the way out to one channel (a test send, a chat).
    """

    operators: tuple[str, ...] = ()
    room: str | None = None
    channel: str = ""

    @property
    def empty(self) -> bool:
        return not self.operators and self.room is None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to be put to people. `expires_in` is in seconds; None means that it waits until somebody answers."""

    question: Question
    audience: Audience = Audience()
    requester: Requester = field(default_factory=Requester)
    expires_in: float | None = None
    approvals: int = 1
    reason: ReasonRule = ReasonRule.NONE
    callback_url: str = ""
    thread: str = ""
    producer: str = ""
    idempotency_key: str = ""
    fingerprint: str = ""


MayAsk = Callable[[Ask], Awaitable[None]]
"""Hears of a question that an event opens, and raises if it must not."""


class Notice(NamedTuple):
    """What an event class makes of an event: a card for an audience, and perhaps a question instead of a mere card.

    The pipeline's stages fill in what they find out: `cooldown` is the reservation that holds, `readers` who gets it.
    """

    event: Event
    card: Card
    audience: Audience = Audience()
    ask: Ask | None = None
    ref: str = ""
    cooldown: str = ""
    readers: tuple[Reader, ...] = ()


class NotTold(StrEnum):
    """Why nobody was told. Stored, so that the question "why was I not told?" has an answer."""

    COOLDOWN = "cooldown"
    DISABLED = "disabled"
    NO_READER = "no_reader"
    NO_CHANNEL = "no_channel"
    BELOW_THRESHOLD = "below_threshold"


@dataclass(frozen=True, slots=True)
class Dropped:
    why: NotTold
    detail: str = ""


class Result(StrEnum):
    ACCEPTED = "accepted"
    DEDUPLICATED = "deduplicated"
    SUPPRESSED = "suppressed"


class Told(NamedTuple):
    """What became of an event: stored in any case; `reason` says why nobody is told where nobody is."""

    event_id: str
    result: Result
    reason: str = ""
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One reader's copy, for callers and pages."""

    id: str
    reader: str
    channel: str
    state: str
    attempts: int
    detail: str = ""
    interaction_id: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InteractionView:
    """An interaction as the API shows it. `record` is the JSON of interface.md; `card` is how it is shown now."""

    id: str
    kind: str
    status: str
    digest: str
    expires_at: datetime | None
    record: Mapping[str, JsonValue]
    card: Card
    deliveries: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """An interaction that was asked for; `created` is false where the same key asked the same before."""

    view: InteractionView
    created: bool


class Fault(Exception):
    """A request that cannot be done as it stands; `field` names what to mend."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.field = field


class Unknown(Fault):
    """No such thing."""


class Unfit(Fault):
    """A value that does not fit (a digest that differs, an operator who is not known)."""


class Conflict(Fault):
    """It is too late, or it was done already."""


class Expired(Fault):
    """It had a time, and the time is over."""
