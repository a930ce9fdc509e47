"""What a channel is: it states its settings, shows a card to a reader, and may update, take clicks, chat, check itself.

The required part is small. Everything else is an optional protocol that is found with `isinstance`.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, Self, runtime_checkable

from aiohttp import ClientSession, web
from pydantic import JsonValue

from interactions.card import Card

# ---- settings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: its name in the environment, what it means, and how to mend a wrong value.

    `check` returns the stored form of a value, or raises ValueError with a sentence that says what is wrong.
    `required` means that its channel (or, in the core, the server) cannot work without it.
    `aliases` are other gateways' names for the same thing; two names that disagree are an error at start.
    A `guarded` address is called through the guarded session, so a private one is refused when it is saved as well.
    `choices` are all values that there are, each with the words for people.
    A `room` setting is the place of what is meant for a room.
    A `shared` setting serves something else too, so that it alone does not say that its channel is wanted.
    """

    name: str
    meaning: str
    default: str = ""
    secret: bool = False
    required: bool = False
    aliases: tuple[str, ...] = ()
    check: Callable[[str], str] = str
    mend: str = ""
    channel: str = ""
    guarded: bool = False
    shared: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    room: bool = False


# ---- readers and what they are shown ---------------------------------------------------------------------------------


class ReaderKind(StrEnum):
    OPERATOR = "operator"
    ROOM = "room"
    CALLER = "caller"


CALLER_CHANNEL = "callback"  # the one channel to callers
TRY_AGAIN = "Gatebell cannot reach its database now, so nothing was changed. Please try again in a minute."


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a copy. `identities` holds what a channel calls this person; `place` names a room or the caller's URL.

    A room without a place means the channel's own configured room.
    """

    kind: ReaderKind
    id: str
    name: str = ""
    email: str = ""
    place: str = ""
    identities: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rights:
    """Addresses that let whoever has them act as the reader: the page that decides, and the link that signs in."""

    page: str = field(default="", repr=False)
    link: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """One reader's copy as it should be seen now, without what makes its reader out of whoever has it: see `placed`.

    `token` goes into the buttons of this copy and is opened again by the desk, which asks who clicked. `page` is where
    the whole request can be seen ("" where there is nothing to decide); having that address gives nobody a right.
    `thread` is a name that posts of one conversation share. `record` is the same for machines: the interaction as the
    API shows it, or the event.
    """

    ref: str
    version: int
    card: Card
    token: str = ""
    page: str = ""
    thread: str = ""
    record: Mapping[str, JsonValue] = field(default_factory=dict)
    rights: Rights | None = None

    @property
    def signs_in(self) -> bool:
        """Whether it brings its reader a link that signs in whoever has it."""
        return self.rights is not None and self.rights.link != ""

    def placed(self, *, own: bool) -> "Post":
        """As it may stand in a place; `own` where the channel has made sure that it is the reader's and nobody else's.

        Raises DeliveryError where the place is not the reader's, and the copy is worth nothing without its link.
        """
        match self.rights:
            case None:
                return self
            case Rights(page, link) if own:
                card = replace(self.card, link=link) if link else self.card
                return replace(self, card=card, page=page or self.page, rights=None)
            case Rights(link=""):
                return replace(self, rights=None)
        raise DeliveryError(Reason.NO_ADDRESS, "this is for one person alone, who has no place of their own there")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a copy lies, in the platform's own terms, so that it can be updated. `extra` must be JSON."""

    channel: str
    place: str
    message: str
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


# ---- failing ---------------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why a channel did not take a copy. Platform codes become one of these at the edge, once and for all."""

    NOT_SET_UP = "not_set_up"  # settings are missing
    NO_ADDRESS = "no_address"  # this reader is not known there
    REFUSED = "refused"  # the platform or the reader does not take it (blocked, removed, archived)
    GONE = "gone"  # the message or conversation to update is no longer there
    TOO_LARGE = "too_large"  # more than the platform takes
    INVALID = "invalid"  # the platform says that what we sent is malformed: our defect
    UNAUTHORIZED = "unauthorized"  # our credentials are refused: the channel is broken for everybody
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"  # refused connection, 5xx, nonsense in the answer
    TIMED_OUT = "timed_out"
    UNCLEAR = "unclear"  # it may have arrived; sending again must not show it twice where that can be avoided

    @property
    def passes(self) -> bool:
        """Whether trying again later can help."""
        return self in _PASSING

    @property
    def breaks_channel(self) -> bool:
        """Whether every other reader will be refused for the same reason."""
        return self is Reason.UNAUTHORIZED

    @property
    def is_outage(self) -> bool:
        """Whether the platform, not the reader or the message, is the cause."""
        return self in {Reason.UNAVAILABLE, Reason.TIMED_OUT}


_PASSING = frozenset({Reason.RATE_LIMITED, Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.UNCLEAR})


class DeliveryError(Exception):
    """The only exception that a channel raises from send and update. `detail` is shown to people: no secret in it."""

    def __init__(self, reason: Reason, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


# ---- the channel -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` messages in `seconds` to one place."""

    count: int
    seconds: float


@runtime_checkable
class Channel(Protocol):
    """The required part. `rates` are the platform's documented limits for one place (none: unlimited)."""

    name: ClassVar[str]
    title: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    rates: ClassVar[tuple[Rate, ...]]

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: "Edge") -> Self: ...

    def missing(self) -> tuple[str, ...]:
        """The names of the settings without which nothing can be sent; empty means ready."""
        ...

    async def send(self, reader: Reader, post: Post) -> Receipt:
        """Show the card to the reader. Raises DeliveryError."""
        ...


@runtime_checkable
class CanUpdate(Protocol):
    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        """Bring the copy up to date; returns where it lies from now on. Raises DeliveryError."""
        ...


@runtime_checkable
class HasRoutes(Protocol):
    def routes(self) -> Sequence[web.RouteDef]:
        """Addresses that the platform calls. Only routes whose checks are configured may be returned."""
        ...


@runtime_checkable
class Runs(Protocol):
    async def run(self) -> None:
        """Work beside requests (a socket, a token kept fresh), until cancelled or as long as there is any."""
        ...


@runtime_checkable
class KnowsPeople(Protocol):
    """A platform that calls people by ids of its own, so that an admin may say by hand who is who."""

    @property
    def account(self) -> str:
        """What such an id looks like."""
        ...

    async def account_of(self, written: str) -> str:
        """The id in full, as clicks bear it. Raises ValueError that says what is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was looked at, whether it is well, why not, and how to mend it.

    A check that is well may still have a cause: then it is something to know. With a mend too, it is something to do.
    """

    name: str
    ok: bool
    cause: str = ""
    mend: str = ""


CHECK_SECONDS = 4.0  # after which a check says that it got no answer; whoever asks waits a second longer


@runtime_checkable
class CanCheck(Protocol):
    async def check(self) -> Sequence[Check]: ...


@runtime_checkable
class IsCalled(Protocol):
    """A platform that brings people's answers by calling us, or over a line that we keep open to it."""

    def when_silent(self) -> str:
        """What its owner can do where no answer comes in, one sentence after the other."""
        ...


# ---- the way back in: what an edge is given --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at the other end, as the edge has verified it: the platform's own id, and an address it vouches for."""

    platform: str
    subject: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """A person's answer, verified by the edge."""

    token: str
    choice: str
    person: Person
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a click. `words` are for this person alone; `card` is how it stands now, if they may see that.

    `field` names the input that has to be filled in, where that was the reason.
    """

    accepted: bool
    words: str
    card: Card | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """The whole request, for a person who may decide it (`may_decide`) or only look; `words` say why not.

    `page` is the signed address of this copy, for whatever has no room for the whole.
    """

    card: Card
    token: str
    who: str = ""
    may_decide: bool = True
    words: str = ""
    page: str = ""


class Desk(Protocol):
    """Where clicks go. The same for every channel."""

    async def answer(self, click: Click) -> Answer: ...

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        """The whole request behind a copy; an Answer that is not accepted where there is none or it may not be seen.

        Without a person, the token itself is the proof of who looks (a signed page that was sent to one reader).
        """
        ...

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        """Audit an attempt that the edge itself refused (foreign workspace, bad token, replay)."""
        ...


class Chat(Protocol):
    """One conversation with one person, as an edge gives it to the talk."""

    @property
    def person(self) -> Person: ...

    async def say(self, markdown: str) -> None:
        """Answer in this conversation. Raises DeliveryError."""
        ...

    def typing(self) -> AbstractAsyncContextManager[None]:
        """Show that an answer is being prepared, for as long as the context lasts. Never raises."""
        ...


class Talk(Protocol):
    """Where a person's own messages to the bot go."""

    async def hear(self, text: str, chat: Chat) -> None: ...


OF_THREAD = "thread:"  # then a place, a colon and the thread's name: such a key goes with the thread's last post


class Memory(Protocol):
    """What a channel has to remember across restarts and replicas, as JSON by key (such as conversation references).

    It stays, except where a thread began: see OF_THREAD.
    """

    async def get(self, key: str) -> JsonValue: ...

    async def put(self, key: str, value: JsonValue) -> None: ...

    async def forget(self, key: str) -> None: ...

    async def all(self, prefix: str) -> Mapping[str, JsonValue]: ...


@dataclass(frozen=True, slots=True)
class Edge:
    """Everything that a channel may use. Made once per channel by the composition root.

    `now` is the product's clock (aware, UTC). `once(key, seconds)` is true the first time that any replica sees a key:
    against replays; `seen(key)` only looks whether one did. `remember(NAME, value)` stores a setting that fills itself.
    `spawn` runs work that a request does not wait for; it is finished or logged before shutdown. `http` is the one
    shared session for all that is called; `guarded` refuses private addresses that the owner has not allowed.
    `base_url` has no trailing slash.
    `secrets` are keys derived for this channel alone, newest first (for a state parameter, a webhook secret).
    """

    http: Callable[[], ClientSession]
    guarded: Callable[[], ClientSession]
    desk: Desk
    talk: Talk
    memory: Memory
    now: Callable[[], datetime]
    once: Callable[[str, float], Awaitable[bool]]
    seen: Callable[[str], Awaitable[bool]]
    remember: Callable[[str, str], Awaitable[None]]
    spawn: Callable[[Coroutine[None, None, None]], None]
    base_url: str
    secrets: Sequence[bytes]
