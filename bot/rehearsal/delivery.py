"""One request of a platform to the app, and what came of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout


@dataclass(frozen=True, slots=True)
class Delivery:
    """Status None is an app that did not answer in time or at all; `reason` says which."""

    kind: str
    status: int | None
    body: Any
    ack_ms: float
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Posts to the app over one session, made when it is first needed."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._session: ClientSession | None = None

    async def post(self, url: str | None, body: bytes, headers: Mapping[str, str], kind: str) -> Delivery:
        if url is None:
            raise LookupError("the platform does not know the app's address yet")
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=self._patience))
        started = time.perf_counter()
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
                text = await reply.text()
                return Delivery(kind, reply.status, json_or(text), since(started), headers=reply.headers)
        except TimeoutError:
            return Delivery(kind, None, None, since(started), "http_timeout")
        except ClientError as error:
            return Delivery(kind, None, None, since(started), f"connection_failed: {type(error).__name__}")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def json_or(text: str | None) -> Any:
    """The parsed JSON, or the text where it is none."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
