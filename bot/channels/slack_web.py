"""Slack's Web API on the shared session: one call, one answer, one kind of error.

The calls are made here and not by slack_sdk's client, which costs half as much processor again as the request itself.
The SDK still builds and checks the blocks, and bolt reads what Slack sends.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, ClientOSError, ClientSession, ClientTimeout, ServerConnectionError
from pydantic_core import to_json

from bot.channels.http import retry_after
from bot.channels.slack_errors import failed, unreachable

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

SECONDS = 10.0
_PAUSE = 0.2
_SCATTER = random.SystemRandom()
_PASSING = frozenset({500, 503})

# Slack reads JSON in the methods that write; the others want a form, and without one find no arguments.
_JSON = ("chat.", "views.")


@dataclass(frozen=True, slots=True)
class Reply:
    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Whatever came back; `body` is None where it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Web:
    """Calls with one token. A lost connection and a 500 or 503 are tried once more; a rate limit is never slept on."""

    def __init__(
        self,
        token: str,
        url: str,
        session: Callable[[], ClientSession],
        now: Callable[[], datetime],
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._token = token
        self._url = url.rstrip("/")
        self._session = session
        self._now = now
        self._timeout = ClientTimeout(total=seconds, sock_connect=5)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._json_headers = {**self._headers, "Content-Type": "application/json; charset=utf-8"}

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """The answer of a method with `ok: true`. Raises DeliveryError."""
        return (await self.ask(method, arguments)).body

    async def ask(self, method: str, arguments: Mapping[str, Any]) -> Reply:
        """The same with the answer's headers."""
        try:
            heard = await self._heard(method, arguments)
        except (ClientError, OSError) as error:
            raise unreachable(method, error) from None
        if heard.status == 200 and isinstance(heard.body, dict) and heard.body.get("ok") is True:
            return Reply(heard.body, heard.headers)
        pause = retry_after(heard.headers.get("Retry-After", ""), self._now())
        raise failed(method, heard.status, heard.body, pause)

    async def _heard(self, method: str, arguments: Mapping[str, Any]) -> _Heard:
        try:
            heard = await self._once(method, arguments)
        except (ClientOSError, ServerConnectionError):
            heard = None
        if heard is not None and heard.status not in _PASSING:
            return heard
        await asyncio.sleep(_PAUSE * _SCATTER.uniform(1.0, 2.0))
        return await self._once(method, arguments)

    async def _once(self, method: str, arguments: Mapping[str, Any]) -> _Heard:
        """Follows no redirect: what is sent to Slack must not end up at a host that nobody configured."""
        if method.startswith(_JSON):
            data: Any = to_json(arguments)
            headers = self._json_headers
        else:
            data = {name: str(value) for name, value in arguments.items()}
            headers = self._headers
        url = f"{self._url}/{method}"
        call = self._session().post(url, data=data, headers=headers, allow_redirects=False, timeout=self._timeout)
        async with call as response:
            return _Heard(response.status, response.headers, _parsed(await response.read()))

    def client(self) -> "AsyncWebClient":
        """The SDK's client on the session of now, for bolt."""
        from slack_sdk.web.async_client import AsyncWebClient

        return AsyncWebClient(token=self._token, base_url=f"{self._url}/", session=self._session())


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
