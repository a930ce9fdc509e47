"""How everything is, by what the doctor finds, and the round trip that shows which hop of a click fails."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import CALLER_CHANNEL
from bot.dispatch.notice import Fault
from bot.doctor import REACH, Part, Patient, answer_to, examine
from bot.logs import Mask
from bot.round_trip import Hop, begin, follow
from interactions.model import Role

LONGEST_RIDDLE = 64


@page("GET", "/admin/health", Role.OPERATOR)
async def health(visit: Visit) -> Shown:
    faces = visit.faces
    patient = Patient(faces.settings.now, faces.store, faces.channels(), faces.form_keys, faces.clock.now)
    parts = masked(await examine(patient), faces.mask)
    wrong = sum(not check.ok for part in parts for check in part.checks)
    return Shown("health.html", {"parts": parts, "wrong": wrong, "ways": _ways(visit)})


@page("GET", REACH, None)
async def reach(visit: Visit) -> web.Response:
    """Proves to whoever has the key that this address leads here; tells nobody else anything."""
    riddle = visit.query.get("riddle", "")[:LONGEST_RIDDLE]
    return web.Response(text=answer_to(riddle, visit.faces.form_keys))


@page("POST", "/admin/health/trip", Role.OPERATOR)
async def start_trip(visit: Visit) -> Moved:
    channel = visit.form.get("channel", "")
    if channel not in {name for name, _ in _ways(visit)}:
        return Moved("/admin/health", "That channel is not set up, so no card can take that way.", bad=True)
    try:
        trip = await begin(visit.faces.dispatcher, visit.who.operator.id, channel)
    except Fault as fault:
        return Moved("/admin/health", f"No card was sent: {fault.words}.", bad=True)
    return Moved(f"/admin/health/trip/{trip}")


@page("GET", "/admin/health/trip/{id}", Role.OPERATOR)
async def look_at_trip(visit: Visit) -> Shown:
    faces = visit.faces
    trip = await follow(faces.store, visit.request.match_info["id"], faces.clock.now())
    channel = faces.channels().get(trip.channel)
    hops = tuple(_masked_hop(hop, faces.mask) for hop in trip.hops)
    title = channel.title if channel else trip.channel
    return Shown("trip.html", {"trip": trip, "hops": hops, "title": title})


def _ways(visit: Visit) -> Sequence[tuple[str, str]]:
    """The channels on which a person can be asked now: name and title."""
    channels = visit.faces.channels()
    return [(name, each.title) for name, each in channels.items() if name != CALLER_CHANNEL and not each.missing()]


def masked(parts: Sequence[Part], mask: Mask) -> tuple[Part, ...]:
    """What platforms answer may hold a secret of ours; nobody sees it."""
    return tuple(
        Part(part.title, tuple(replace(check, cause=mask.text(check.cause)) for check in part.checks)) for part in parts
    )


def _masked_hop(hop: Hop, mask: Mask) -> Hop:
    return replace(hop, words=mask.text(hop.words))


PAGES: tuple[Page, ...] = (health, reach, start_trip, look_at_trip)
