"""How many cards a second go out to Teams with 200 in flight, against a connector that takes 200 ms."""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from aiohttp import ClientSession, web
from pydantic import JsonValue

from benchmarks.measure import Measure
from bot.channels.contract import Answer, Chat, Click, Edge, Person, Post, Reader, ReaderKind, Review
from bot.channels.http import shared_session
from bot.channels.teams import Teams
from interactions.card import Card, Choice, Payload, Severity, Tone

IN_FLIGHT = 200
SECONDS = 0.2
GUID = "11111111-2222-4333-8444-555555555555"
CARD = Card(
    title="Cleaner was blocked from drive.delete",
    severity=Severity.HIGH,
    text="It wanted to delete a folder.",
    facts=(("Tool", "drive.delete"), ("User", "cleo@example.com")),
    payload=Payload('{"path": "/finance/2026"}'),
    choices=(
        Choice("approve", "Approve", Tone.PRIMARY, approves=True),
        Choice("keep_blocked", "Keep blocked", Tone.DANGER),
    ),
)


class Nobody:
    """Desk and talk of a server that nobody clicks or writes to."""

    async def answer(self, click: Click) -> Answer:
        return Answer(accepted=False, words="Nobody decides here.")

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        return Answer(accepted=False, words="There is nothing to decide here.")

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        sys.stderr.write(f"{platform} refused {subject}: {why}\n")

    async def hear(self, text: str, chat: Chat) -> None:
        sys.stderr.write(f"unexpected words: {text}\n")


class Shelf:
    def __init__(self) -> None:
        self._kept: dict[str, JsonValue] = {}

    async def get(self, key: str) -> JsonValue:
        return self._kept.get(key)

    async def put(self, key: str, value: JsonValue) -> None:
        self._kept[key] = value

    async def forget(self, key: str) -> None:
        self._kept.pop(key, None)

    async def all(self, prefix: str) -> Mapping[str, JsonValue]:
        return {key: value for key, value in self._kept.items() if key.startswith(prefix)}


def connector(told: Connection) -> None:
    """A login and a connector in a process of their own, so that only our side is measured."""

    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "token", "expires_in": 3600})

    async def take(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(SECONDS)
        return web.json_response({"id": "1"}, status=201)

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/{tenant}/oauth2/v2.0/token", token)
        app.router.add_post("/v3/conversations/{conversation}/activities", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


def teams(session: ClientSession, origin: str) -> Teams:
    async def once(key: str, seconds: float) -> bool:
        return True

    async def seen(key: str) -> bool:
        return False

    async def remember(name: str, value: str) -> None:
        return None

    def spawn(work: Coroutine[None, None, None]) -> None:
        work.close()

    nobody = Nobody()
    edge = Edge(
        http=lambda: session,
        guarded=lambda: session,
        desk=nobody,
        talk=nobody,
        memory=Shelf(),
        now=lambda: datetime.now(UTC),
        once=once,
        seen=seen,
        remember=remember,
        spawn=spawn,
        base_url="https://gate.example",
        secrets=(b"k" * 32,),
    )
    settings = {
        "TEAMS_APP_ID": GUID,
        "TEAMS_CLIENT_SECRET": "secret",
        "TEAMS_TENANT_ID": GUID,
        "TEAMS_LOGIN_URL": origin,
        "TEAMS_SERVICE_URL": f"{origin}/",
        "TEAMS_CONVERSATION_ID": "19:room@thread.v2",
        "TEAMS_SERVICE_URL_HOSTS": origin.removeprefix("http://"),
    }
    return Teams.make(settings, edge)


async def rate_of(messages: int, send: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Messages a second, and milliseconds of our processor for each."""
    left = iter(range(messages))

    async def one_after_another() -> None:
        for _ in left:
            await send()

    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
    return messages / (time.perf_counter() - started), (time.process_time() - used) / messages * 1000


async def measured(quick: bool) -> list[Measure]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=connector, args=(theirs,), daemon=True)
    process.start()
    try:
        return await _against(f"http://127.0.0.1:{ours.recv()}", 1000 if quick else 5000)
    finally:
        process.kill()


async def _against(origin: str, messages: int) -> list[Measure]:
    async with shared_session() as session:
        channel = teams(session, origin)
        room, post = Reader(ReaderKind.ROOM, "room"), Post("ref", 0, CARD, token="t" * 60)
        await channel.send(room, post)

        async def bare() -> None:
            url = f"{origin}/v3/conversations/19%3Aroom%40thread.v2/activities"
            headers = {"Authorization": "Bearer token"}
            async with session.post(url, json={"type": "message", "text": "x" * 2000}, headers=headers) as answer:
                await answer.json()

        floor, floor_cost = await rate_of(messages, bare)
        rate, cost = await rate_of(messages, lambda: channel.send(room, post))
    return [
        Measure("cards to Teams, 200 in flight, 200 ms each", "/s", rate, floor, least=250),
        Measure("processor for each", "ms", cost, floor_cost),
    ]
