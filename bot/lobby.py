"""Connections that bring nothing: bounded in number and in time, so that those who bring something find room."""

import asyncio
import resource
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

PATIENCE = 75.0  # seconds without a whole request; proxies keep idle connections for no longer than a minute
LOOK = 1.0
MOST = 10_000
FILES = 2 * MOST


def raise_limit() -> None:
    """As many open files as are needed and allowed: the usual limit is older than servers with many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def room() -> int:
    """How many connections may be open at a time; the other half of the files is for the way out and the database."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // 2)


class Lobby:
    def __init__(self) -> None:
        self._served: dict[web.RequestHandler, web.Request] = {}
        self._since: dict[web.RequestHandler, float] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._served[request.protocol] = request
        try:
            return await handler(request)
        finally:
            self._served.pop(request.protocol, None)
            self._since.pop(request.protocol, None)

    async def watch(self, server: web.Server) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self.tidy(server.connections, asyncio.get_running_loop().time())

    def tidy(self, connections: Iterable[web.RequestHandler], now: float) -> None:
        """Close what has waited for too long, and where there is no room left, what has waited longest."""
        present = list(connections)
        self._since = {each: self._since.get(each, now) for each in present if self._waits(each)}
        over = len(present) - room()
        for place, (each, since) in enumerate(sorted(self._since.items(), key=lambda item: item[1])):
            if place < over or now - since > PATIENCE:
                each.force_close()

    def _waits(self, connection: web.RequestHandler) -> bool:
        """Whether it has not brought a whole request yet."""
        request = self._served.get(connection)
        return request is None or not request.content.is_eof()
