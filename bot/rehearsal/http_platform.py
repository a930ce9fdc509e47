"""A platform that speaks HTTP: journal and failures in one middleware around whatever it serves."""

import asyncio
import socket
import struct
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.rehearsal.delivery import json_or
from bot.rehearsal.failure import Call, Failure, Kind
from bot.rehearsal.platform import Entry, Json, Platform

LARGEST_BODY = 64 * 1024 * 1024
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-slack-signature", "webhook-signature"})
SECRET_FIELDS = frozenset({"token", "client_secret", "password", "access_token"})
ABRUPT_CLOSE = struct.pack("ii", 1, 0)


async def put_away(runner: web.AppRunner) -> None:
    """Stop a server, together with whoever was just being let in while it closed: nobody else would close those."""
    server = runner.server
    await runner.cleanup()
    await asyncio.sleep(0)
    if server is not None:
        await server.shutdown(0)
    await asyncio.sleep(0)


class HttpPlatform(Platform):
    """Subclasses say what they serve, which part of them a path belongs to, and how they word an error."""

    def __init__(self, *, clock: Callable[[], float] = time.time, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @abstractmethod
    def serve(self, app: web.Application) -> None:
        """Adds the routes."""

    def part(self, path: str) -> str:
        return self.name

    def destinations(self, method: str, path: str, body: Any) -> frozenset[str]:
        """Every name of the reader or room that the call is meant for."""
        return frozenset()

    def refusal(self, part: str, failure: Failure) -> tuple[int, Json]:
        return failure.status or 400, {"error": failure.code}

    async def start(self) -> None:
        app = web.Application(middlewares=[self._stage], client_max_size=LARGEST_BODY)
        self.serve(app)
        # A caller that gives up ends what it asked for, so that a hung call is in the journal when it was given up.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await super().stop()
        if self._runner is not None:
            await put_away(self._runner)
            self._runner = None

    @web.middleware
    async def _stage(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        body = parsed(request, await request.read())
        part = self.part(request.path)
        call = Call(request.method, request.path, part, self.destinations(request.method, request.path, body))
        failure = self.failures.take(call)
        try:
            response = await self._answer(request, handler, failure, part)
        except web.HTTPException as refused:
            response = web.Response(status=refused.status, text=refused.text)
        except asyncio.CancelledError:
            self._remember(request, body, None, started)
            raise
        self._remember(request, body, response, started)
        return response if response is not None else web.Response()

    async def _answer(
        self, request: web.Request, handler: Handler, failure: Failure | None, part: str
    ) -> web.StreamResponse | None:
        """None stands for a connection that was cut."""
        if failure is None:
            return await handler(request)
        if failure.late:
            await handler(request)
        match failure.kind:
            case Kind.SLOW:
                await asyncio.sleep(failure.seconds)
                return await handler(request)
            case Kind.HANG:
                await self.held()
                cut(request)
                return None
            case Kind.RESET:
                cut(request)
                return None
            case Kind.ERROR:
                status, answer = self.refusal(part, failure)
                return web.json_response(answer, status=status)
            case Kind.GARBAGE:
                return web.Response(text=failure.body, content_type="application/json")
            case Kind.ANSWER:
                return web.Response(status=failure.status, text=failure.body, headers=failure.headers)

    def _remember(self, request: web.Request, body: Any, response: web.StreamResponse | None, started: float) -> None:
        answer = response.text if isinstance(response, web.Response) else None
        self.record(
            Entry(
                at=self.clock(),
                method=request.method,
                path=request.path,
                headers=masked(request.headers),
                body=_without_secrets(body),
                status=0 if response is None else response.status,
                answer=_without_secrets(json_or(answer)),
                took_ms=(time.perf_counter() - started) * 1000,
            )
        )


def cut(request: web.Request) -> None:
    """Closes with a TCP reset, as a crashed peer or a firewall does."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT_CLOSE)
        transport.abort()


def parsed(request: web.Request, raw: bytes) -> Any:
    """JSON or a form as a dictionary, anything else as text."""
    text = raw.decode(errors="replace")
    if request.content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True))
    return json_or(text)


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: _mask(value) if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def _mask(value: str) -> str:
    return f"{value[:12]}…"


def _without_secrets(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: _mask(str(value)[:4]) if name in SECRET_FIELDS else value for name, value in body.items()}
