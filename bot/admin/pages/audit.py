"""Audit: who did what, on behalf of whom, where; whether the log is as it was written; the whole log as a file."""

import json
from collections.abc import Sequence

from aiohttp import web

from bot.admin import audit_words, paging, reading
from bot.admin.reading import Reading
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.audit.ledger import Entry
from bot.audit.verdict import Anchoring
from interactions.model import Role

AT_ONCE = 500
NO_ANCHOR = " There is no anchor in the data directory, so nobody can say whether entries are missing at the end."
RESTORED = (
    " If a backup was put back, whoever runs the server can accept that: gatebell audit verify --accept-restored."
)


@page("GET", "/admin/audit", Role.ADMIN)
async def audit(visit: Visit) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    filters = paging.chosen(visit.query, "actor", "action", "subject")
    before = paging.chosen(visit.query, "before")["before"]
    found = await visit.faces.store.read(lambda tx: reading.lines(tx, looking, **filters, before=before))
    links = paging.links("/admin/audit", filters, before, found.older)
    titles = {name: channel.title for name, channel in visit.faces.channels().items()}
    entries = [audit_words.said(each, titles) for each in found.items]
    typed = filters["action"] if filters["action"] not in audit_words.WORDS else ""  # such as `key.`, for all of them
    values = {"entries": entries, "filters": filters, "links": links, "actions": audit_words.ACTIONS, "typed": typed}
    return Shown("audit.html", values)


@page("POST", "/admin/audit/verify", Role.ADMIN)
async def verify(visit: Visit) -> Moved:
    verdict, anchoring = await visit.faces.anchor.verify()
    if verdict.trouble is None:
        return Moved("/admin/audit", f"{verdict.words}{NO_ANCHOR if anchoring is Anchoring.MISSING else ''}")
    to = f"/admin/audit?before={verdict.entry + 3}" if verdict.entry else "/admin/audit"
    words = f"{verdict.words}{RESTORED if verdict.may_be_restored else ''}"
    return Moved(to, words, bad=True)


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
