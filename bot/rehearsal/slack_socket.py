"""Socket Mode: tickets, the greeting, envelopes that must be acknowledged, and Slack's wish to reconnect."""

import asyncio
import itertools
import json
import secrets
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from bot.rehearsal.platform import Json


class Sockets:
    """The app's open sockets; an envelope goes to one of them in turn."""

    def __init__(self, app_id: str, changed: Callable[[], None]) -> None:
        self._app_id = app_id
        self._changed = changed
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = itertools.count()
        self.greetings = 0

    @property
    def connected(self) -> bool:
        return bool(self._open)

    @property
    def count(self) -> int:
        return len(self._open)

    def new_url(self, origin: str) -> str:
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return f"{origin.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        self._open.append(socket)
        self.greetings += 1
        try:
            await socket.send_json(self._hello())
            self._changed()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            if socket in self._open:
                self._open.remove(socket)
            self._changed()
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "applink-rehearsal", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }

    def _acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(answer.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload"))

    async def send(self, kind: str, payload: Json, answers: bool, attempt: int, reason: str, *, within: float) -> Any:
        """What the app put into its acknowledgement; TimeoutError when none came."""
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "type": kind,
            "accepts_response_payload": answers,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        waiting = self._waiting[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        try:
            await self._open[next(self._turn) % len(self._open)].send_json(envelope)
            return await asyncio.wait_for(waiting, within)
        except ConnectionError:
            raise TimeoutError from None
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Slack says this every few hours and closes soon after; the app comes back with a new ticket."""
        for socket in list(self._open):
            self._open.remove(socket)
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-rehearsal"}}
            )
            await socket.close()

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.close()
