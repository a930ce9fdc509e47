"""The bot in its tenant: what the ways out and in share, and where a reader is found."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from bot.channels.contract import DeliveryError, Edge, Reader, ReaderKind, Reason
from bot.channels.teams_connector import Connector
from bot.channels.teams_conversations import (
    Conversations,
    Home,
    Member,
    Place,
    PlaceKind,
    kind_of,
    member_of,
    without_thread,
)
from bot.channels.teams_settings import TeamsSettings
from bot.channels.teams_token import BotToken

_ROSTER_SECONDS = 120.0
_KNOCK_SECONDS = 3600.0
_NOT_THERE = frozenset({Reason.REFUSED, Reason.GONE, Reason.INVALID})
_TOLD_FOR = timedelta(minutes=5)
_MOST_TOLD = 5000


class Told:
    """What rosters said in the last five minutes, by object id."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._said: dict[str, tuple[datetime, Member]] = {}

    def keep(self, member: Member) -> None:
        if len(self._said) >= _MOST_TOLD:
            self._said.clear()
        self._said[member.subject] = (self._now(), member)

    def lately(self, subject: str) -> Member | None:
        at, member = self._said.get(subject, (None, None))
        return member if at is not None and self._now() - at < _TOLD_FOR else None


@dataclass(frozen=True, slots=True)
class Presence:
    settings: TeamsSettings
    edge: Edge
    token: BotToken
    connector: Connector
    conversations: Conversations
    home: Home
    told: Told
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @classmethod
    def of(cls, settings: TeamsSettings, edge: Edge) -> Self:
        token = BotToken(edge.http, settings)
        conversations = Conversations(edge.memory)
        return cls(
            settings,
            edge,
            token,
            Connector(edge.http, token, settings, edge.now),
            conversations,
            Home(conversations, settings, edge.remember),
            Told(edge.now),
        )

    # ---- where a reader is -------------------------------------------------------------------------------------------

    async def address(self, reader: Reader, *, fresh: bool = False) -> Place:
        """Where the reader is, by the address as it is remembered or, `fresh`, is now. Raises DeliveryError."""
        match reader.kind:
            case ReaderKind.OPERATOR:
                return await self._person(reader, fresh)
            case ReaderKind.ROOM:
                return await self._room(reader.place or await self.home.conversation())
            case ReaderKind.CALLER:
                raise DeliveryError(Reason.NO_ADDRESS, "a caller is not in Teams")

    async def is_own(self, reader: Reader, place: Place) -> bool:
        """Whether nobody but this reader sees what stands there; where that is not known, it is not so."""
        if reader.kind is not ReaderKind.OPERATOR or place.is_room or not place.owner:
            return False
        member = await self._known(reader)
        return member is not None and member.subject == place.owner

    async def chat_with(self, subject: str) -> Place:
        """The person's own chat with the bot, begun if need be. Raises DeliveryError."""
        member = await self.conversations.member(subject)
        if member is None:
            raise DeliveryError(Reason.NO_ADDRESS, "this person is in no team or chat that the app was added to")
        return await self._chat(member)

    async def _person(self, reader: Reader, fresh: bool) -> Place:
        """A person's own chat. For whom the bot has never met there is the room, but never somebody's personal chat."""
        member = await self._find(reader)
        if member is None:
            return await self._room_of_strangers(reader)
        chat = await self._chat(member)
        by_id = member.subject == reader.identities.get("teams", "").lower()
        if not fresh or by_id or await self._has_still(member, chat, reader.email):
            return chat
        await self.conversations.forget_mail(reader.email, member.subject)
        member = await self._find(reader)
        return await self._chat(member) if member else await self._room_of_strangers(reader)

    async def _has_still(self, member: Member, chat: Place, email: str) -> bool:
        """Whether Teams says now, too, that the address is theirs. That is all that their chat's roster can tell."""
        await self._may_ask(chat)
        try:
            entry = await self.connector.member(chat.service_url, chat.id, member.id or member.subject)
        except DeliveryError as error:
            await self.failed(chat.id, error)
            if error.reason in _NOT_THERE:
                return False
            raise
        now = member_of(entry, self.settings.tenant, chat.service_url)
        if now is not None:
            await self.learn(now)
        return now is not None and now.subject == member.subject and now.email.casefold() == email.strip().casefold()

    async def _find(self, reader: Reader) -> Member | None:
        found = await self._known(reader)
        if found:
            return found
        async with self._looking:  # whoever comes second waits for what the first one reads
            found = await self._known(reader)
            if found is None and await self._read_rosters():
                found = await self._known(reader)
        return found

    async def _known(self, reader: Reader) -> Member | None:
        subject = reader.identities.get("teams", "")
        return await self.conversations.member(subject) or await self.conversations.by_mail(reader.email)

    async def _chat(self, member: Member) -> Place:
        if member.removed:
            raise DeliveryError(Reason.NO_ADDRESS, f"{member.name or 'this person'} has removed the app from Teams")
        if member.chat:
            return await self._room(member.chat)
        if not member.id:
            raise DeliveryError(Reason.NO_ADDRESS, f"Teams has not told how to reach {member.name or 'this person'}")
        place = await self._begin_chat(member)
        await self.conversations.keep(place)
        return place

    async def _begin_chat(self, member: Member) -> Place:
        service_url = member.service_url or self.home.service_url
        try:
            chat = await self.connector.create_chat(service_url, member.id)
        except DeliveryError as error:
            if error.reason not in _NOT_THERE:
                raise
            raise DeliveryError(Reason.NO_ADDRESS, f"no chat could be begun: {error.detail}") from None
        return Place(chat, PlaceKind.PERSONAL, service_url, owner=member.subject)

    async def _room(self, conversation: str) -> Place:
        if not conversation:
            raise DeliveryError(Reason.NO_ADDRESS, "the app was not added to a team or chat yet")
        place = await self.conversations.place(conversation)
        if place is None:
            return Place(conversation, kind_of(conversation), self.home.service_url)
        if place.removed:
            raise DeliveryError(Reason.REFUSED, "the bot was removed from there; add the app again")
        if place.refused and not await self._may_knock(conversation):
            raise DeliveryError(Reason.REFUSED, "Teams takes no messages of the bot there; it is tried once an hour")
        return place

    async def _room_of_strangers(self, reader: Reader) -> Place:
        home = await self.home.conversation()
        place = await self.conversations.place(home) if home else None
        kind = place.kind if place else kind_of(home)
        if not home or kind is PlaceKind.PERSONAL:
            raise DeliveryError(
                Reason.NO_ADDRESS, f"{reader.name or 'this person'} is in no team or chat that the app was added to"
            )
        return await self._room(home)

    # ---- what is learnt on the way -----------------------------------------------------------------------------------

    async def welcome(self, place: Place) -> None:
        await self.conversations.keep(place)
        await self.home.welcome(place)

    async def farewell(self, conversation: str, team: str = "") -> None:
        await self.conversations.lose(conversation)
        await self.conversations.lose_team(team)
        await self.home.farewell()

    async def restored(self, conversation: str, team: str) -> None:
        """A deleted channel is there again, or with its team all that the bot knew of it."""
        for place in await self.conversations.of_team(team):
            if place.removed and conversation in {"", place.id}:
                await self.welcome(replace(place, removed=False, refused=False))

    async def taken(self, place: Place) -> None:
        """A message arrived: whatever was refused before is so no more."""
        if place.refused:
            await self.conversations.keep(replace(place, refused=False))

    async def failed(self, conversation: str, error: DeliveryError) -> None:
        """Where the bot is blocked it does not knock with every message; a chat that is gone is begun anew."""
        match error.reason:
            case Reason.REFUSED:
                await self.conversations.refused(without_thread(conversation))
                await self._may_knock(without_thread(conversation))
            case Reason.GONE:
                await self.conversations.forget_chat(conversation)

    async def _may_knock(self, conversation: str) -> bool:
        """Once an hour; asking counts."""
        return await self.edge.once(f"knock:{conversation}", _KNOCK_SECONDS)

    async def learn(self, member: Member) -> Member:
        """What a roster has just said."""
        learnt = await self.conversations.learn(member)
        self.told.keep(member)
        return learnt

    async def learn_roster(self, place: Place) -> None:
        """Raises DeliveryError."""
        async for entry in self.connector.members(place.service_url, place.roster):
            member = member_of(entry, self.settings.tenant, place.service_url)
            if member is not None:
                await self.learn(member)

    async def _read_rosters(self) -> bool:
        """Asks the rosters that may know of somebody whom we do not know yet; each at most every two minutes."""
        read = False
        for place in await self.conversations.places():
            if await self._may_tell(place) and await self._may_ask(place):
                try:
                    await self.learn_roster(place)
                except DeliveryError:
                    continue  # the send that follows says what is wrong, if it concerns this reader
                read = True
        return read

    async def _may_ask(self, place: Place) -> bool:
        """Once in two minutes; asking counts."""
        return await self.edge.once(f"roster:{place.roster}", _ROSTER_SECONDS)

    async def _may_tell(self, place: Place) -> bool:
        """A team or a group always; a personal chat, while its owner's address is not known."""
        owner = await self.conversations.member(place.owner)
        return place.is_room or owner is None or not owner.email
