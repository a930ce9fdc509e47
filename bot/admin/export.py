"""One request as one file: what was asked, what was shown, who was told, who clicked, what stands. For auditors."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from pydantic import JsonValue

from bot import signing
from bot.admin import reading, why
from bot.admin.reading import Reading
from bot.admin.rows import Attempt, Copy, Line, moment
from bot.store import Row, Tx
from interactions.codec import load_requester


async def request_file(tx: Tx, looking: Reading, request_id: str) -> dict[str, JsonValue] | None:
    """Everything about a request as JSON; None where there is none.

    `digest_covers` is exactly what the digest was made of; `digest_holds` is whether it still gives the same digest.
    """
    row = await reading.request_row(tx, request_id)
    if row is None:
        return None
    post = await tx.row("SELECT card, version FROM post WHERE ref = :ref", {"ref": row["ref"]})
    names = await reading.names(tx)
    copies = await reading.copies_of(tx, looking, row["ref"])
    attempts = await reading.attempts_of(tx, looking, row["ref"])
    lines = await reading.lines_of(tx, looking, request_id, row["ref"])
    return {
        "id": row["id"],
        "kind": row["kind"],
        "status": row["status"],
        "because": row["ended_because"],
        **{name: _iso(row[name]) for name in ("created_at", "expires_at", "ended_at", "consumed_at")},
        "producer": names.producer(row["producer"]),
        "asked": [{"id": each, "name": names.operator(each)} for each in json.loads(row["audience"])],
        "approvals_needed": row["approvals"],
        "digest": row["digest"],
        "digest_covers": dict(covered(row)),
        "digest_holds": holds(row),
        "card": json.loads(post["card"]) if post else None,
        "card_version": post["version"] if post else None,
        "deliveries": [_copy(each, attempts) for each in copies],
        "clicks": [_line(each) for each in lines],
        "votes": json.loads(row["votes"]),
        "decision": json.loads(row["ruling"]) if row["ruling"] else None,
    }


def covered(row: Row) -> Mapping[str, JsonValue]:
    """What the digest of a request was made of."""
    requester = asdict(load_requester(row["requester"]))
    return {"kind": row["kind"], "payload": json.loads(row["payload"]), "requester": requester}


def holds(row: Row) -> bool:
    """Whether what is stored still has the digest that was decided on."""
    requester = asdict(load_requester(row["requester"]))
    return bool(row["digest"] == signing.digest(row["kind"], json.loads(row["payload"]), requester))


def _copy(copy: Copy, attempts: tuple[Attempt, ...]) -> JsonValue:
    return {
        "id": copy.id,
        "reader": copy.reader,
        "channel": copy.channel,
        "standing": str(copy.standing),
        "why": why.standing(copy),
        "created_at": copy.created_at.isoformat(),
        "attempts": [_attempt(each) for each in attempts if each.delivery == copy.id],
    }


def _attempt(attempt: Attempt) -> JsonValue:
    return {
        "at": attempt.at.isoformat(),
        "channel": attempt.channel,
        "verb": attempt.verb,
        "took_ms": attempt.took_ms,
        "reason": attempt.reason,
        "detail": attempt.detail,
    }


def _line(line: Line) -> JsonValue:
    return {
        "seq": line.seq,
        "at": line.at.isoformat(),
        "actor": line.actor,
        "on_behalf": line.on_behalf,
        "action": line.action,
        "place": line.place,
        "detail": dict(line.detail),
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else _words(moment(seconds))


def _words(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
