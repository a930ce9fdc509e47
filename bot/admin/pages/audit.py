"""Audit: who did what, on behalf of whom, where; whether the log is as it was written; the whole log as a file."""

import json
from collections.abc import Sequence

from aiohttp import web

from bot.admin import paging, reading
from bot.admin.reading import Reading
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.ledger import Entry
from interactions.model import Role

AT_ONCE = 500


@page("GET", "/admin/audit", Role.ADMIN)
async def audit(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    filters = paging.chosen(visit.query, "actor", "action", "subject")
    before = paging.chosen(visit.query, "before")["before"]
    found = await visit.faces.store.read(lambda tx: reading.lines(tx, looking, **filters, before=before))
    links = paging.links("/admin/audit", filters, before, found.older)
    return Shown("audit.html", {"entries": found.items, "filters": filters, "links": links})


@page("POST", "/admin/audit/verify", Role.ADMIN)
async def verify(visit: Visit) -> Moved:
    wrong = await visit.faces.ledger.first_wrong()
    if wrong is None:
        return Moved("/admin/audit", "Every entry is as it was written, and none is missing.")
    words = f"Entry {wrong} is not as it was written: it, or one beside it, was changed, removed or moved."
    return Moved(f"/admin/audit?before={wrong + 3}", words, bad=True)


@page("GET", "/admin/audit/export", Role.ADMIN)
async def export(visit: Visit) -> web.StreamResponse:
    """Every entry, one JSON object a line, the newest first; sent while it is read, so that any length fits."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/x-ndjson",
            "Content-Disposition": 'attachment; filename="audit.jsonl"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(visit.request)
    before: int | None = None
    while entries := await visit.faces.ledger.list(limit=AT_ONCE, before=before):
        await response.write(_lines(entries))
        before = entries[-1].seq
    await response.write_eof()
    return response


def _lines(entries: Sequence[Entry]) -> bytes:
    return "".join(f"{json.dumps(fields(each), ensure_ascii=False)}\n" for each in entries).encode()


def fields(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "on_behalf": entry.on_behalf,
        "action": entry.action,
        "subject": entry.subject,
        "place": entry.place,
        "detail": entry.detail,
    }


PAGES: tuple[Page, ...] = (audit, verify, export)
