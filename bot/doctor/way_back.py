"""Whether people's answers come back from a platform, by what has come in: no call to it could tell.

Kept in the database, so that the doctor says the same as a command and on its page.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.channels.contract import Channel, Check, IsCalled
from bot.channels.way_in import Doubt, Heard, heard
from bot.dispatch.notice import Unknown
from bot.doctor.round_trip import Hop, State, Trip, follow, last, when_silent
from bot.memory import ChannelMemory
from bot.store import Row, Store, Tx

MANY = 100  # as many as are counted
TRY = "Press Round trip under General → Health."
ANOTHER = "Then make another round trip."
_ON_THE_WAY_BACK = frozenset({"Clicked", "Signature", "Token", "Identity", "Decision"})


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one channel. `asked` counts the cards with buttons that lie before people, up to MANY."""

    channel: Channel
    heard: Heard
    asked: int
    changed_at: float
    trip: Trip | None

    @property
    def mended(self) -> bool:
        """Whether somebody has changed the settings since a call was refused."""
        return self.changed_at > self.heard.doubted_at


async def checks(store: Store, channel: Channel, at: datetime) -> tuple[Check, ...]:
    """Nothing of a channel that is not set up."""
    if channel.missing():
        return ()
    found = await _found(store, channel, at)
    called = (_calls(found), _clicks(found)) if isinstance(channel, IsCalled) else ()
    return (*called, *([_round_trip(found, found.trip)] if found.trip else []))


async def _found(store: Store, channel: Channel, at: datetime) -> Found:
    memory = ChannelMemory(store, lambda: at, channel.name)
    came = await heard(memory)
    return Found(
        channel,
        came,
        0 if came.clicked_at else await store.read(lambda tx: _asked(tx, channel.name)),
        await store.read(lambda tx: _changed_at(tx, {each.name for each in channel.fields})),
        await _last_trip(store, channel, await last(memory), at),
    )


async def _last_trip(store: Store, channel: Channel, trip_id: str, at: datetime) -> Trip | None:
    try:
        return await follow(store, {channel.name: channel}, trip_id, at) if trip_id else None
    except Unknown:
        return None


async def _asked(tx: Tx, channel: str) -> int:
    rows = await tx.rows(
        "SELECT d.id FROM interaction i JOIN delivery d ON d.ref = i.ref"
        " WHERE d.channel = :channel AND d.shown >= 0 AND d.reader_kind <> 'caller' LIMIT :most",
        {"channel": channel, "most": MANY},
    )
    return len(rows)


async def _changed_at(tx: Tx, fields: set[str]) -> float:
    """When somebody last saved one of these settings; what fills itself is nobody's change."""
    rows: list[Row] = await tx.rows(
        "SELECT at, detail FROM audit WHERE action = 'settings.saved' AND actor <> 'system' ORDER BY seq DESC LIMIT 100"
    )
    saved = ((float(row["at"]), json.loads(row["detail"]).get("names", ())) for row in rows)
    return next((at for at, names in saved if not fields.isdisjoint(names)), 0.0)


# ---- what is said ------------------------------------------------------------------------------------------------


def _calls(found: Found) -> Check:
    name, title, came = "Calls", found.channel.title, found.heard
    if came.doubt and came.in_doubt:
        return _doubted(found, came.doubt)
    if came.called_at:
        return Check(name, True, f"{title} called last on {moment(came.called_at)}, and the call was genuine")
    return Check(name, True, f"{title} has not called this server yet")


def _doubted(found: Found, doubt: Doubt) -> Check:
    came = found.heard
    calls, since = f"of {found.channel.title}", moment(came.doubted_since)
    refused = (
        f"one call {calls} was refused on" if came.doubts == 1 else f"{came.doubts} calls {calls} were refused since"
    )
    cause = f"{refused} {since}: {doubt.words}."
    if found.mended:
        return Check("Calls", True, f"{cause} The settings were changed since, and nothing has called yet.", TRY)
    before = f"The last genuine one came on {moment(came.called_at)}." if came.called_at else "None was ever genuine."
    return Check("Calls", False, f"{cause} {before}", f"{doubt.mend} {ANOTHER}")


def _clicks(found: Found) -> Check:
    """The mend is said once: where a call was refused or a round trip was made, it stands there."""
    name, came = "Answers", found.heard
    if came.clicked_at:
        return Check(name, True, f"the last click came in on {moment(came.clicked_at)}")
    if not found.asked:
        return Check(name, True, "no card with buttons was sent yet", TRY)
    sent = "one card" if found.asked == 1 else f"{found.asked} cards"
    many = " or more" if found.asked == MANY else ""
    cause = f"{sent}{many} with buttons went out, and nobody's click has come back yet"
    if found.trip or came.in_doubt:
        return Check(name, True, cause, f"See {'Calls' if came.in_doubt else 'Round trip'}.")
    return Check(name, True, cause, f"{TRY} If that click does not come back either: {when_silent(found.channel)}")


def _round_trip(found: Found, trip: Trip) -> Check:
    name, began = "Round trip", f"the one of {moment(trip.began)}"
    if trip.done:
        return Check(name, True, f"{began} went all the way")
    if trip.unpressed:
        return Check(name, True, f"on {began} nobody pressed a button in time", trip.unpressed.mend)
    if trip.failed is None:
        return Check(name, True, f"{began} is still under way", _waiting(trip).mend)
    cause = f"{began} ended at “{trip.failed.name}”"
    if since := _since(found, trip):
        return Check(name, True, f"{cause}. {since}", "Make another round trip.")
    if trip.failed.name == "Signature" and found.heard.in_doubt:
        return Check(name, True, cause, "See Calls.")
    # Whether a card goes out, the checks that ask the platform say; whether an answer comes back, only this does.
    well = trip.failed.name not in _ON_THE_WAY_BACK
    return Check(name, well, f"{cause}: {trip.failed.words}", f"{trip.failed.mend} {ANOTHER}")


def _waiting(trip: Trip) -> Hop:
    return next((hop for hop in trip.hops if hop.state is State.WAITING), trip.hops[-1])


def _since(found: Found, trip: Trip) -> str:
    """What has happened since, so that it may be otherwise now."""
    if found.changed_at > trip.began:
        return "The settings were changed since."
    if trip.failed and trip.failed.name == "Clicked" and found.heard.clicked_at > trip.began:
        return "A click has come in since."
    return ""


def moment(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
