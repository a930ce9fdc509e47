"""The front door as a proxy: what comes in goes on as it is, and what is cut behind it is cut before it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from bot.rehearsal.demo.door import Door

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class House:
    """A door, and behind it a server that answers as the test says."""

    door: Door
    visitor: aiohttp.ClientSession
    answer: Answer | None = None

    async def behind(self, request: web.Request) -> web.StreamResponse:
        assert self.answer is not None, "the test says what is answered"
        return await self.answer(request)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    door = Door("127.0.0.1", 0, lambda app: None)
    await door.open()
    async with aiohttp.ClientSession(door.address, cookie_jar=aiohttp.DummyCookieJar()) as visitor:
        house = House(door, visitor)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", house.behind)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.lead_to(f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield house
        await runner.cleanup()
    await door.close()


async def test_method_path_query_and_body_go_on_as_they_are(house: House) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.raw_path} {(await request.read()).decode()}")

    house.answer = answer
    async with house.visitor.put("/d/a%20b?x=%2F", data=b"body", allow_redirects=False) as reply:
        assert await reply.text() == "PUT /d/a%20b?x=/ body"


async def test_the_visitors_host_and_headers_go_on(house: House) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.host} {request.headers['X-Slack-Signature']}")

    house.answer = answer
    headers = {"Host": "gate.example.com", "X-Slack-Signature": "v0=1"}
    async with house.visitor.post("/slack/events", headers=headers) as reply:
        assert await reply.text() == "gate.example.com v0=1"


async def test_a_redirect_and_every_cookie_come_back(house: House) -> None:
    async def answer(request: web.Request) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/elsewhere"})
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")
        return response

    house.answer = answer
    async with house.visitor.get("/login", allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (303, "/elsewhere")
        assert len(reply.headers.getall("Set-Cookie")) == 2


async def test_a_stream_is_not_held_back(house: House) -> None:
    more = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await more.wait()
        return response

    house.answer = answer
    async with house.visitor.get("/stream") as reply:
        assert await asyncio.wait_for(reply.content.readany(), 2) == b"first"
        more.set()


async def test_an_answer_that_is_cut_does_not_look_complete(house: House) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None, "the connection is open"
        request.transport.abort()
        return response

    house.answer = answer
    with pytest.raises(aiohttp.ClientError):
        async with house.visitor.get("/export") as reply:
            await reply.read()


async def test_a_second_door_on_the_same_port_is_refused(house: House) -> None:
    with pytest.raises(OSError, match="in use"):
        await Door("127.0.0.1", house.door.port, lambda app: None).open()
