"""Slack: cards as messages to a person or a room, and the way back in over HTTP or Socket Mode."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

from aiohttp import web

from bot.channels.contract import (
    Check,
    DeliveryError,
    Edge,
    Field,
    Post,
    Rate,
    Reader,
    ReaderKind,
    Reason,
    Receipt,
)
from bot.channels.slack_fields import API_URL, FIELDS
from interactions.card import Card

if TYPE_CHECKING:
    from bot.channels.slack_inbound import Inbound
    from bot.channels.slack_people import Workspace
    from bot.channels.slack_web import Web
    from bot.channels.way_in import WayIn
    from renderers.block_kit import SlackMessage

log = logging.getLogger(__name__)

# Where Slack takes no message, it may take a short one that leads to the whole.
_INSTEAD: Mapping[Reason, str] = {
    Reason.TOO_LARGE: "This is too large for Slack.",
    Reason.INVALID: "Slack does not take this as it is.",
}


@dataclass(slots=True)
class Slack:
    """Needs the bot token to send; clicks come in with the signing secret, the app-level token, or both."""

    name: ClassVar[str] = "slack"
    title: ClassVar[str] = "Slack"
    account: ClassVar[str] = "a member ID, such as U012AB3CDEF"
    rates: ClassVar[tuple[Rate, ...]] = (Rate(4, 4.0),)  # one a second and place, with short bursts
    fields: ClassVar[tuple[Field, ...]] = FIELDS

    settings: Mapping[str, str]
    edge: Edge
    _api: "Web | None" = field(default=None, init=False)
    _people: "Workspace | None" = field(default=None, init=False)
    _way_in: "Inbound | None" = field(default=None, init=False)
    _noted: "WayIn | None" = field(default=None, init=False)
    _expects: bool = field(default=False, init=False)

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        return cls(settings, edge)

    def missing(self) -> tuple[str, ...]:
        return () if self._setting("SLACK_BOT_TOKEN") else ("SLACK_BOT_TOKEN",)

    # ---- out ---------------------------------------------------------------------------------------------------------

    async def send(self, reader: Reader, post: Post) -> Receipt:
        """As a direct message, or into a room; posts of one thread stand in one thread."""
        if self.missing():
            raise DeliveryError(Reason.NOT_SET_UP, "SLACK_BOT_TOKEN is empty")
        target = await self._target(reader, post)
        try:
            answer = await self._post(target, post.placed(own=_is_own(reader, target)))
            # Afterwards, so that nobody who is there waits for it.
            if reader.kind is ReaderKind.OPERATOR and not await self.people.is_there(target):
                raise DeliveryError(Reason.REFUSED, "users.info: this member was deactivated")
        except DeliveryError as error:
            if reader.kind is ReaderKind.OPERATOR and error.reason in {Reason.NO_ADDRESS, Reason.REFUSED}:
                await self.people.forget_address(reader.email)
            raise
        place, message = str(answer.get("channel") or ""), str(answer.get("ts") or "")
        if not place or not message:
            raise DeliveryError(Reason.UNCLEAR, "chat.postMessage: Slack did not say where the message is")
        if post.card.choices:
            self._expect_answers()
        if not self.people.app:
            await self.people.pin_app(str((answer.get("message") or {}).get("app_id") or ""))
        return Receipt(self.name, place, message)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        """In place. Everything is replaced: text, blocks, and the attachment with the colour."""
        if self.missing():
            raise DeliveryError(Reason.NOT_SET_UP, "SLACK_BOT_TOKEN is empty")
        where = {"channel": receipt.place, "ts": receipt.message}
        await self._fitting("chat.update", where, post.placed(own=_is_own(reader, receipt.place)))
        return receipt

    async def account_of(self, written: str) -> str:
        """With the workspace: two of them may give the same id to different people."""
        found = re.fullmatch(r"(?:([TE][A-Z0-9]{1,40}):)?([UW][A-Z0-9]{1,40})", written)
        if found is None:
            raise ValueError(f"Slack knows people by {self.account}: a profile's menu copies it")
        if found[1]:
            return written
        try:
            team = "" if self.missing() else (await self.people.home()).team
        except DeliveryError:
            team = ""
        if not team:
            raise ValueError(f"Slack cannot be asked which workspace that is; write it too, as in T012AB3CD:{written}")
        return f"{team}:{written}"

    async def _target(self, reader: Reader, post: Post) -> str:
        """An address may have passed to another person since it was looked up, who must not sign in as the first."""
        match reader.kind:
            case ReaderKind.ROOM:
                place = reader.place or self._setting("SLACK_CHANNEL")
                if not place:
                    raise DeliveryError(Reason.NOT_SET_UP, "SLACK_CHANNEL is empty")
                return place
            case ReaderKind.OPERATOR if known := reader.identities.get(self.name):
                return known.rpartition(":")[2]  # as team:user
            case ReaderKind.OPERATOR if reader.email:
                return await self.people.address(reader.email, fresh=post.signs_in)
        raise DeliveryError(Reason.NO_ADDRESS, f"nothing is known of {reader.name or reader.id} in Slack")

    async def _post(self, target: str, post: Post) -> Mapping[str, Any]:
        """A person's id serves as the place of their direct message, which spares conversations.open and its scope."""
        key = f"slack:thread:{target}:{post.thread}"
        thread = await self.edge.memory.get(key) if post.thread else None
        if thread:
            try:
                # A question has to be seen by people who do not follow the thread.
                shown = {"reply_broadcast": True} if post.card.choices else {}
                return await self._fitting("chat.postMessage", {"channel": target, "thread_ts": thread, **shown}, post)
            except DeliveryError as error:
                if error.reason is not Reason.GONE:
                    raise
        answer = await self._fitting("chat.postMessage", {"channel": target}, post)
        if post.thread and answer.get("ts"):
            await self.edge.memory.put(key, str(answer["ts"]))
        return answer

    async def _fitting(self, method: str, where: Mapping[str, Any], post: Post) -> Mapping[str, Any]:
        """What Slack finds too large or wrong goes out once more as a note with a link to the whole."""
        try:
            return await self._put(method, where, _render(post))
        except DeliveryError as error:
            if error.reason not in _INSTEAD:
                raise
            log.warning("a card becomes a note with a link: %s", error.detail)
            note = _short(post, _INSTEAD[error.reason])
        return await self._put(method, where, _render(note))

    async def _put(self, method: str, where: Mapping[str, Any], message: "SlackMessage") -> Mapping[str, Any]:
        quiet = {"unfurl_links": False, "unfurl_media": False} if method == "chat.postMessage" else {}
        return await self.api.call(method, **where, **message.body, **quiet)

    async def _show(self, place: str, message: str, card: Card) -> None:
        """Brings a message that was just clicked up to date."""
        await self._fitting("chat.update", {"channel": place, "ts": message}, Post("", 0, card))

    # ---- in ----------------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[web.RouteDef]:
        """Without a signing secret nobody could be told from Slack, so there is no address then."""
        return (web.post("/slack/events", self._over_http),) if self._setting("SLACK_SIGNING_SECRET") else ()

    async def _over_http(self, request: web.Request) -> web.Response:
        return await (await self._inbound()).http(request)

    async def run(self) -> None:
        """Learns the workspace before the first click; then keeps the socket open, where there is one."""
        if self.missing():
            return
        try:
            await self.people.home()
        except DeliveryError as error:
            log.warning("Slack does not say whose workspace this is yet: %s", error.detail)
        if not (token := self._setting("SLACK_APP_TOKEN")):
            return
        from bot.channels.slack_socket import Socket

        await Socket(self._web(token), self.edge.http, self._over_socket, self._greeted).run()

    async def _over_socket(self, envelope: dict[str, Any]) -> dict[str, Any] | None:
        return await (await self._inbound()).take(envelope)

    def _greeted(self, app: str) -> None:
        self.way_in.took()
        self.edge.spawn(self.people.pin_app(app))

    def _expect_answers(self) -> None:
        """Where a question went out, a click will come, and finds bolt ready. Until then it takes no memory."""
        if not self._expects:
            self._expects = True
            self.edge.spawn(self._load_inbound())

    async def _load_inbound(self) -> None:
        await self._inbound()

    async def _inbound(self) -> "Inbound":
        """bolt takes half a second to import, so a thread does it.

        What sending imports too is there before: of modules that import each other, two threads may see halves.
        """
        if self._way_in is None:
            import_module("renderers.block_kit")
            await asyncio.to_thread(import_module, "bot.channels.slack_inbound")
        if self._way_in is None:
            from bot.channels.slack_inbound import Inbound

            self._way_in = Inbound(
                self.people,
                self.api,
                self.edge,
                self._show,
                self.way_in,
                secret=self._setting("SLACK_SIGNING_SECRET"),
                api_url=self._setting("SLACK_API_URL") or API_URL,
            )
        return self._way_in

    # ---- the doctor --------------------------------------------------------------------------------------------------

    async def check(self) -> Sequence[Check]:
        from bot.channels.slack_check import checks

        token = self._setting("SLACK_APP_TOKEN")
        listening = self._web(token) if token else None
        return await checks(self.settings, self.api, listening)

    def when_silent(self) -> str:
        from bot.channels.slack_check import when_silent

        return when_silent(self.edge.base_url, socket=bool(self._setting("SLACK_APP_TOKEN")))

    # ---- what is made when it is needed ------------------------------------------------------------------------------

    @property
    def api(self) -> "Web":
        if self._api is None:
            self._api = self._web(self._setting("SLACK_BOT_TOKEN"))
        return self._api

    @property
    def way_in(self) -> "WayIn":
        if self._noted is None:
            from bot.channels.way_in import WayIn

            self._noted = WayIn(self.edge)
        return self._noted

    @property
    def people(self) -> "Workspace":
        if self._people is None:
            from bot.channels.slack_people import Workspace

            self._people = Workspace(self.api, self.edge.memory, self.edge.now)
        return self._people

    def _web(self, token: str) -> "Web":
        from bot.channels.slack_web import Web

        return Web(token, self._setting("SLACK_API_URL") or API_URL, self.edge.http, self.edge.now)

    def _setting(self, name: str) -> str:
        return self.settings.get(name, "")


def _is_own(reader: Reader, place: str) -> bool:
    """A person's direct message with the bot, named by the person (U, W) or as a conversation (D)."""
    return reader.kind is ReaderKind.OPERATOR and place.startswith(("U", "W", "D"))


def _render(post: Post) -> "SlackMessage":
    from renderers import block_kit

    return block_kit.render(post.card, post.token, post.page)


def _short(post: Post, why: str) -> Post:
    """Only the title, how it stands, and the way to the whole; nothing can be approved that was not shown."""
    card = replace(post.card, text=why, facts=(), payload=None, choices=(), inputs=(), link=post.page)
    return replace(post, card=card)
