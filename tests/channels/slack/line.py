"""Slack's end of Socket Mode where it behaves as no rehearsal does: the test plays each connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer

from bot.channels.slack_socket import Patience, Socket
from bot.channels.slack_web import Web
from bot.rehearsal.failure import http
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.http.edges import NOON

Json = dict[str, Any]
HELLO: Json = {"type": "hello", "connection_info": {"app_id": "A0LINE"}}
QUICK = Patience(settled=0.3, first_pause=0.02, longest_pause=20.0)


@dataclass
class Line:
    """What came over the connections so far. `defect` is raised from what takes a request, while it is set."""

    play: Callable[[web.WebSocketResponse], Awaitable[object]]
    autoping: bool = True
    connections: int = 0
    acknowledged: list[object] = field(default_factory=list)
    greeted: list[str] = field(default_factory=list)
    defect: Exception | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, question: Callable[[], object], within: float = 3.0) -> None:
        async with asyncio.timeout(within):
            while not question():
                await self._changed.wait()

    async def take(self, envelope: Json) -> Json | None:
        await asyncio.sleep(0.05)
        if self.defect:
            raise self.defect
        return None

    def greet(self, app: str) -> None:
        self.greeted.append(app)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=self.autoping)
        await socket.prepare(request)
        self.connections += 1
        self.changed()
        await self.play(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.acknowledged.append(json.loads(message.data)["envelope_id"])
                self.changed()
        return socket


@asynccontextmanager
async def socket_on(
    line: Line, workspace: SlackWorkspace, session: ClientSession, patience: Patience = QUICK
) -> AsyncIterator[None]:
    """Socket Mode on this line, until the context ends."""
    app = web.Application()
    app.router.add_get("/line", line.connect)
    async with TestServer(app) as server:
        url = str(server.make_url("/line")).replace("http", "ws", 1)
        workspace.fail(http(200, json.dumps({"ok": True, "url": url})), path="apps.connections.open")
        api = Web(workspace.app_token, workspace.api_url, lambda: session, lambda: NOON)
        running = asyncio.create_task(Socket(api, lambda: session, line.take, line.greet, patience).run())
        try:
            yield
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
