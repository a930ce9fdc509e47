"""Who gets a copy: an audience as readers, as the directory knows people now."""

from typing import Protocol

from bot.channels.contract import Person, Reader, ReaderKind
from bot.dispatch.notice import Audience, Unfit
from interactions.model import Actor


class Directory(Protocol):
    """The people this installation knows."""

    async def find(self, name: str) -> Actor | None:
        """An active operator by e-mail or id."""
        ...

    async def by_person(self, person: Person) -> Actor | None:
        """The active operator behind a verified identity, or behind an address that the platform vouches for."""
        ...

    async def reader(self, operator_id: str) -> Reader | None: ...

    async def recipient(self) -> Actor | None:
        """Who is told when nobody is named: ALERT_RECIPIENT_EMAIL, else the first admin."""
        ...


async def operators_for(audience: Audience, directory: Directory) -> tuple[Actor, ...]:
    """The operators that an audience names; the installation's recipient where it names nobody. Raises Unfit."""
    if audience.empty:
        recipient = await directory.recipient()
        return (recipient,) if recipient else ()
    found: dict[str, Actor] = {}
    for place, name in enumerate(audience.operators):
        actor = await directory.find(name)
        if actor is None:
            words = f"{name!r} is not an operator here; add them with: gatebell operator add {name}"
            raise Unfit(words, f"audience.operators[{place}]")
        found[actor.id] = actor
    return tuple(found.values())


async def readers_for(audience: Audience, directory: Directory) -> tuple[Reader, ...]:
    """Everybody who gets a copy: each operator once, and the room."""
    people = [await directory.reader(actor.id) for actor in await operators_for(audience, directory)]
    room = () if audience.room is None else (room_reader(audience.room),)
    return (*(person for person in people if person), *room)


def room_reader(place: str) -> Reader:
    """A room by its place; an empty place means each channel's own configured room."""
    return Reader(ReaderKind.ROOM, place or "room", place or "the room", place=place)


def caller(url: str, interaction_id: str) -> Reader:
    """Whoever asked, to be told once when it has ended."""
    return Reader(ReaderKind.CALLER, interaction_id, "the caller", place=url)
