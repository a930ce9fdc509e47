"""How everything is, by what the doctor finds, and the round trip that shows which hop of a click fails."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from bot.admin.checkup import current, look_again, patient_of, wrong
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import CALLER_CHANNEL
from bot.dispatch.notice import Conflict, Fault
from bot.doctor.examination import examine_answers, masked
from bot.doctor.reach import REACH, answer_to
from bot.doctor.round_trip import NOTHING_CAME, Hop, State, Trip, begin, end, follow
from bot.logs import Mask
from interactions.model import Role

HOME = "/admin/health"
LONGEST_RIDDLE = 64


@page("GET", HOME, Role.OPERATOR)
async def health(visit: Visit) -> Shown:
    faces = visit.faces
    checkup = await current(faces)
    answers = [masked(part, faces.mask) for part in await examine_answers(patient_of(faces))]
    values = {
        "checkup": checkup,
        "parts": (*checkup.parts, *answers),
        "wrong": wrong((*checkup.parts, *answers)),
        "going_on": checkup.going_on(faces.clock.now()),
        "ways": _ways(visit),
    }
    return Shown("health.html", values)


@page("POST", HOME + "/check", Role.OPERATOR)
async def check_again(visit: Visit) -> Moved:
    await look_again(visit.faces)
    return Moved(HOME)


@page("GET", REACH, None)
async def reach(visit: Visit) -> web.Response:
    """Proves to whoever has the key that this address leads here; tells nobody else anything."""
    riddle = visit.query.get("riddle", "")[:LONGEST_RIDDLE]
    return web.Response(text=answer_to(riddle, visit.faces.form_keys))


@page("POST", HOME + "/trip", Role.OPERATOR)
async def start_trip(visit: Visit) -> Moved:
    channel = visit.form.get("channel", "")
    if channel not in {name for name, _ in _ways(visit)}:
        return Moved(HOME, "That channel is not set up, so no card can take that way.", bad=True)
    try:
        faces = visit.faces
        trip = await begin(faces.dispatcher, faces.store, visit.who.operator.id, channel, faces.clock.now())
    except Fault as fault:
        return Moved(HOME, f"No card was sent: {fault.words}.", bad=True)
    await faces.ledger.write(faces.clock.now(), visit.by, "test.asked", trip, channel)
    return Moved(f"{HOME}/trip/{trip}")


@page("GET", HOME + "/trip/{id}", Role.OPERATOR)
async def look_at_trip(visit: Visit) -> Shown:
    trip = await _followed(visit)
    channel = visit.faces.channels().get(trip.channel)
    values = {
        "trip": trip,
        "hops": tuple(_masked_hop(hop, visit.faces.mask) for hop in trip.hops),
        "title": channel.title if channel else trip.channel,
        "waits_for_click": any(hop.name == "Clicked" and hop.state is State.WAITING for hop in trip.hops),
    }
    return Shown("trip.html", values)


@page("POST", HOME + "/trip/{id}/silent", Role.OPERATOR)
async def nothing_happened(visit: Visit) -> Moved:
    """Somebody pressed a button, and nothing came in: they need not wait until the card's time is over."""
    trip = await _followed(visit)
    try:
        await end(visit.faces.dispatcher, trip.id, NOTHING_CAME, visit.by)
    except Conflict:
        return Moved(f"{HOME}/trip/{trip.id}", "It has ended meanwhile.")
    return Moved(f"{HOME}/trip/{trip.id}")


async def _followed(visit: Visit) -> Trip:
    """The trip of this address."""
    faces = visit.faces
    return await follow(faces.store, faces.channels(), visit.request.match_info["id"], faces.clock.now())


def _ways(visit: Visit) -> Sequence[tuple[str, str]]:
    """The channels on which a person can be asked now: name and title."""
    channels = visit.faces.channels()
    return [(name, each.title) for name, each in channels.items() if name != CALLER_CHANNEL and not each.missing()]


def _masked_hop(hop: Hop, mask: Mask) -> Hop:
    return replace(hop, words=mask.text(hop.words))


PAGES: tuple[Page, ...] = (health, check_again, reach, start_trip, look_at_trip, nothing_happened)
