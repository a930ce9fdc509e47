"""What Slack sends to an app: signed requests over HTTP, or envelopes when a socket is connected."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from bot.rehearsal.delivery import Delivery, Sender, since
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_socket import Sockets
from bot.rehearsal.slack_state import SlackState

RETRY_AFTER = (0.0, 60.0, 300.0)
FORM = "application/x-www-form-urlencoded"


class SlackPush:
    """Chooses socket or HTTP, signs, times the answer, and tries events again as Slack does."""

    def __init__(
        self, state: SlackState, sockets: Sockets, later: Callable[..., None], changed: Callable[[], None]
    ) -> None:
        self.state = state
        self.sockets = sockets
        self.events_url: str | None = None
        self.retry_after: tuple[float, ...] = RETRY_AFTER
        self.deliveries: list[Delivery] = []
        self._later = later
        self._changed = changed
        self._sender = Sender(state.patience)

    async def close(self) -> None:
        await self._sender.close()

    def sign(self, body: bytes, timestamp: str, secret: str | None = None) -> str:
        key = (secret or self.state.app.signing_secret).encode()
        return "v0=" + hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()

    async def deliver(
        self,
        body: bytes,
        headers: Mapping[str, str | None] | None = None,
        *,
        content_type: str = "application/json",
        secret: str | None = None,
        timestamp: float | None = None,
        kind: str = "raw",
    ) -> Delivery:
        """Posts exactly these bytes; `headers` replace the right ones, None leaves one out."""
        at = str(int(self.state.clock() if timestamp is None else timestamp))
        right: dict[str, str | None] = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": self.sign(body, at, secret),
        }
        chosen = {name: value for name, value in {**right, **(headers or {})}.items() if value is not None}
        return self._kept(await self._sender.post(self.events_url, body, chosen, kind))

    async def interaction(self, payload: Json) -> Delivery:
        """A click, a submitted or a closed view."""
        if self.sockets.connected:
            return await self._over_socket("interactive", payload, answers=True)
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return await self.deliver(body, content_type=FORM, kind=payload["type"])

    async def command(self, form: Mapping[str, str]) -> Delivery:
        if self.sockets.connected:
            return await self._over_socket("slash_commands", dict(form), answers=True)
        return await self.deliver(urlencode(form).encode(), content_type=FORM, kind="slash_command")

    async def event(self, envelope: Json) -> Delivery:
        """The first attempt's outcome; further ones follow in the background."""
        first = await self._try_event(envelope, 0, "")
        if self._wants_retry(first):
            self._later(self._retry(envelope, first))
        return first

    async def _retry(self, envelope: Json, last: Delivery) -> None:
        for attempt, pause in enumerate(self.retry_after, 1):
            await asyncio.sleep(pause)
            last = await self._try_event(envelope, attempt, _reason(last))
            if not self._wants_retry(last):
                return

    async def _try_event(self, envelope: Json, attempt: int, reason: str) -> Delivery:
        if self.sockets.connected:
            return await self._over_socket("events_api", envelope, attempt=attempt, reason=reason)
        extra = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        return await self.deliver(json.dumps(envelope).encode(), extra, kind=envelope["type"])

    def _wants_retry(self, delivery: Delivery) -> bool:
        return not delivery.acknowledged and delivery.headers.get("X-Slack-No-Retry") != "1"

    async def _over_socket(
        self, kind: str, payload: Json, *, answers: bool = False, attempt: int = 0, reason: str = ""
    ) -> Delivery:
        started = time.perf_counter()
        try:
            answer = await self.sockets.send(kind, payload, answers, attempt, reason, within=self.state.patience)
        except TimeoutError:
            delivery = Delivery(payload.get("type", kind), None, None, since(started), "timeout")
        else:
            delivery = Delivery(payload.get("type", kind), 200, answer, since(started))
        return self._kept(delivery)

    def _kept(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        self._changed()
        return delivery


def _reason(delivery: Delivery) -> str:
    return "http_error" if delivery.status is not None else delivery.reason.partition(":")[0]
