"""Socket Mode: Slack's requests over a connection that we open, for places without a public address.

The SDK's own client closes the old connection before it opens the new one, and tries a used-up address again for ever.
Here the old connection is read until Slack closes it, and every attempt asks for a new address.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from bot.channels.contract import DeliveryError, Reason
from bot.channels.slack_web import Web

log = logging.getLogger(__name__)

Json = dict[str, Any]
Take = Callable[[Json], Awaitable[Json | None]]
Greeted = Callable[[str], None]

_HEARTBEAT = 10.0
_LONGEST_PAUSE = 30.0
_WITHOUT_HOPE = 300.0
_JITTER = random.SystemRandom()


class Socket:
    """Keeps one connection open. `take` handles a payload and gives what goes into its acknowledgement."""

    def __init__(self, web: Web, session: Callable[[], ClientSession], take: Take, greeted: Greeted) -> None:
        self._web = web
        self._session = session
        self._take = take
        self._greeted = greeted
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
                await self._pause(_WITHOUT_HOPE if error.reason is Reason.UNAUTHORIZED else error.retry_after or 0.0)
            except (ClientError, OSError) as error:
                log.warning("Slack's Socket Mode did not connect: %s", type(error).__name__)
                await self._pause()

    async def _open(self) -> ClientWebSocketResponse:
        self._failures += 1  # forgotten when Slack greets
        url = str((await self._web.call("apps.connections.open")).get("url") or "")
        return await self._session().ws_connect(url, heartbeat=_HEARTBEAT, timeout=ClientWSTimeout(ws_close=2.0))

    async def _pause(self, at_least: float = 0.0) -> None:
        if self._failures:
            pause = min(_LONGEST_PAUSE, 0.25 * 2 ** min(self._failures, 10)) * _JITTER.uniform(0.5, 1.0)
            await asyncio.sleep(max(at_least, pause))

    async def _listen(self, socket: ClientWebSocketResponse, over: asyncio.Event, group: asyncio.TaskGroup) -> None:
        """Reads until Slack closes, also after it has asked for another connection."""
        try:
            async for message in socket:
                envelope = _envelope(message.data) if message.type is WSMsgType.TEXT else {}
                match envelope.get("type"):
                    case "hello":
                        self._failures = 0
                        self._greeted(str((envelope.get("connection_info") or {}).get("app_id") or ""))
                    case "disconnect":
                        self._leave(envelope)
                        over.set()
                    case _ if envelope.get("envelope_id"):
                        group.create_task(self._acknowledge(socket, envelope))
        finally:
            if not over.is_set():
                self._failures += 1
            over.set()
            await socket.close()

    def _leave(self, envelope: Mapping[str, Any]) -> None:
        if envelope.get("reason") == "link_disabled":
            log.error("Socket Mode was switched off in the app's settings; switch it on or take SLACK_APP_TOKEN away")
            self._failures += 8

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
