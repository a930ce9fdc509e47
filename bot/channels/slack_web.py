"""Slack's Web API on the shared session: one call, one answer, one kind of error."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import BackoffRetryIntervalCalculator
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels.contract import DeliveryError
from bot.channels.http import retry_after
from bot.channels.slack_errors import failed, unreachable

SECONDS = 10.0
_FIRST_PAUSE = 0.2

# The SDK writes whole requests to its logger when that has no level of its own, and pays for it with every call.
QUIET = logging.getLogger("gatebell.slack.sdk")
QUIET.setLevel(logging.WARNING)


# Slack reads JSON in the methods that write; the others want a form, and without one find no arguments.
_JSON = ("chat.", "views.")


def _encoded(method: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {"json" if method.startswith(_JSON) else "data": dict(arguments)}


@dataclass(frozen=True, slots=True)
class Reply:
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class _Client(AsyncWebClient):
    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        """Follows no redirect: what is sent to Slack must not end up at a host that nobody configured."""
        return await super()._request(
            http_verb=http_verb, api_url=api_url, req_args={**req_args, "allow_redirects": False}
        )


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
        self._url = url
        self._session = session
        self._now = now
        self._seconds = seconds
        self._made: AsyncWebClient | None = None

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """The answer of a method with `ok: true`. Raises DeliveryError."""
        return (await self.ask(method, arguments)).body

    async def ask(self, method: str, arguments: Mapping[str, Any]) -> Reply:
        """The same with the answer's headers."""
        try:
            async with asyncio.timeout(self._seconds):
                reply = await self.client().api_call(method, **_encoded(method, arguments))
        except SlackApiError as error:
            raise self._failed(method, error.response) from None
        except (ClientError, OSError) as error:
            raise unreachable(method, error) from None
        except (SlackClientError, ValueError, AttributeError):
            # The SDK takes for granted that an answer is a JSON object in UTF-8.
            raise failed(method, 200, None) from None
        return Reply(reply.data if isinstance(reply.data, dict) else {}, reply.headers)

    def client(self) -> AsyncWebClient:
        """The SDK's client on the session of now."""
        session = self._session()
        if self._made is None or self._made.session is not session:
            pauses = BackoffRetryIntervalCalculator(_FIRST_PAUSE)
            self._made = _Client(
                token=self._token,
                base_url=self._url,
                session=session,
                logger=QUIET,
                retry_handlers=[
                    AsyncConnectionErrorRetryHandler(interval_calculator=pauses),
                    AsyncServerErrorRetryHandler(interval_calculator=pauses),
                ],
            )
        return self._made

    def _failed(self, method: str, response: Any) -> DeliveryError:
        """Where the JSON was broken, the SDK hands out aiohttp's response instead of its own."""
        status = getattr(response, "status_code", None) or getattr(response, "status", 200)
        pause = retry_after(str(response.headers.get("Retry-After", "")), self._now())
        return failed(method, status, getattr(response, "data", None), pause)
