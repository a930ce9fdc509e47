"""Who brings nothing is shown out after a while; who is being served stays, however long it takes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.lobby import PATIENCE, Lobby
from bot.rehearsal.http_platform import put_away
from tests.stories.world import a_moment

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"


@dataclass
class House:
    """A server whose one address answers when `go` is set."""

    runner: web.AppRunner
    lobby: Lobby
    served: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    visitors: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def server(self) -> web.Server:
        assert self.runner.server is not None
        return self.runner.server

    async def visit(self, *pieces: bytes) -> asyncio.StreamReader:
        """Somebody comes at the moment 0 and says this."""
        reader, writer = await asyncio.open_connection(*self.runner.addresses[0])
        self.visitors.append(writer)
        self.say(*pieces)
        await self._until(len(self.visitors))
        self.at(0.0)
        return reader

    async def empty(self) -> None:
        await self._until(0)

    async def _until(self, inside: int) -> None:
        async with asyncio.timeout(5):
            while len(self.server.connections) != inside:
                await a_moment()

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.visitors[-1].write(piece)

    def at(self, moment: float) -> None:
        """The lobby looks."""
        self.lobby.tidy(self.server.connections, moment)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    lobby = Lobby()

    async def answer(request: web.Request) -> web.Response:
        made.served.set()
        await request.read()
        await made.go.wait()
        return web.Response(text="here you are")

    app = web.Application(middlewares=[lobby.middleware])
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = House(runner, lobby)
    yield made
    for visitor in made.visitors:
        visitor.close()
    await put_away(runner)


@pytest.mark.parametrize("pieces", [(), (HEAD[:20],), (HEAD,)], ids=["nothing", "half a line", "half a head"])
async def test_who_brings_no_whole_request_is_shown_out(house: House, pieces: tuple[bytes, ...]) -> None:
    await house.visit(*pieces)
    house.at(PATIENCE + 1)
    await house.empty()


async def test_who_brings_half_a_body_is_shown_out(house: House) -> None:
    await house.visit(HEAD, b"\r\nab")
    await house.served.wait()
    house.at(PATIENCE + 1)
    await house.empty()


async def test_who_came_just_now_stays(house: House) -> None:
    await house.visit()
    house.at(PATIENCE - 1)
    assert len(house.server.connections) == 1


async def test_who_waits_for_our_answer_gets_it(house: House) -> None:
    reader = await house.visit(HEAD, b"\r\nabcd")
    await house.served.wait()
    house.at(PATIENCE + 1)
    house.go.set()
    assert await asyncio.wait_for(reader.readuntil(b"here you are"), 5)


async def test_time_begins_anew_with_each_request(house: House) -> None:
    house.go.set()
    reader = await house.visit()
    for moment in (PATIENCE - 1, 2 * PATIENCE - 2, 3 * PATIENCE - 3):
        house.say(HEAD, b"\r\nabcd")
        await asyncio.wait_for(reader.readuntil(b"here you are"), 5)
        house.at(moment)
    assert len(house.server.connections) == 1
