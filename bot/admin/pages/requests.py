"""Requests: what was asked, how each reader's copy is, every attempt and click; decide as oneself, withdraw, export."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.admin import export, paging, reading, rows, why
from bot.admin.audit_words import ADMIN, REFUSED, where, who
from bot.admin.decision import groups, lines
from bot.admin.reading import Reading
from bot.admin.rows import Attempt, Copy, Line, Names, Told
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import Answer, Review
from bot.dispatch.notice import Conflict, Unknown
from bot.store import Row, Tx
from interactions.card import Status
from interactions.codec import load_ruling
from interactions.model import Role

_FIELD = "input."
CLICKS = {
    "interaction.decided": ("answered", "good"),
    "interaction.approved_once": ("approved; more approvals are needed", "good"),
    "interaction.consumed": ("used the approval", "good"),
    "interaction.withdrawn": ("withdrew the request", "over"),
    "interaction.expired": ("closed it: the time was over", "over"),
    "interaction.undeliverable": ("closed it: nobody could be reached", "bad"),
    "click.refused": ("tried to answer, and nothing changed", "bad"),
    "consume.refused": ("tried to use the approval, and was refused", "bad"),
    "delivery.sent_again": ("sent a copy again", "over"),
    "test.asked": ("asked it, to test the way there and back", ""),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the time line; `look` is a class of the style sheet."""

    at: datetime
    words: str
    detail: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database says about one request."""

    row: Row
    names: Names
    copies: tuple[Copy, ...]
    attempts: tuple[Attempt, ...]
    clicks: tuple[Line, ...]
    events: tuple[Told, ...]


@page("GET", "/admin/requests")
async def requests(visit: Visit) -> Shown:
    filters = paging.chosen(visit.query, "status", "kind", "search")
    before = paging.chosen(visit.query, "before")["before"]
    found = await visit.faces.store.read(lambda tx: reading.requests(tx, **filters, before=before))
    at = visit.faces.clock.now()
    return Shown(
        "requests.html",
        {
            "requests": found.items,
            "filters": filters,
            "statuses": tuple(Status),
            "kinds": visit.faces.kinds.names,
            "links": paging.links("/admin/requests", filters, before, found.older),
            "waits_for": lambda each: why.span((at - each.created_at).total_seconds()),
        },
    )


@page("GET", "/admin/requests/{id}")
async def request(visit: Visit) -> Shown:
    return await _shown(visit)


@page("POST", "/admin/requests/{id}/decide", Role.OPERATOR)
async def decide(visit: Visit) -> Shown | Moved:
    """The visitor's own answer: their own rights apply, as on every other surface."""
    id_ = _id(visit)
    typed = {name.removeprefix(_FIELD): value for name, value in visit.form.items() if name.startswith(_FIELD)}
    me = visit.who.operator.id
    answer = await visit.faces.dispatcher.decide(id_, visit.form.get("choice", ""), me, typed, ADMIN)
    if answer.accepted:
        return Moved(_address(visit), answer.words)
    return await _shown(visit, answer, typed)


@page("POST", "/admin/requests/{id}/withdraw", Role.OPERATOR)
async def withdraw(visit: Visit) -> Moved:
    said = visit.form.get("because", "").strip()[:400]
    because = f"By {visit.who.operator.name} in the admin pages{f': {said}' if said else '.'}"
    try:
        await visit.faces.dispatcher.withdraw(_id(visit), because, by=visit.by, place=ADMIN)
    except Conflict as conflict:
        return Moved(_address(visit), f"Nothing was changed: {conflict.words}.", bad=True)
    return Moved(_address(visit), "Withdrawn. Every copy is being updated, and whoever asked is told.")


@page("GET", "/admin/requests/{id}/export")
async def download(visit: Visit) -> web.Response:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    found = await visit.faces.store.read(lambda tx: export.request_file(tx, looking, _id(visit)))
    if found is None:
        raise Unknown("there is no request with this id", "id")
    body = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    headers = {"Content-Disposition": f'attachment; filename="request-{found["id"]}.json"', "Cache-Control": "no-store"}
    return web.Response(text=body, content_type="application/json", headers=headers)


async def _shown(visit: Visit, answer: Answer | None = None, typed: Mapping[str, str] | None = None) -> Shown:
    looking = Reading(visit.faces.clock.now(), visit.faces.mask)
    review = await visit.faces.dispatcher.look(_id(visit), visit.who.operator.id)
    seen = await visit.faces.store.read(lambda tx: _seen(tx, looking, _id(visit)))
    if review is None or seen is None:
        raise Unknown("there is no request with this id", "id")
    titles = {name: channel.title for name, channel in visit.faces.channels().items()}
    status = 200 if answer is None else 422 if answer.field else 409
    return Shown(
        "request.html", {**_card(review, answer, typed, _onlooker(visit, seen)), **_facts(seen, titles, visit)}, status
    )


def _onlooker(visit: Visit, seen: Seen) -> str:
    """Who can decide, for somebody who only looks; "" for who was asked."""
    asked = json.loads(seen.row["audience"])
    if visit.who.operator.id in asked:
        return ""
    names = [seen.names.operator(each) for each in asked]
    return f"Only {' or '.join(names)} can decide this; you are looking." if names else "Nobody can decide this here."


def _card(review: Review, answer: Answer | None, typed: Mapping[str, str] | None, looking: str) -> dict[str, object]:
    """The card as people see it, with the forms of whoever may answer."""
    card = review.card
    return {
        "card": card,
        "lines": tuple(lines(card.payload)) if card.payload else (),
        "left": "",  # the time itself says it in words here
        "words": answer.words if answer else looking or review.words,
        "refused": answer is not None,
        "wrong": answer.field if answer else "",
        "typed": typed or {},
        "groups": groups(card) if review.may_decide and card.outcome is None else (),
    }


def _facts(seen: Seen, titles: Mapping[str, str], visit: Visit) -> dict[str, object]:
    row = seen.row
    return {
        "id": row["id"],
        "address": _address(visit),
        "kind": row["kind"],
        "pending": row["status"] == Status.PENDING,
        "approvals": row["approvals"],
        "producer": seen.names.producer(row["producer"]),
        "digest_holds": export.holds(row),
        "asked": [seen.names.operator(each) for each in json.loads(row["audience"])],
        "copies": [(each, why.standing(each)) for each in seen.copies],
        "events": seen.events,
        "steps": steps(seen, titles),
        "titles": titles,
        "may_withdraw": visit.who.may(Role.OPERATOR),
    }


async def _seen(tx: Tx, looking: Reading, request_id: str) -> Seen | None:
    row = await reading.request_row(tx, request_id)
    if row is None:
        return None
    return Seen(
        row,
        await reading.names(tx),
        await reading.copies_of(tx, looking, row["ref"]),
        await reading.attempts_of(tx, looking, row["ref"]),
        await reading.lines_of(tx, looking, request_id, row["ref"]),
        await reading.events_of(tx, looking, row["ref"]),
    )


# ---- the time line ---------------------------------------------------------------------------------------------------


def steps(seen: Seen, titles: Mapping[str, str]) -> Sequence[Step]:
    """Everything that happened to a request, in order."""
    asked = Step(rows.moment(seen.row["created_at"]), f"Requested by {seen.names.producer(seen.row['producer'])}")
    found: Iterable[Step] = (
        asked,
        *(_tried(each, titles) for each in seen.attempts),
        *(_clicked(each, seen.row, titles) for each in seen.clicks),
    )
    return sorted(found, key=lambda each: each.at)


def _tried(attempt: Attempt, titles: Mapping[str, str]) -> Step:
    words = why.attempt(attempt, titles.get(attempt.channel, attempt.channel))
    took = f"{attempt.took_ms:.0f} ms"
    whose = "" if attempt.reader in words else f"for {attempt.reader}"
    detail = ", ".join(filter(None, (whose, attempt.detail, took)))
    return Step(attempt.at, words, detail, "bad" if attempt.reason else "")


def _clicked(line: Line, row: Row, titles: Mapping[str, str]) -> Step:
    words, look = CLICKS.get(line.action, (line.action, ""))
    refused = line.detail.get("why", "")
    because = REFUSED.get(str(refused), str(refused))
    choice = f"with “{str(line.detail['choice']).replace('_', ' ')}”" if "choice" in line.detail else ""
    ruling = load_ruling(row["ruling"])
    decided = ruling.text if ruling and line.action == "interaction.decided" else ""
    behalf = f"for {line.on_behalf}" if line.on_behalf else ""
    said = ", ".join(filter(None, (decided or choice, behalf, where(line, titles))))
    detail = ": ".join(filter(None, (said, because)))
    return Step(line.at, f"{who(line.actor, titles)} {words}", detail, look)


def _id(visit: Visit) -> str:
    return paging.tidy(visit.request.match_info["id"])


def _address(visit: Visit) -> str:
    return f"/admin/requests/{_id(visit)}"


PAGES: tuple[Page, ...] = (requests, request, decide, withdraw, download)
