"""Microsoft Teams: cards through the owner's own bot, and the way back for clicks and messages."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from aiohttp import web
from pydantic import JsonValue

from bot.channels.contract import Check, DeliveryError, Edge, Field, Post, Rate, Reader, Reason, Receipt
from bot.channels.teams_conversations import Place, PlaceKind, in_thread
from bot.channels.teams_presence import Presence
from bot.channels.teams_settings import FIELDS, TeamsSettings

if TYPE_CHECKING:
    from bot.channels.teams_inbound import Inbound

MESSAGES = "/api/messages"


class Teams:
    name: ClassVar[str] = "teams"
    title: ClassVar[str] = "Microsoft Teams"
    account: ClassVar[str] = "an object ID in Entra, such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    fields: ClassVar[tuple[Field, ...]] = FIELDS
    # Microsoft Teams: Optimize your bot with rate limiting in Teams, per bot per thread.
    rates: ClassVar[tuple[Rate, ...]] = (Rate(7, 1), Rate(8, 2), Rate(60, 30), Rate(1800, 3600))

    def __init__(self, settings: TeamsSettings, edge: Edge) -> None:
        self._presence = Presence.of(settings, edge)
        self._inbound: Inbound | None = None
        self._loading: asyncio.Task[Inbound] | None = None

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        return cls(TeamsSettings.of(settings), edge)

    def missing(self) -> tuple[str, ...]:
        return self._presence.settings.missing

    # ---- out ---------------------------------------------------------------------------------------------------------

    async def send(self, reader: Reader, post: Post) -> Receipt:
        """An address may have passed to another person since it was learnt, who must not sign in as the first."""
        self._be_ready()
        place = await self._presence.address(reader, fresh=post.signs_in)
        post = await self._placed(reader, place, post)
        if place.kind is PlaceKind.CHANNEL and post.thread:
            return await self._send_in_thread(place, post)
        return await self._send(place, post)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        self._be_ready()
        post = await self._placed(reader, await self._presence.conversations.place(receipt.place), post)
        service_url = str(receipt.extra.get("service_url") or self._presence.home.service_url)
        try:
            await self._fitting(post, lambda activity: self._put(service_url, receipt, activity))
        except DeliveryError as error:
            if error.reason is Reason.REFUSED:
                await self._presence.failed(receipt.place, error)
            raise
        return receipt

    async def _placed(self, reader: Reader, place: Place | None, post: Post) -> Post:
        if post.rights is None or place is None:
            return post.placed(own=False)
        return post.placed(own=await self._presence.is_own(reader, place))

    async def _put(self, service_url: str, receipt: Receipt, activity: dict[str, Any]) -> str:
        await self._presence.connector.put(service_url, receipt.place, receipt.message, activity)
        return receipt.message

    async def _send(self, place: Place, post: Post, root: str = "") -> Receipt:
        conversation = in_thread(place.id, root) if root else place.id

        def put_up(activity: dict[str, Any]) -> Coroutine[Any, Any, str]:
            if not place.is_room:
                activity["channelData"] = {"notification": {"alert": True}}
            return self._presence.connector.post(place.service_url, conversation, activity)

        try:
            message = await self._fitting(post, put_up)
        except DeliveryError as error:
            await self._presence.failed(conversation, error)
            raise
        await self._presence.taken(place)
        extra: dict[str, JsonValue] = {"service_url": place.service_url}
        return Receipt(self.name, conversation, message, extra)

    async def _send_in_thread(self, place: Place, post: Post) -> Receipt:
        """A reply to what the thread began with; where that was deleted, the thread begins anew."""
        conversations = self._presence.conversations
        root = await conversations.chain(place.id, post.thread)
        if root:
            try:
                return await self._send(place, post, root)
            except DeliveryError as error:
                if error.reason is not Reason.GONE:
                    raise
        receipt = await self._send(place, post)
        await conversations.begin_chain(place.id, post.thread, receipt.message)
        return receipt

    async def _fitting(self, post: Post, put_up: Callable[[dict[str, Any]], Awaitable[str]]) -> str:
        """The card, or one that only says where the whole can be seen, if Teams finds the first too large."""
        from bot.channels import teams_card

        bot = self._presence.settings.bot
        try:
            return await put_up(teams_card.whole(post, bot))
        except DeliveryError as error:
            if error.reason is not Reason.TOO_LARGE:
                raise
        return await put_up(teams_card.short(post, bot))

    async def account_of(self, written: str) -> str:
        try:
            return str(UUID(written))
        except ValueError:
            raise ValueError(f"Teams knows people by {self.account}: Entra shows it with each user") from None

    def _be_ready(self) -> None:
        if self.missing():
            raise DeliveryError(Reason.NOT_SET_UP, f"{', '.join(self.missing())} missing")

    # ---- in ----------------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[web.RouteDef]:
        """Without an app id, a secret and a tenant nobody could be told from anybody, so there is no such address."""
        return () if self.missing() else (web.post(MESSAGES, self._messages),)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await (await self._get_inbound()).process(request)

    async def _get_inbound(self) -> "Inbound":
        """The bot's libraries are large, so they are loaded beside the loop, and only where Teams is used."""
        if self._inbound is not None:
            return self._inbound
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> "Inbound":
        module = await asyncio.to_thread(import_module, "bot.channels.teams_inbound")
        self._inbound = module.Inbound(self._presence)
        return self._inbound

    async def run(self) -> None:
        """Keeps the token and the connector's keys fresh, so that neither a send nor a click waits for them."""
        if self.missing():
            return
        inbound = await self._get_inbound()
        async with asyncio.TaskGroup() as beside:
            beside.create_task(self._presence.token.keep())
            beside.create_task(inbound.keys.keep())

    async def check(self) -> Sequence[Check]:
        from bot.channels.teams_check import checks

        return await checks(self._presence)

    def when_silent(self) -> str:
        from bot.channels.teams_check import when_silent

        return when_silent(f"{self._presence.edge.base_url}{MESSAGES}")
