"""Where the bot is welcome and whom it has met there: references captured from Teams' own calls, kept in the memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from bot.channels.contract import OF_THREAD, Memory
from bot.channels.teams_settings import ANY_REGION, TeamsSettings

_PLACE, _MEMBER, _MAIL, _FILLINGS = "place:", "member:", "mail:", "fillings"
_MOST_FILLINGS = 50


class PlaceKind(StrEnum):
    PERSONAL = "personal"
    GROUP = "groupChat"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation, and whose it is if it is a personal chat.

    `removed` means that Teams told us that the bot was removed; `refused`, that Teams took a message no more.
    """

    id: str
    kind: PlaceKind
    service_url: str
    owner: str = ""
    team: str = ""
    removed: bool = False
    refused: bool = False

    @property
    def is_room(self) -> bool:
        return self.kind is not PlaceKind.PERSONAL

    @property
    def roster(self) -> str:
        """Whose roster tells who is there: a channel's own one may lack people of its team."""
        return self.team or self.id


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the tenant: `subject` is the Entra object id, `id` what Teams says, `chat` theirs with the bot."""

    subject: str
    id: str = ""
    name: str = ""
    email: str = ""
    chat: str = ""
    service_url: str = ""
    removed: bool = False


class Conversations:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def place(self, conversation: str) -> Place | None:
        return _place(await self._memory.get(_PLACE + conversation))

    async def places(self) -> tuple[Place, ...]:
        """Where the bot is welcome now, rooms first."""
        here = [place for place in await self._every_place() if not (place.removed or place.refused)]
        return tuple(sorted(here, key=lambda place: not place.is_room))

    async def of_team(self, team: str) -> tuple[Place, ...]:
        return tuple(place for place in await self._every_place() if team and place.team == team)

    async def _every_place(self) -> list[Place]:
        found = [_place(value) for value in (await self._memory.all(_PLACE)).values()]
        return [place for place in found if place is not None]

    async def keep(self, place: Place) -> None:
        """The bot is welcome here, as something that happened there shows."""
        if await self.place(place.id) != place:
            await self._put_place(place)
        known = await self.member(place.owner) or Member(place.owner)
        here = replace(known, chat=place.id, service_url=place.service_url, removed=False)
        if place.owner and here != known:
            await self._put_member(here)

    async def refused(self, conversation: str) -> None:
        place = await self.place(conversation)
        if place is not None and not place.refused:
            await self._put_place(replace(place, refused=True))

    async def lose(self, conversation: str) -> None:
        """The bot was removed from here. A mark stays, so that the person is not written to in another way instead."""
        place = await self.place(conversation)
        if place is None:
            return
        await self._put_place(replace(place, removed=True))
        await self._without_chat(place, removed=True)

    async def lose_team(self, team: str) -> None:
        for place in await self.of_team(team):
            await self.lose(place.id)

    async def forget_chat(self, conversation: str) -> None:
        """A person's chat is no longer there; the next message begins another."""
        place = await self.place(conversation)
        if place is not None and not place.is_room:
            await self._memory.forget(_PLACE + conversation)
            await self._without_chat(place, removed=False)

    async def _without_chat(self, place: Place, *, removed: bool) -> None:
        owner = await self.member(place.owner) if place.owner else None
        if owner is not None and owner.chat == place.id:
            await self._put_member(replace(owner, chat="", removed=removed))

    async def member(self, subject: str) -> Member | None:
        return _member(await self._memory.get(_MEMBER + subject.lower())) if subject else None

    async def by_mail(self, email: str) -> Member | None:
        """Whoever was last met with this address; nobody, if they have been met with another one since."""
        address = email.strip().casefold()
        subject = await self._memory.get(_MAIL + address) if address else None
        member = await self.member(subject) if isinstance(subject, str) else None
        return member if member and member.email.casefold() == address else None

    async def forget_mail(self, email: str, subject: str) -> None:
        """The address is not this person's any more. Where it leads to another one by now, it goes on doing so."""
        key = _MAIL + email.strip().casefold()
        if await self._memory.get(key) == subject:
            await self._memory.forget(key)

    async def learn(self, member: Member) -> Member:
        """Adds what a roster says of a person. The address that it names is theirs, and no other one is any more."""
        known = await self.member(member.subject) or Member(member.subject)
        told = {name: value for name, value in asdict(member).items() if value}
        merged = replace(known, **{**told, "email": member.email})
        if merged != known:
            await self._put_member(merged)
        if merged.email and await self._memory.get(_MAIL + merged.email.casefold()) != merged.subject:
            await self._memory.put(_MAIL + merged.email.casefold(), merged.subject)
        return merged

    async def chain(self, conversation: str, thread: str) -> str:
        """The message that a thread of ours began with in a channel, or nothing."""
        root = await self._memory.get(f"{OF_THREAD}{conversation}:{thread}")
        return root if isinstance(root, str) else ""

    async def begin_chain(self, conversation: str, thread: str, message: str) -> None:
        await self._memory.put(f"{OF_THREAD}{conversation}:{thread}", message)

    async def fillings(self) -> tuple[str, ...]:
        """The conversations that filled the settings by themselves, the newest last; "" where they were emptied."""
        value = await self._memory.get(_FILLINGS)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

    async def fill(self, conversation: str) -> None:
        kept = [*await self.fillings(), conversation]
        await self._memory.put(_FILLINGS, [*kept[-_MOST_FILLINGS:]])

    async def _put_place(self, place: Place) -> None:
        await self._memory.put(_PLACE + place.id, _json(asdict(place)))

    async def _put_member(self, member: Member) -> None:
        await self._memory.put(_MEMBER + member.subject.lower(), _json(asdict(member)))


class Home:
    """The conversation for the room: what the owner typed, else the first place where the app was added.

    A team or a group chat takes the place of a personal chat that filled the settings; nothing takes the place of what
    the owner typed. When the bot is removed from the place that filled them, another fills them, or they are emptied.
    What filled them is read from the memory, so that every replica knows it at once.
    """

    def __init__(
        self,
        conversations: Conversations,
        settings: TeamsSettings,
        remember: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._conversations = conversations
        self._remember = remember
        self._set = settings.conversation
        self.service_url = settings.service_url or ANY_REGION

    async def conversation(self) -> str:
        """The id, or nothing."""
        fillings = await self._conversations.fillings()
        if self._set and self._set not in fillings:
            return self._set
        return fillings[-1] if fillings else ""

    async def welcome(self, place: Place) -> None:
        """Called for every sign that the bot is in a place."""
        home = await self.conversation()
        if place.id == home:
            await self._move(place)
        elif not home or (place.is_room and await self._is_stopgap(home)):
            await self._fill(place)

    async def farewell(self) -> None:
        """Called when the bot was removed from some place."""
        home = await self.conversation()
        place = await self._conversations.place(home) if home else None
        if place is None or not place.removed or home not in await self._conversations.fillings():
            return
        others = await self._conversations.places()
        if others:
            await self._fill(others[0])
            return
        await self._conversations.fill("")
        await self._remember("TEAMS_CONVERSATION_ID", "")
        await self._remember("TEAMS_SERVICE_URL", "")
        self.service_url = ANY_REGION

    async def _is_stopgap(self, home: str) -> bool:
        """Whether a personal chat stands in for a room only because there was none."""
        if home not in await self._conversations.fillings():
            return False
        place = await self._conversations.place(home)
        return place is None or not place.is_room

    async def _fill(self, place: Place) -> None:
        await self._conversations.fill(place.id)
        await self._remember("TEAMS_CONVERSATION_ID", place.id)
        await self._move(place)

    async def _move(self, place: Place) -> None:
        if place.service_url != self.service_url:
            self.service_url = place.service_url
            await self._remember("TEAMS_SERVICE_URL", place.service_url)


def without_thread(conversation: str) -> str:
    """A channel's conversation without the message whose replies are meant."""
    return conversation.partition(";messageid=")[0]


def in_thread(conversation: str, root: str) -> str:
    return f"{conversation};messageid={root}"


def kind_of(conversation: str) -> PlaceKind:
    """Of a conversation that Teams has told nothing of yet, as its id says."""
    if conversation.startswith("a:"):
        return PlaceKind.PERSONAL
    return PlaceKind.CHANNEL if conversation.endswith(("@thread.tacv2", "@thread.skype")) else PlaceKind.GROUP


def member_of(roster: Mapping[str, Any], tenant: str, service_url: str) -> Member | None:
    """A person of a roster. Only for people of our own tenant is the address one that the tenant vouches for."""
    subject = str(roster.get("aadObjectId") or roster.get("objectId") or "")
    if not subject:
        return None
    ours = str(roster.get("tenantId") or tenant).lower() == tenant and roster.get("userRole", "user") == "user"
    addresses = (str(roster.get("email") or ""), str(roster.get("userPrincipalName") or ""))
    email = next((each for each in addresses if ours and "@" in each and "#EXT#" not in each.upper()), "")
    return Member(
        subject=subject.lower(),
        id=str(roster.get("id") or ""),
        name=str(roster.get("name") or ""),
        email=email,
        service_url=service_url,
    )


def _json(value: dict[str, Any]) -> JsonValue:
    return {key: each for key, each in value.items() if each}


def _place(value: JsonValue) -> Place | None:
    if not isinstance(value, dict) or value.get("kind") not in set(PlaceKind):
        return None
    texts = {name: str(value.get(name, "")) for name in ("id", "service_url", "owner", "team")}
    removed, refused = bool(value.get("removed")), bool(value.get("refused"))
    return Place(kind=PlaceKind(str(value["kind"])), removed=removed, refused=refused, **texts)


def _member(value: JsonValue) -> Member | None:
    if not isinstance(value, dict) or not value.get("subject"):
        return None
    texts = {name: str(value.get(name, "")) for name in ("subject", "id", "name", "email", "chat", "service_url")}
    return Member(**texts, removed=bool(value.get("removed")))
