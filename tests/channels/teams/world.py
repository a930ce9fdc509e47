"""A rehearsal tenant over loopback, the Teams edge behind a real server, and a desk and a talk that write down."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import JsonValue

from bot.channels.contract import (
    Answer,
    Chat,
    Check,
    Click,
    DeliveryError,
    Edge,
    Person,
    Post,
    Reader,
    ReaderKind,
    Receipt,
    Review,
    Rights,
)
from bot.channels.teams import Teams
from bot.channels.teams_keys import Keys
from bot.rehearsal.teams import TeamsTenant
from bot.store import StoreUnavailable
from interactions.card import Card, Choice, Outcome, Severity, Status, Tone

TOKEN = "delivery1.0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAA"
PAGE = "https://gate.example/d/abc"
LINK = "https://gate.example/login/abc"

QUESTION = Card(
    title="Cleaner was blocked from drive.delete",
    severity=Severity.HIGH,
    text="It wanted to delete a folder.",
    choices=(
        Choice("approve", "Approve", Tone.PRIMARY, approves=True),
        Choice("keep_blocked", "Keep blocked", Tone.DANGER),
    ),
)
ENDED = replace(
    QUESTION,
    choices=(),
    outcome=Outcome(Status.DECIDED, "Approved by Ana", datetime(2026, 11, 20, 14, 2, tzinfo=UTC), approved=True),
)


@dataclass
class WritingDesk:
    """Answers as it was told to, and remembers what it was asked."""

    reply: Answer = field(default_factory=lambda: Answer(True, "Approved by Ana", ENDED))
    seconds: float = 0.0
    clicks: list[Click] = field(default_factory=list)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, click: Click) -> Answer:
        self.clicks.append(click)
        await asyncio.sleep(self.seconds)
        return self.reply

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        raise AssertionError("Teams has no review of its own")

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        self.refusals.append((platform, why, subject))


@dataclass
class WritingTalk:
    """Says what it was told to, after as long as it was told to take."""

    reply: str = "I heard **you**."
    seconds: float = 0.0
    heard: list[tuple[str, Person]] = field(default_factory=list)

    async def hear(self, text: str, chat: Chat) -> None:
        self.heard.append((text, chat.person))
        async with chat.typing():
            await asyncio.sleep(self.seconds)
            await chat.say(self.reply)


class Shelf:
    """A memory whose database may be `away`."""

    def __init__(self) -> None:
        self.kept: dict[str, JsonValue] = {}
        self.away = False

    async def get(self, key: str) -> JsonValue:
        return self.kept.get(key)

    async def put(self, key: str, value: JsonValue) -> None:
        if self.away:
            raise StoreUnavailable("the database is away")
        self.kept[key] = value

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)

    async def all(self, prefix: str) -> Mapping[str, JsonValue]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix)}


class Doorman:
    """Time that a test moves, and the keys that were seen in it."""

    def __init__(self) -> None:
        self.at = 0.0
        self._seen: dict[str, float] = {}

    async def once(self, key: str, seconds: float) -> bool:
        if self._seen.get(key, 0.0) > self.at:
            return False
        self._seen[key] = self.at + seconds
        return True

    async def seen(self, key: str) -> bool:
        return self._seen.get(key, 0.0) > self.at


@dataclass
class World:
    """One tenant, one edge."""

    teams: TeamsTenant
    channel: Teams
    desk: WritingDesk
    talk: WritingTalk
    shelf: Shelf
    doorman: Doorman
    remembered: dict[str, str]
    tasks: list["asyncio.Task[None]"]

    @property
    def keys(self) -> Keys:
        assert self.channel._inbound is not None  # the first call loads it
        return self.channel._inbound.keys

    async def settled(self) -> None:
        """When everything that a request started is done."""
        while self.tasks:
            await self.tasks.pop()

    async def install(self, who: str = "ana@example.com") -> None:
        await self.teams.chat(who).install()
        await self.settled()

    async def install_in_channel(self, name: str = "alerts", *, by: str = "ana@example.com") -> str:
        channel = self.teams.add_channel(name, ["ana@example.com", "ben@example.com"])
        await channel.install(by=by)
        await self.settled()
        return channel.id

    async def ask(self, who: str = "ana@example.com", card: Card = QUESTION, *, page: str = PAGE) -> Receipt:
        return await self.channel.send(operator(who), post(card, page=page))

    async def send_sign_in(self, who: str = "ana@example.com", **identities: str) -> Receipt:
        """A card whose link signs in whoever has it."""
        return await self.channel.send(operator(who, **identities), replace(post(QUESTION), rights=Rights(link=LINK)))

    async def tell_room(self, card: Card = QUESTION, *, place: str = "", thread: str = "") -> Receipt:
        return await self.channel.send(Reader(ReaderKind.ROOM, "room", place=place), post(card, thread=thread))

    async def refusal(self, who: str = "ana@example.com") -> DeliveryError:
        """Why a card for this person was not taken."""
        try:
            receipt = await self.ask(who)
        except DeliveryError as error:
            return error
        raise AssertionError(f"it was taken: {receipt}")

    async def check(self, name: str) -> Check:
        return next(check for check in await self.channel.check() if check.name == name)


def operator(email: str, **identities: str) -> Reader:
    return Reader(ReaderKind.OPERATOR, id=email, name=email.partition("@")[0], email=email, identities=identities)


def post(card: Card, *, page: str = PAGE, thread: str = "", version: int = 0) -> Post:
    return Post("interaction1", version, card, token=TOKEN, page=page, thread=thread)


@asynccontextmanager
async def world_of(tenant: TeamsTenant, session: ClientSession, **settings: str) -> AsyncIterator[World]:
    desk, talk, shelf, doorman = WritingDesk(), WritingTalk(), Shelf(), Doorman()
    remembered: dict[str, str] = {}
    tasks: list[asyncio.Task[None]] = []

    async def remember(name: str, value: str) -> None:
        remembered[name] = value

    def spawn(work: Coroutine[None, None, None]) -> None:
        tasks.append(asyncio.create_task(work))

    edge = Edge(
        http=lambda: session, guarded=lambda: session, desk=desk, talk=talk, memory=shelf,
        now=lambda: datetime.now(UTC) + timedelta(seconds=doorman.at),
        once=doorman.once, seen=doorman.seen, remember=remember, spawn=spawn,
        base_url="https://gate.example", secrets=(b"k" * 32,),
    )  # fmt: skip
    channel = Teams.make({**settings_of(tenant), **settings}, edge)
    app = web.Application()
    app.add_routes(channel.routes())
    async with TestServer(app) as server:
        tenant.messages_url = str(server.make_url("/api/messages"))
        beside = asyncio.create_task(channel.run())
        yield World(tenant, channel, desk, talk, shelf, doorman, remembered, tasks)
        beside.cancel()
        await asyncio.gather(beside, *tasks, return_exceptions=True)


def settings_of(tenant: TeamsTenant) -> dict[str, str]:
    return {
        "TEAMS_APP_ID": tenant.app_id,
        "TEAMS_CLIENT_SECRET": tenant.client_secret,
        "TEAMS_TENANT_ID": tenant.tenant_id,
        "TEAMS_LOGIN_URL": tenant.login_url,
        "TEAMS_OPENID_METADATA_URL": tenant.openid_metadata_url,
        "TEAMS_TOKEN_ISSUER": tenant.issuer,
        "TEAMS_SERVICE_URL_HOSTS": f"127.0.0.1:{tenant.port}",
    }
