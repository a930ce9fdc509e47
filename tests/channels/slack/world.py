"""A rehearsal workspace over loopback, the Slack edge behind a real server, and a desk and a talk that write down."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import JsonValue

from bot.channels.contract import Answer, Chat, Click, Edge, Person, Post, Reader, ReaderKind, Receipt, Review
from bot.channels.slack import Slack
from bot.clock import MovableClock
from bot.rehearsal.failure import http
from bot.rehearsal.platform import Entry
from bot.rehearsal.slack import SlackWorkspace
from bot.store import StoreUnavailable
from interactions.card import Card, Choice, Format, Input, Outcome, Payload, Severity, Status, Tone

TOKEN = "delivery1.0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAA"

QUESTION = Card(
    title="Cleaner was blocked from drive.delete",
    severity=Severity.HIGH,
    text="It wanted to delete a folder.",
    choices=(
        Choice("approve", "Approve", Tone.PRIMARY, approves=True),
        Choice("keep_blocked", "Keep blocked", Tone.DANGER),
    ),
)
ENDED = Card(
    title=QUESTION.title,
    severity=Severity.HIGH,
    outcome=Outcome(Status.DECIDED, "Approved by Ana", datetime(2026, 11, 20, 14, 2, tzinfo=UTC), approved=True),
)
WITH_REASON = Card(
    title=QUESTION.title,
    severity=Severity.HIGH,
    choices=QUESTION.choices,
    inputs=(Input("reason", "Reason", ("keep_blocked",), required=True),),
)


@dataclass
class WritingDesk:
    """Answers as it was told to, and remembers what it was asked."""

    card: Card = QUESTION
    reply: Answer = field(default_factory=lambda: Answer(True, "Approved by Ana", ENDED))
    words: str = ""
    may_decide: bool = True
    seconds: float = 0.0
    hidden: Answer | None = None
    clicks: list[Click] = field(default_factory=list)
    reviews: list[tuple[str, Person | None]] = field(default_factory=list)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, click: Click) -> Answer:
        self.clicks.append(click)
        await asyncio.sleep(self.seconds)
        return self.reply

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        self.reviews.append((token, person))
        await asyncio.sleep(self.seconds)
        return self.hidden or Review(self.card, token, may_decide=self.may_decide, words=self.words)

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
    """Keeps what it is given. What begins with `away` meets a database that does not answer."""

    def __init__(self) -> None:
        self.kept: dict[str, JsonValue] = {}
        self.away: str | None = None

    async def get(self, key: str) -> JsonValue:
        return self.kept.get(key)

    async def put(self, key: str, value: JsonValue) -> None:
        if self.away and key.startswith(self.away):
            raise StoreUnavailable("it does not answer")
        self.kept[key] = value

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)

    async def all(self, prefix: str) -> Mapping[str, JsonValue]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix)}


@dataclass
class World:
    """One workspace, one edge."""

    slack: SlackWorkspace
    channel: Slack
    desk: WritingDesk
    talk: WritingTalk
    shelf: Shelf
    tasks: list["asyncio.Task[None]"]
    clock: MovableClock

    async def settled(self) -> None:
        """When everything that a request started is done."""
        while self.tasks:
            await self.tasks.pop()

    async def say_in(self, room: str, card: Card = QUESTION) -> Receipt:
        return await self.channel.send(Reader(ReaderKind.ROOM, room, place=f"#{room}"), post(card))

    def called(self, method: str) -> list[Entry]:
        return [entry for entry in self.slack.journal if entry.path == f"/api/{method}"]

    @staticmethod
    def too_long() -> Card:
        body = "\n".join(f"line {number} of a long payload" for number in range(800))
        return replace(QUESTION, payload=Payload(f"{body}\nthe last line", Format.TEXT))

    def profile_says(self, user: str, more: Mapping[str, JsonValue]) -> None:
        """What Slack will answer about this person from now on."""
        profile = {**self.slack.api.call("users.info", self.slack.bot_token, {"user": user})["user"], **more}
        self.slack.fail(http(200, json.dumps({"ok": True, "user": profile})), path="users.info")

    async def ask(self, card: Card = QUESTION, *, who: str = "ana@example.com", thread: str = "") -> Receipt:
        return await self.channel.send(operator(who), post(card, thread=thread))


def operator(email: str, **identities: str) -> Reader:
    return Reader(ReaderKind.OPERATOR, id=email, name=email.partition("@")[0], email=email, identities=identities)


def post(card: Card, *, thread: str = "", page: str = "", version: int = 0) -> Post:
    return Post("interaction1", version, card, token=TOKEN, page=page, thread=thread)


@asynccontextmanager
async def world_of(workspace: SlackWorkspace, session: ClientSession, **settings: str) -> AsyncIterator[World]:
    desk, talk, shelf, clock = WritingDesk(), WritingTalk(), Shelf(), MovableClock()
    tasks: list[asyncio.Task[None]] = []
    seen: set[str] = set()

    async def once(key: str, seconds: float) -> bool:
        before = len(seen)
        seen.add(key)
        return len(seen) > before

    async def nobody_looks(key: str) -> bool:
        raise AssertionError("Slack's requests are seen before they are heard")

    async def remember(name: str, value: str) -> None:
        raise AssertionError(f"Slack has no setting that fills itself, but {name} was")

    def spawn(work: Coroutine[None, None, None]) -> None:
        tasks.append(asyncio.create_task(work))

    edge = Edge(
        http=lambda: session, guarded=lambda: session, desk=desk, talk=talk, memory=shelf,
        now=clock.now, once=once, seen=nobody_looks, remember=remember, spawn=spawn,
        base_url="https://gate.example", secrets=(b"k" * 32,),
    )  # fmt: skip
    chosen = {"SLACK_BOT_TOKEN": workspace.bot_token, "SLACK_API_URL": workspace.api_url, **settings}
    channel = Slack.make(chosen, edge)
    app = web.Application()
    app.add_routes(channel.routes())
    async with TestServer(app) as server:
        workspace.events_url = str(server.make_url("/slack/events"))
        running = asyncio.create_task(channel.run())
        yield World(workspace, channel, desk, talk, shelf, tasks, clock)
        for task in (running, *tasks):
            task.cancel()
        await asyncio.gather(running, *tasks, return_exceptions=True)
