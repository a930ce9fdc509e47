"""Socket Mode: Slack's requests over a connection that we open, for places without a public address.

The SDK's own client closes the old connection before it opens the new one, and tries a used-up address again for ever.
Here the old connection is read until Slack closes it, and every attempt asks for a new address.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from bot.channels.contract import DeliveryError, Reason
from bot.channels.slack_web import Web

log = logging.getLogger(__name__)

Json = dict[str, Any]
Take = Callable[[Json], Awaitable[Json | None]]
Greeted = Callable[[str], None]

# Why Slack sends a connection away for good, and what is to be done about it. Its other reasons only ask for a new one.
_UNWELCOME: Mapping[str, str] = {
    "link_disabled": "Socket Mode was switched off in the app's settings; switch it on or take SLACK_APP_TOKEN away",
    "too_many_websockets": "Slack takes ten connections of an app; does another installation use this SLACK_APP_TOKEN?",
}
_MANY = 8  # failures, after which the pause is the longest
_JITTER = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds. A connection that ends before it has `settled` counts as a failed one, so that no loop can be quick.

    `heartbeat` is how often a connection has to prove that it still lives; `without_hope` is for a refused token.
    """

    heartbeat: float = 10.0
    settled: float = 10.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    without_hope: float = 300.0


PATIENCE = Patience()


class Socket:
    """Keeps one connection open. `take` handles a payload and gives what goes into its acknowledgement."""

    def __init__(
        self,
        web: Web,
        session: Callable[[], ClientSession],
        take: Take,
        greeted: Greeted,
        patience: Patience = PATIENCE,
    ) -> None:
        self._web = web
        self._session = session
        self._take = take
        self._greeted = greeted
        self._patience = patience
        self._failures = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                socket = await self._connect()
                over = asyncio.Event()
                group.create_task(self._listen(socket, over, group))
                await over.wait()
                await self._pause()

    async def _connect(self) -> ClientWebSocketResponse:
        while True:
            try:
                return await self._open()
            except DeliveryError as error:
                log.warning("Slack's Socket Mode is not reachable: %s", error.detail)
                hopeless = error.reason is Reason.UNAUTHORIZED
                await self._pause(self._patience.without_hope if hopeless else error.retry_after or 0.0)
            except (ClientError, OSError) as error:
                log.warning("Slack's Socket Mode did not connect: %s", type(error).__name__)
                await self._pause()

    async def _open(self) -> ClientWebSocketResponse:
        self._failures += 1  # forgotten when the connection lasts
        url = str((await self._web.call("apps.connections.open")).get("url") or "")
        heartbeat = self._patience.heartbeat
        return await self._session().ws_connect(url, heartbeat=heartbeat, timeout=ClientWSTimeout(ws_close=2.0))

    async def _pause(self, at_least: float = 0.0) -> None:
        if self._failures:
            doubled = self._patience.first_pause * 2 ** min(self._failures - 1, _MANY)
            pause = min(self._patience.longest_pause, doubled) * _JITTER.uniform(0.5, 1.0)
            await asyncio.sleep(max(at_least, pause))

    async def _listen(self, socket: ClientWebSocketResponse, over: asyncio.Event, group: asyncio.TaskGroup) -> None:
        """Reads until Slack closes, also after it has asked for another connection."""
        began = _seconds()
        try:
            async for message in socket:
                envelope = _envelope(message.data) if message.type is WSMsgType.TEXT else {}
                match envelope.get("type"):
                    case "hello":
                        self._greeted(_app_in(envelope))
                    case "disconnect" if not over.is_set():
                        self._leave(str(envelope.get("reason")), began)
                        over.set()
                    case _ if envelope.get("envelope_id"):
                        group.create_task(self._acknowledge(socket, envelope))
        finally:
            if not over.is_set():
                self._ended(began, lost=True)
            over.set()
            await socket.close()

    def _leave(self, reason: str, began: float) -> None:
        self._ended(began, lost=False)
        if reason in _UNWELCOME:
            log.error("%s", _UNWELCOME[reason])
            self._failures += _MANY

    def _ended(self, began: float, *, lost: bool) -> None:
        if _seconds() - began >= self._patience.settled:
            self._failures = int(lost)

    async def _acknowledge(self, socket: ClientWebSocketResponse, envelope: Json) -> None:
        """What stays unacknowledged, Slack sends again on the next connection."""
        try:
            answer = await self._take(envelope)
            await socket.send_json({"envelope_id": envelope["envelope_id"], **({"payload": answer} if answer else {})})
        except (ClientError, OSError) as error:
            log.info("an acknowledgement did not reach Slack: %s", type(error).__name__)
        except Exception:
            log.exception("a request from Slack failed")


def _envelope(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _app_in(greeting: Mapping[str, Any]) -> str:
    about = greeting.get("connection_info")
    return str(about.get("app_id") or "") if isinstance(about, dict) else ""


def _seconds() -> float:
    return asyncio.get_running_loop().time()
