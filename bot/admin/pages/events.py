"""Events: what came in, what became of it, and why."""

import json
from collections.abc import Mapping

from bot.admin import paging, reading, rows, why
from bot.admin.pages.overview import curl
from bot.admin.reading import Reading
from bot.admin.rows import Copy, Told
from bot.admin.site import Page, Shown, Visit, page
from bot.dispatch.notice import Result, Unknown
from bot.store import Row, Tx
from interactions.card import Severity

RESULTS: Mapping[str, str] = {
    Result.ACCEPTED: "passed on",
    Result.DEDUPLICATED: "held back, as it was told before",
    Result.SUPPRESSED: "told to nobody",
}


@page("GET", "/admin/events")
async def events(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    filters = paging.chosen(visit.query, "type", "severity", "result")
    before = paging.chosen(visit.query, "before")["before"]
    found = await visit.faces.store.read(
        lambda tx: reading.events(
            tx,
            looking,
            type_=filters["type"],
            severity=filters["severity"],
            result=filters["result"],
            before=before,
        )
    )
    return Shown(
        "events.html",
        {
            "events": [(each, became(each)) for each in found.items],
            "filters": filters,
            "severities": tuple(Severity),
            "results": RESULTS,
            "curl": curl(visit.faces.settings.now.base_url),
            "links": paging.links("/admin/events", filters, before, found.older),
        },
    )


@page("GET", "/admin/events/{id}")
async def event(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    found = await visit.faces.store.read(lambda tx: _whole(tx, looking, paging.tidy(visit.request.match_info["id"])))
    if found is None:
        raise Unknown("there is no event with this id", "id")
    told, row, copies = found
    words, mend = why.held_back(told.reason) if told.reason else ("", "")
    return Shown(
        "event.html",
        {
            "event": told,
            "became": "nobody was told" if why.nobody_told(copies) else became(told),
            "words": words,
            "mend": mend,
            "details": visit.faces.mask.text(row["details"]),
            "dedup_key": row["dedup_key"],
            "occurred_at": rows.moment_or_none(row["occurred_at"]),
            "context": json.dumps(visit.faces.mask.value(json.loads(row["context"])), ensure_ascii=False, indent=2),
            "labels": visit.faces.mask.value(json.loads(row["labels"])),
            "copies": [(each, why.standing(each)) for each in copies],
            "titles": {name: channel.title for name, channel in visit.faces.channels().items()},
        },
    )


async def _whole(tx: Tx, looking: Reading, event_id: str) -> tuple[Told, Row, tuple[Copy, ...]] | None:
    found = await reading.event(tx, looking, event_id)
    if found is None:
        return None
    told, row = found
    return told, row, await reading.copies_of(tx, looking, told.ref) if told.ref else ()


def became(told: Told) -> str:
    """What became of an event, in a few words."""
    if told.interaction_id:
        return "became a request"
    return RESULTS.get(told.result, told.result)


PAGES: tuple[Page, ...] = (events, event)
