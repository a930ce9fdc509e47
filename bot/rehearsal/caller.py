"""The other ends that the product calls: who asked (callbacks) and an agent that answers people's messages."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.rehearsal.delivery import json_or
from bot.rehearsal.http_platform import HttpPlatform


@dataclass(frozen=True, slots=True)
class Told:
    """One request with its headers and bytes as they came; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def body(self) -> Any:
        return json_or(self.raw.decode(errors="replace"))


class Caller(HttpPlatform):
    """Takes every request on any path; make it fail, hang or redirect with `fail`."""

    name = "caller"

    def __init__(self, *, clock: Callable[[], float] = time.time, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self.told: list[Told] = []

    @property
    def url(self) -> str:
        return f"{self.origin}/told"

    @property
    def last(self) -> Told:
        return self.told[-1]

    def serve(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._take)

    async def wait_for(self, count: int = 1, within: float = 5.0) -> list[Told]:
        await self.until(lambda: len(self.told) >= count, within, f"{count} calls")
        return self.told

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = Told(request.method, request.path, headers, await request.read())
        self.told.append(told)
        return self.answer(told)

    def answer(self, told: Told) -> web.StreamResponse:
        return web.Response(status=204)


class AgentEndpoint(Caller):
    """What stands behind AGENT_URL: answers with markdown (a string) or JSON, fixed or made from the question."""

    name = "agent"

    def __init__(
        self,
        reply: str | dict[str, Any] | Callable[[Any], str | dict[str, Any]] = "All is **well**.",
        *,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self.reply = reply

    @property
    def url(self) -> str:
        return f"{self.origin}/agent"

    def answer(self, told: Told) -> web.StreamResponse:
        reply = self.reply(told.body) if callable(self.reply) else self.reply
        if isinstance(reply, str):
            return web.Response(text=reply, content_type="text/markdown")
        return web.json_response(reply)
