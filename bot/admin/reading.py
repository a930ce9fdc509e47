"""The SQL of the daily pages. Every function is part of a store's job, reads only, and returns values for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.admin import audit_words, paging, rows
from bot.admin.rows import Attempt, Copy, Line, Listed, Names, Request, Told
from bot.dispatch import outbox
from bot.logs import Mask
from bot.store import Row, Tx

T = TypeVar("T")
PAGE = 50
LAST = 2**31 - 1

REQUEST = (
    "SELECT i.id, i.kind, i.status, i.audience, i.created_at, i.expires_at, i.ended_at, p.card"
    " FROM interaction i JOIN post p ON p.ref = i.ref "
)
COPY = (
    "SELECT d.*, p.card, p.interaction_id,"
    " (SELECT COUNT(*) FROM attempt a WHERE a.delivery_id = d.id) AS attempts"
    " FROM delivery d JOIN post p ON p.ref = d.ref "
)
ATTEMPT = (
    "SELECT a.delivery_id, a.channel, a.verb, a.at, a.took_ms, a.reason, a.detail, d.reader_kind, d.reader_id, d.place"
    " FROM attempt a JOIN delivery d ON d.id = a.delivery_id "
)
PEOPLE = "FROM operator WHERE LOWER(name) LIKE :name ESCAPE '!' OR email LIKE :name ESCAPE '!' LIMIT 20"
# What a page calls a state, in terms of rows.
STATES = {
    "waiting": outbox.WORK,
    "told": "d.state IN ('open', 'done') AND d.shown >= d.wanted",
    "failed": "d.state = 'failed'",
    "grouped": "d.state = 'grouped'",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What turns rows into words: the moment of looking, and what must not be seen."""

    at: datetime
    mask: Mask


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened since a moment. A copy counts as told when a channel took it for the first time."""

    events: int = 0
    held_back: int = 0
    told: int = 0
    asked: int = 0
    decided: int = 0
    unanswered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The worker's work: what is to be shown, what of it is being sent now, and since when the oldest is due."""

    waiting: int = 0
    sending: int = 0
    due_since: datetime | None = None


async def names(tx: Tx) -> Names:
    people = await tx.rows("SELECT id, name, email FROM operator")
    keys = await tx.rows("SELECT id, name FROM api_key")
    return Names(
        {row["id"]: row["name"] or row["email"] for row in people},
        {row["id"]: row["email"] for row in people},
        {row["id"]: row["name"] for row in keys},
    )


# ---- requests --------------------------------------------------------------------------------------------------------


async def requests(tx: Tx, *, status: str = "", kind: str = "", search: str = "", before: str = "") -> Listed[Request]:
    """The newest first. `search` finds an id, words on the card, and whoever was asked or answered."""
    where = (
        "WHERE (:status = '' OR i.status = :status) AND (:kind = '' OR i.kind = :kind) AND (:before = '' OR"
        " i.id < :before)"
    )
    values: dict[str, object] = {"status": status, "kind": kind, "before": before, "most": PAGE + 1}
    if search:
        found, more = await _matching(tx, search)
        where, values = f"{where} AND ({found})", values | more
    found_rows = await tx.rows(f"{REQUEST}{where} ORDER BY i.id DESC LIMIT :most", values)
    known = await names(tx)
    return _page([(row["id"], rows.request(row, known)) for row in found_rows])


async def waiting(tx: Tx, most: int = 20) -> tuple[Request, ...]:
    """What waits for a person, the longest first."""
    found = await tx.rows(f"{REQUEST}WHERE i.status = 'pending' ORDER BY i.id LIMIT :most", {"most": most})
    known = await names(tx)
    return tuple(rows.request(row, known) for row in found)


async def request_row(tx: Tx, request_id: str) -> Row | None:
    return await tx.row("SELECT * FROM interaction WHERE id = :id", {"id": request_id})


async def _matching(tx: Tx, search: str) -> tuple[str, dict[str, object]]:
    """The condition that finds a request by what was typed."""
    values: dict[str, object] = {
        "search": search,
        "low": _like(json.dumps(search.lower(), ensure_ascii=False)[1:-1]),
        "as_typed": _like(json.dumps(search, ensure_ascii=False)[1:-1]),
    }
    people = await tx.rows(f"SELECT id {PEOPLE}", {"name": _like(search.lower())})
    conditions = [
        "i.id = :search",
        "i.digest = :search",
        "LOWER(p.card) LIKE :low ESCAPE '!'",
        "p.card LIKE :as_typed ESCAPE '!'",
    ]
    for number, person in enumerate(people):
        conditions.append(f"i.audience LIKE :person{number}")
        values[f"person{number}"] = f'%"{person["id"]}"%'
    return " OR ".join(conditions), values


# ---- copies and attempts ---------------------------------------------------------------------------------------------


async def copies(tx: Tx, reading: Reading, *, state: str = "", channel: str = "", before: str = "") -> Listed[Copy]:
    """The newest first. `state` is one of STATES."""
    where = f"WHERE {STATES.get(state, '1 = 1')} AND (:channel = '' OR d.channel = :channel)"
    found = await tx.rows(
        f"{COPY}{where} AND (:before = '' OR d.id < :before) ORDER BY d.id DESC LIMIT :most",
        {"channel": channel, "before": before, "most": PAGE + 1},
    )
    known = await names(tx)
    return _page([(row["id"], rows.copy(row, known, reading.mask, reading.at)) for row in found])


async def copies_of(tx: Tx, reading: Reading, ref: str) -> tuple[Copy, ...]:
    """Every reader's copy of a post."""
    found = await tx.rows(
        f"{COPY}WHERE d.ref = :ref ORDER BY CASE d.reader_kind WHEN 'caller' THEN 1 ELSE 0 END, d.id", {"ref": ref}
    )
    known = await names(tx)
    return tuple(rows.copy(row, known, reading.mask, reading.at) for row in found)


async def copy(tx: Tx, reading: Reading, delivery_id: str) -> Copy | None:
    found = await tx.row(f"{COPY}WHERE d.id = :id", {"id": delivery_id})
    return rows.copy(found, await names(tx), reading.mask, reading.at) if found else None


async def attempts_of(tx: Tx, reading: Reading, ref: str) -> tuple[Attempt, ...]:
    """Every try to show any copy of a post, the oldest first."""
    found = await tx.rows(f"{ATTEMPT}WHERE d.ref = :ref ORDER BY a.at, a.id", {"ref": ref})
    known = await names(tx)
    return tuple(rows.attempt(row, known, reading.mask) for row in found)


async def attempts(tx: Tx, reading: Reading, delivery_id: str) -> tuple[Attempt, ...]:
    found = await tx.rows(f"{ATTEMPT}WHERE a.delivery_id = :id ORDER BY a.at, a.id", {"id": delivery_id})
    known = await names(tx)
    return tuple(rows.attempt(row, known, reading.mask) for row in found)


# ---- events ----------------------------------------------------------------------------------------------------------


async def events(
    tx: Tx,
    reading: Reading,
    *,
    type_: str = "",
    severity: str = "",
    result: str = "",
    before: str = "",
) -> Listed[Told]:
    found = await tx.rows(
        "SELECT * FROM event WHERE (:type = '' OR type = :type) AND (:severity = '' OR severity = :severity)"
        " AND (:result = '' OR result = :result) AND (:before = '' OR id < :before) ORDER BY id DESC LIMIT :most",
        {"type": type_, "severity": severity, "result": result, "before": before, "most": PAGE + 1},
    )
    known = await names(tx)
    return _page([(row["id"], rows.told(row, known, reading.mask)) for row in found])


async def event(tx: Tx, reading: Reading, event_id: str) -> tuple[Told, Row] | None:
    """An event, and its row for what a list does not show."""
    found = await tx.row("SELECT * FROM event WHERE id = :id", {"id": event_id})
    return (rows.told(found, await names(tx), reading.mask), found) if found else None


async def events_of(tx: Tx, reading: Reading, ref: str) -> tuple[Told, ...]:
    """What led to a post."""
    found = await tx.rows("SELECT * FROM event WHERE ref = :ref AND :ref <> '' ORDER BY id", {"ref": ref})
    known = await names(tx)
    return tuple(rows.told(row, known, reading.mask) for row in found)


# ---- audit -----------------------------------------------------------------------------------------------------------


async def lines(
    tx: Tx,
    reading: Reading,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    before: str = "",
) -> Listed[Line]:
    """The newest first. `actor` is a name, an address or what the log itself says; `action` may be a beginning."""
    where = "WHERE seq < :before AND (:subject = '' OR subject = :subject) AND action LIKE :action ESCAPE '!'"
    values: dict[str, object] = {
        "before": paging.number(before, LAST),
        "subject": subject,
        "action": _like(action)[1:],
        "most": PAGE + 1,
    }
    if actor:
        also = await _actors(tx, actor)
        spots = {f"actor{number}": each for number, each in enumerate(also)}
        one_of = f"IN ({', '.join(f':{spot}' for spot in spots)})"
        where += f" AND (actor {one_of} OR on_behalf {one_of} OR actor LIKE :part ESCAPE '!')"
        values |= {**spots, "part": _like(actor)}
    newest = f"SELECT * FROM audit {where} ORDER BY seq DESC LIMIT :most"  # noqa: S608 - only names of parameters are put in
    found = await tx.rows(newest, values)
    known = await names(tx)
    return _page([(str(row["seq"]), rows.line(row, known, reading.mask)) for row in found])


async def lines_of(tx: Tx, reading: Reading, subject: str, also: str = "") -> tuple[Line, ...]:
    """What people did to one thing (known by a second name too), the oldest first."""
    found = await tx.rows(
        "SELECT * FROM audit WHERE subject = :subject OR (:also <> '' AND subject = :also) ORDER BY seq",
        {"subject": subject, "also": also},
    )
    known = await names(tx)
    return tuple(rows.line(row, known, reading.mask) for row in found)


async def _actors(tx: Tx, typed: str) -> Sequence[str]:
    """How the log may have named somebody: by address, by the id of the operator or of the key."""
    values = {"name": _like(typed.lower())}
    people = await tx.rows(f"SELECT id, email {PEOPLE}", values)
    keys = await tx.rows("SELECT id FROM api_key WHERE LOWER(name) LIKE :name ESCAPE '!' LIMIT 20", values)
    by_person = [name for row in people for name in (row["email"], f"operator:{row['id']}")]
    by_key = [name for row in keys for name in (row["id"], f"key:{row['id']}")]
    return [typed, *audit_words.ours(typed), *by_person, *by_key]


# ---- the overview ----------------------------------------------------------------------------------------------------


async def counts(tx: Tx, since: datetime) -> Counts:
    at = {"since": since.timestamp()}
    events = await tx.rows("SELECT result, COUNT(*) AS n FROM event WHERE received_at >= :since GROUP BY result", at)
    ended = await tx.rows("SELECT status, COUNT(*) AS n FROM interaction WHERE ended_at >= :since GROUP BY status", at)
    by_result, by_status = _counted(events, "result"), _counted(ended, "status")
    first = "SELECT COUNT(*) AS n FROM attempt WHERE at >= :since AND verb = 'send' AND reason = ''"
    asked = "SELECT COUNT(*) AS n FROM interaction WHERE created_at >= :since"
    failed = "SELECT COUNT(*) AS n FROM delivery WHERE state = 'failed' AND done_at >= :since"
    return Counts(
        events=sum(by_result.values()),
        held_back=sum(count for result, count in by_result.items() if result != "accepted"),
        told=await _count(tx, first, at),
        asked=await _count(tx, asked, at),
        decided=by_status.get("decided", 0),
        unanswered=sum(count for status, count in by_status.items() if status not in ("decided", "pending")),
        failed=await _count(tx, failed, at),
    )


async def queue(tx: Tx, at: datetime) -> Queue:
    row = await tx.row(
        "SELECT COUNT(*) AS waiting, SUM(CASE WHEN lease_until > :now THEN 1 ELSE 0 END) AS sending,"
        f" MIN(CASE WHEN due_at <= :now AND lease_until <= :now THEN due_at END) AS oldest{outbox.FROM_WORK}",
        {"now": at.timestamp()},
    )
    if row is None:
        return Queue()
    return Queue(row["waiting"], row["sending"] or 0, rows.moment_or_none(row["oldest"]))


async def anything(tx: Tx) -> bool:
    """Whether anything ever came in."""
    found = await tx.row("SELECT 1 AS yes WHERE EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM interaction)")
    return found is not None


async def _count(tx: Tx, sql: str, values: Mapping[str, object]) -> int:
    row = await tx.row(sql, values)
    return int(row["n"]) if row else 0


def _counted(found: Sequence[Row], name: str) -> dict[str, int]:
    return {row[name]: row["n"] for row in found}


def _page(found: Sequence[tuple[str, T]]) -> Listed[T]:
    """One page of the rows that were found, which are one more than a page where there is more."""
    shown = found[:PAGE]
    return Listed(tuple(item for _, item in shown), shown[-1][0] if len(found) > PAGE else "")


def _like(typed: str) -> str:
    """A LIKE pattern for text that holds this, whatever characters it has."""
    escaped = "".join(f"!{each}" if each in "!%_" else each for each in typed)
    return f"%{escaped}%"
