"""A receiver of webhooks on loopback that keeps what it was sent and answers as it is told."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL


@dataclass
class Receiver:
    """`status` and `headers` are its next answers; 0 closes the connection, `hangs` never answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    hangs: bool = False
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    _server: TestServer | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server(shutdown_timeout=0.1)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        await self._server.close()

    @property
    def port(self) -> int:
        assert self._server is not None
        assert self._server.port is not None
        return self._server.port

    @property
    def url(self) -> str:
        return str(URL.build(scheme="http", host="127.0.0.1", port=self.port, path="/hooks/gatebell"))

    @property
    def last_headers(self) -> dict[str, str]:
        return self.calls[-1][0]

    @property
    def last_json(self) -> Any:
        return json.loads(self.calls[-1][1])

    async def _take(self, request: web.Request) -> web.Response:
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.paths.append(request.path)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        if self.hangs:
            await asyncio.sleep(60)
        if not self.status:
            request.transport.abort()
        return web.Response(status=self.status or 200, headers=self.headers, body=self.body)
