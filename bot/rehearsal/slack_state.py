"""What a Slack workspace knows: its app, people, conversations, views, and the promises that run out."""

import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Message

PATIENCE = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5
DEFAULT_SCOPES = ("chat:write", "users:read", "users:read.email", "im:history", "commands")


@dataclass(frozen=True, slots=True)
class SlackApp:
    bot_token: str = field(default_factory=lambda: f"xoxb-1000000001-2000000002-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-A0REHEARSAL-3000000003-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    team_id: str = "T0REHEARSE"
    team_domain: str = "rehearsal"
    app_id: str = "A0REHEARSAL"
    bot_user_id: str = "U0GATEBOT1"
    bot_id: str = "B0GATEBOT1"
    bot_name: str = "gatebell"
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    scopes: tuple[str, ...] = DEFAULT_SCOPES


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    email: str
    team: str
    tz: str = "Europe/Berlin"

    @property
    def username(self) -> str:
        return self.email.partition("@")[0]


@dataclass(slots=True, eq=False)
class Room:
    """A channel, or a direct message between the bot and one person."""

    id: str
    name: str
    members: list[str]
    is_im: bool = False
    with_bot: bool = True
    messages: list[Message] = field(default_factory=list)
    ephemerals: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    status: str = ""
    status_at: float = 0.0
    statuses: list[str] = field(default_factory=list)

    def message(self, ts: str) -> Message | None:
        return next((each for each in reversed(self.messages) if each.ts == ts), None)


@dataclass(slots=True, eq=False)
class View:
    """A modal on one person's screen."""

    id: str
    user: str
    content: Json
    hash: str
    trigger_id: str
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    filled: dict[str, dict[str, Json]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Trigger:
    user: str
    ends: float
    used: bool = False

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends


@dataclass(slots=True, eq=False)
class ResponseUrl:
    room: Room
    user: str
    message: Message | None
    made: float
    uses: int = 0

    @property
    def is_over(self) -> bool:
        return self.uses >= RESPONSE_URL_USES or time.monotonic() - self.made > RESPONSE_URL_SECONDS


class SlackState:
    """Everything that the Web API changes and that people see."""

    def __init__(self, app: SlackApp, clock: Callable[[], float], patience: float = PATIENCE) -> None:
        self.app = app
        self.patience = patience
        self.clock = clock
        self.origin = ""
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self.views: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.deactivated: set[str] = set()
        self._serial = itertools.count(1)

    def add_person(self, name: str, email: str, user_id: str | None, team: str | None, tz: str) -> Person:
        person = Person(user_id or self.new_id("U"), name, email, team or self.app.team_id, tz)
        self.people[person.id] = person
        return person

    def person(self, who: "str | Person") -> Person:
        """By id or e-mail; the address's letter case does not matter."""
        if isinstance(who, Person):
            return who
        found = self.people.get(who) or self.by_email(who)
        if found is None:
            raise LookupError(f"nobody here is called {who}")
        return found

    def by_email(self, email: str) -> Person | None:
        return next((each for each in self.people.values() if each.email.casefold() == email.casefold()), None)

    def add_room(self, name: str, members: list[str], with_bot: bool) -> Room:
        room = Room(self.new_id("C"), name.removeprefix("#"), members, with_bot=with_bot)
        self.rooms[room.id] = room
        return room

    def direct(self, person: Person) -> Room:
        for room in self.rooms.values():
            if room.is_im and room.members == [person.id]:
                return room
        room = Room(self.new_id("D"), "directmessage", [person.id], is_im=True)
        self.rooms[room.id] = room
        return room

    def room(self, where: str) -> Room | None:
        """By id or #name; a person's id is the conversation with that person."""
        if where in self.people:
            return self.direct(self.people[where])
        by_name = (each for each in self.rooms.values() if not each.is_im and each.name == where.removeprefix("#"))
        return self.rooms.get(where) or next(by_name, None)

    def new_id(self, letter: str) -> str:
        return f"{letter}0{next(self._serial):04d}{secrets.token_hex(3).upper()}"

    def new_ts(self) -> str:
        return f"{int(self.clock())}.{next(self._serial):06d}"

    def new_trigger(self, user: str) -> str:
        trigger_id = f"{next(self._serial)}.{next(self._serial)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, time.monotonic() + self.patience)
        return trigger_id

    def new_response_url(self, room: Room, user: str, message: Message | None) -> str:
        ticket = secrets.token_urlsafe(18)
        self.response_urls[ticket] = ResponseUrl(room, user, message, time.monotonic())
        return f"{self.origin}/actions/{self.app.team_id}/{next(self._serial)}/{ticket}"
