"""Deliveries: each reader's copy, every attempt to show it, and sending it again."""

from bot.admin import paging, reading, why
from bot.admin.reading import STATES, Reading
from bot.admin.rows import Attempt, Copy, Standing
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.dispatch.notice import Conflict, Unknown
from bot.store import Tx
from interactions.model import Role

PLACE = "admin"
UNDER_WAY = frozenset({Standing.WAITING, Standing.SENDING, Standing.CHANGING, Standing.LATER})


@page("GET", "/admin/deliveries")
async def deliveries(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    filters = paging.chosen(visit.query, "state", "channel")
    before = paging.chosen(visit.query, "before")["before"]
    found = await visit.faces.store.read(lambda tx: reading.copies(tx, looking, **filters, before=before))
    return Shown(
        "deliveries.html",
        {
            "copies": [(each, why.standing(each)) for each in found.items],
            "filters": filters,
            "states": tuple(STATES),
            "titles": _titles(visit),
            "links": paging.links("/admin/deliveries", filters, before, found.older),
        },
    )


@page("GET", "/admin/deliveries/{id}")
async def delivery(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    found = await visit.faces.store.read(lambda tx: _whole(tx, looking, _id(visit)))
    if found is None:
        raise Unknown("there is no delivery with this id", "id")
    copy, attempts = found
    titles = _titles(visit)
    return Shown(
        "delivery.html",
        {
            "copy": copy,
            "words": why.standing(copy),
            "attempts": [(each, why.attempt(each, titles.get(each.channel, each.channel))) for each in attempts],
            "titles": titles,
            "may_resend": visit.who.may(Role.OPERATOR) and copy.standing not in UNDER_WAY,
        },
    )


@page("POST", "/admin/deliveries/{id}/resend", Role.OPERATOR)
async def resend(visit: Visit) -> Moved:
    """A new copy for the same reader, from the beginning of the chain, as the card is now."""
    try:
        copy = await visit.faces.dispatcher.send_again(_id(visit), visit.by, PLACE)
    except Conflict as conflict:
        return Moved(f"/admin/deliveries/{_id(visit)}", f"Nothing was sent: {conflict.words}.", bad=True)
    return Moved(f"/admin/deliveries/{copy}", "A new copy is on its way. This page shows what becomes of it.")


async def _whole(tx: Tx, looking: Reading, delivery_id: str) -> tuple[Copy, tuple[Attempt, ...]] | None:
    copy = await reading.copy(tx, looking, delivery_id)
    return (copy, await reading.attempts(tx, looking, delivery_id)) if copy else None


def _titles(visit: Visit) -> dict[str, str]:
    return {name: channel.title for name, channel in visit.faces.channels().items()}


def _id(visit: Visit) -> str:
    return paging.tidy(visit.request.match_info["id"])


PAGES: tuple[Page, ...] = (deliveries, delivery, resend)
