"""A conversation with fakes of what it is given, and a real agent's endpoint on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import ClientSession, web

from bot.channels.contract import DeliveryError, Person
from bot.channels.http import signed
from bot.conversations.agent import Agent, Endpoint
from bot.conversations.conversation import Conversation
from bot.dispatch.notice import Ask, InteractionView, Opened
from bot.rehearsal.caller import AgentEndpoint
from interactions.model import Actor
from interactions.registry import Registry

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

ANA = Actor("op_ana", "Ana", "ana@example.com")
BEN = Actor("op_ben", "Ben", "ben@example.com", active=False)
ANA_HERE = Person("chat", "U1", "Ana A.", "ana@example.com")
EVA_HERE = Person("chat", "U4", "Eva", "eva@example.com")
BEN_HERE = Person("chat", "U2", "Ben", "ben@example.com")
CLEO_HERE = Person("chat", "U`3", "Cleo", "cleo*@example.com")
KNOWN = {"U1": ANA, "U2": BEN, "U4": Actor("op_eva", "Eva", "eva@example.com")}


@dataclass
class Screen:
    """One person's chat: what was said, and whether somebody seems to be typing."""

    person: Person
    said: list[str] = field(default_factory=list)
    typing_now: bool = False
    typed: int = 0
    said_while_typing: list[str] = field(default_factory=list)
    failure: DeliveryError | None = None

    async def say(self, markdown: str) -> None:
        if self.failure:
            raise self.failure
        self.said.append(markdown)
        if self.typing_now:
            self.said_while_typing.append(markdown)

    def typing(self) -> AbstractAsyncContextManager[None]:
        return self._typing()

    @asynccontextmanager
    async def _typing(self) -> AsyncIterator[None]:
        self.typing_now = True
        self.typed += 1
        try:
            yield
        finally:
            self.typing_now = False


@dataclass
class Requests:
    """What dispatch was asked for."""

    open: int = 0
    asked: list[Ask] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    refusal: Exception | None = None

    async def ask(self, ask: Ask) -> Opened:
        if self.refusal:
            raise self.refusal
        self.asked.append(ask)
        card = ask.question.card()
        return Opened(InteractionView("int_1", ask.question.kind, "pending", "d", None, {}, card), True)

    async def show_pending(self, operator_id: str, channel: str) -> int:
        if self.refusal:
            raise self.refusal
        self.shown.append((operator_id, channel))
        return self.open


@dataclass
class World:
    """`endpoint` is where the agent is now; None means that none is set up."""

    http: ClientSession
    endpoint: Endpoint | None
    seconds: float = 5.0
    requests: Requests = field(default_factory=Requests)

    def __post_init__(self) -> None:
        self.ana = Screen(ANA_HERE)
        self.talk = Conversation(
            recognise=_recognise,
            requests=self.requests,
            status=_status,
            agent=Agent(lambda: self.http, signed, self.seconds),
            endpoint=lambda: self.endpoint,
            kinds=Registry(),
            may_call=_may_call,
            now=lambda: NOON,
        )

    async def hear(self, text: str, screen: Screen | None = None) -> list[str]:
        screen = screen or self.ana
        await self.talk.hear(text, screen)
        return screen.said


async def _recognise(person: Person) -> Actor | None:
    return KNOWN.get(person.subject)


async def _may_call(url: str) -> None:
    """Any address."""


async def _status() -> str:
    return "Every channel is well. 3 copies wait."


class SlowAgent(AgentEndpoint):
    """Answers once it may: `go` lets every answer out."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        answer = await super()._take(request)
        self.changed()
        await self.go.wait()
        return answer
