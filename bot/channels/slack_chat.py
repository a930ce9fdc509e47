"""Talking with one person in Slack: answers in the place where that person wrote, and a sign that one is coming."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.channels.contract import DeliveryError, Person, Reason
from bot.channels.slack_errors import failed, unreachable
from bot.channels.slack_web import Web
from renderers.markdown import parse
from renderers.mrkdwn import sections

_SECTIONS = 4  # all blocks of one message together take about 13,200 characters
_MARKUP = re.compile(r"<([^<>\n]+)>")
_STATUS = "is thinking…"
STATUS_SECONDS = 90.0  # Slack takes a status away after two minutes
_PLACEHOLDER_AFTER = 1.5
_TRIES = 3
_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_PASSING = frozenset({Reason.RATE_LIMITED, Reason.UNAVAILABLE, Reason.TIMED_OUT})

T = TypeVar("T")
Where = dict[str, str]  # the channel and ts of a message, as Slack named them: a person's id is no place to change one


def pieces(markdown: str) -> Iterator[dict[str, Any]]:
    """An answer as the messages that it takes."""
    texts = sections(parse(markdown))
    for start in range(0, len(texts), _SECTIONS):
        few = texts[start : start + _SECTIONS]
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in few]
        yield {"text": few[0], "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def heard(text: str, bot: str = "") -> str:
    """What a person wrote, without Slack's markup: a mention of the bot is gone, links and names are as they look."""
    return html.unescape(_MARKUP.sub(lambda found: "" if found[1] == f"@{bot}" else _shown(found[1]), text)).strip()


def _shown(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith(("@", "#", "!")):
        return f"{target[0]}{label or target[1:]}".replace("!", "@", 1)
    return label if label and label in target else target


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Waits where Slack is asked too much: nobody else would say an answer once more."""
    for _ in range(_TRIES - 1):
        try:
            return await call()
        except DeliveryError as error:
            if error.reason is not Reason.RATE_LIMITED:
                raise
            await asyncio.sleep(min(error.retry_after or _PAUSE, _LONGEST_PAUSE))
    return await call()


@dataclass(slots=True)
class RoomChat:
    """A direct message, or a channel where the bot was mentioned. `message` is what the person wrote.

    A status is shown again after `status_seconds`, for as long as the answer is being prepared.
    """

    person: Person
    web: Web
    place: str
    message: str
    thread: str = ""
    status_seconds: float = STATUS_SECONDS
    _placeholder: "asyncio.Task[Where] | None" = field(default=None, init=False)
    _has_status: bool = field(default=False, init=False)

    async def say(self, markdown: str) -> None:
        for piece in pieces(markdown):
            if not await self._put_in_place(piece):
                await _patiently(partial(self._post, piece))

    async def _post(self, piece: dict[str, Any]) -> Where:
        where = {"thread_ts": self.thread} if self.thread else {}
        posted = await self.web.call("chat.postMessage", channel=self.place, **where, **piece)
        return {name: str(posted.get(name) or "") for name in ("channel", "ts")}

    async def _put_in_place(self, piece: dict[str, Any]) -> bool:
        where = await self._take_placeholder()
        if not where:
            return False
        try:
            await _patiently(partial(self.web.call, "chat.update", **where, **piece))
        except DeliveryError as error:
            if error.reason is Reason.GONE:
                return False
            raise
        return True

    async def _take_placeholder(self) -> Where | None:
        posting, self._placeholder = self._placeholder, None
        try:
            return await posting if posting else None
        except DeliveryError:
            return None

    def typing(self) -> AbstractAsyncContextManager[None]:
        return self._typing()

    @asynccontextmanager
    async def _typing(self) -> AsyncIterator[None]:
        showing = asyncio.create_task(self._show())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            await self._hide()

    async def _show(self) -> None:
        self._has_status = True  # from now on: a call that is given up may have set it
        try:
            while True:
                await self._status(_STATUS)
                await asyncio.sleep(self.status_seconds)
        except DeliveryError as error:
            if error.reason in _PASSING:
                return
        self._has_status = False
        # The app may set no status: a quick answer needs no sign, a slow one gets a message that it will replace.
        await asyncio.sleep(_PLACEHOLDER_AFTER)
        self._placeholder = asyncio.create_task(self._post({"text": "…"}))

    async def _hide(self) -> None:
        where = await self._take_placeholder()
        try:
            if where:
                await self.web.call("chat.delete", **where)
            if self._has_status:
                self._has_status = False
                await self._status("")
        except DeliveryError:
            return  # Slack takes a status away by itself

    async def _status(self, words: str) -> None:
        thread = self.thread or self.message
        await self.web.call("assistant.threads.setStatus", channel_id=self.place, thread_ts=thread, status=words)


@dataclass(frozen=True, slots=True)
class CommandChat:
    """A slash command: only the person who typed it sees the answers."""

    person: Person
    session: ClientSession
    response_url: str

    async def say(self, markdown: str) -> None:
        for piece in pieces(markdown):
            await self._respond({"response_type": "ephemeral", **piece})

    async def _respond(self, body: dict[str, Any]) -> None:
        try:
            async with self.session.post(
                self.response_url, json=body, allow_redirects=False, timeout=ClientTimeout(total=10)
            ) as reply:
                if reply.status != 200:
                    raise failed("response_url", reply.status, None)
        except (ClientError, OSError) as error:
            raise unreachable("response_url", error) from None

    def typing(self) -> AbstractAsyncContextManager[None]:
        return self._typing()

    @asynccontextmanager
    async def _typing(self) -> AsyncIterator[None]:
        """Slack shows its own sign while a command is being answered."""
        yield
