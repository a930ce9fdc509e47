"""Leases: taking up deliveries that are work, and keeping what became of them. Every function is part of a store's job.

Whoever works on a delivery holds its lease; a result is kept only by the holder, so that a worker that was thought
dead cannot overwrite what its successor did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from bot.channels.contract import Reader, ReaderKind, Receipt
from bot.dispatch.outbox import FROM_WORK, LEASE_SECONDS, WORK, NewDelivery, NewPost, State, rank_of
from bot.ids import new_id
from bot.store import DOUBLE, INTEGER, TEXT, Bulk, Row, Tx, Values, Write
from interactions import codec
from interactions.card import Card

ATTEMPT = Bulk.insert(
    "attempt",
    {
        "id": TEXT,
        "delivery_id": TEXT,
        "channel": TEXT,
        "verb": TEXT,
        "version": INTEGER,
        "at": DOUBLE,
        "took_ms": DOUBLE,
        "reason": TEXT,
        "detail": TEXT,
    },
)
KEEP = Bulk(
    "UPDATE delivery SET shown = r.shown, receipt = r.receipt, step = r.step, channel = r.channel, due_at = r.due,"
    " slot = r.slot, tries = r.tries,"
    " state = CASE WHEN r.state = 'done' AND delivery.wanted > r.shown THEN 'open' ELSE r.state END,"
    " reason = r.reason, detail = r.detail, lease = '', lease_until = 0, done_at = r.done"
    " FROM {rows} WHERE delivery.id = r.id AND delivery.lease = r.lease"
    " RETURNING delivery.id AS id, delivery.state AS state",
    {
        "id": TEXT,
        "lease": TEXT,
        "shown": INTEGER,
        "receipt": TEXT,
        "step": INTEGER,
        "channel": TEXT,
        "due": DOUBLE,
        "slot": DOUBLE,
        "tries": INTEGER,
        "state": TEXT,
        "reason": TEXT,
        "detail": TEXT,
        "done": DOUBLE,
    },
    returning=True,
)
RENEW = Bulk(
    "UPDATE delivery SET lease_until = r.until FROM {rows} WHERE delivery.id = r.id AND delivery.lease = r.lease",
    {"id": TEXT, "lease": TEXT, "until": DOUBLE},
)
CLAIM = "UPDATE delivery SET lease = :lease, lease_until = :until WHERE id IN "
RELEASE = "UPDATE delivery SET lease = '', lease_until = 0"
CLAIMABLE = (
    f"SELECT id{FROM_WORK} AND channel = :channel AND due_at <= :now AND lease_until <= :now"
    " ORDER BY rank, due_at LIMIT :places "
)
CLAIMED = Bulk(
    "SELECT d.*, p.card, p.record, p.version, p.changed_at, p.interaction_id, p.thread, p.cooldown"
    " FROM {rows} JOIN delivery d ON d.id = r.id JOIN post p ON p.ref = d.ref",
    {"id": TEXT},
    returning=True,
)
UNREADABLE = "the stored card cannot be read"
SET_ASIDE = Bulk(
    "UPDATE delivery SET state = 'failed', reason = 'invalid', detail = r.detail, lease = ''"
    " FROM {rows} WHERE delivery.id = r.id",
    {"id": TEXT, "detail": TEXT},
)
_CLAIMABLE_AT = "CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END"
NEXT_DUE = f"SELECT MIN({_CLAIMABLE_AT}) AS due{FROM_WORK} AND {_CLAIMABLE_AT} > :after"
WAITING_CHANNELS = f"SELECT DISTINCT channel{FROM_WORK} AND due_at <= :since"


class Claim(NamedTuple):
    """One delivery that this worker holds, with everything that showing it takes."""

    id: str
    ref: str
    lease: str
    reader_kind: ReaderKind
    reader_id: str
    place: str
    chain: tuple[str, ...]
    step: int
    version: int
    shown: int
    receipt: Receipt | None
    rank: int
    slot: float
    tries: int
    created_at: float
    changed_at: float
    card: Card
    record: Mapping[str, JsonValue]
    interaction_id: str
    thread: str
    cooldown: str
    reader: Reader | None = None

    @property
    def channel(self) -> str:
        return self.chain[self.step]

    @property
    def wanted_since(self) -> float:
        """Since when it shows less than it should: a question may have been decided long after it was shown."""
        return max(self.created_at, self.changed_at)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A delivery whose row makes no sense; it is closed as failed."""

    id: str
    ref: str
    interaction_id: str
    error: str


class Attempt(NamedTuple):
    channel: str
    verb: str
    version: int
    at: datetime
    took_ms: float
    reason: str = ""
    detail: str = ""


class Kept(NamedTuple):
    """What became of a claim. One that is done is open again at once where more is wanted by then."""

    claim: Claim
    attempts: Sequence[Attempt]
    shown: int
    receipt: Receipt | None = None
    step: int = 0
    state: State = State.OPEN
    due_at: float = 0.0
    slot: float = 0.0
    tries: int = 0
    reason: str = ""
    detail: str = ""


def claims_of(post: NewPost, deliveries: Sequence[NewDelivery], at: datetime, lease: str) -> list[Claim]:
    """What was just put with this lease, as claims: the first send needs no second read."""
    return [
        Claim(
            id=each.id,
            ref=post.ref,
            lease=lease,
            reader_kind=each.reader.kind,
            reader_id=each.reader.id,
            place=each.reader.place,
            chain=each.chain,
            step=0,
            version=0,
            shown=-1,
            receipt=None,
            rank=rank_of(post),
            slot=0.0,
            tries=0,
            created_at=at.timestamp(),
            changed_at=at.timestamp(),
            card=post.card,
            record=post.record,
            interaction_id=post.interaction_id,
            thread=post.thread,
            cooldown=post.cooldown,
            reader=each.reader,
        )
        for each in deliveries
        if each.shown < 0
    ]


async def claim(tx: Tx, lease: str, room: Mapping[str, int], at: datetime) -> tuple[list[Claim], list[Unreadable]]:
    """Take due work, the most pressing first, at most `room[channel]` each; and what had to be set aside."""
    now = at.timestamp()
    taken: list[Values] = []
    for channel, places in room.items():
        if places > 0:
            found = await tx.rows(
                f"{CLAIM}({CLAIMABLE}{tx.skip_locked}) RETURNING id",
                {"lease": lease, "until": now + LEASE_SECONDS, "channel": channel, "now": now, "places": places},
            )
            taken += [(row["id"],) for row in found]
    if not taken:
        return [], []
    read = [_read(row, lease) for row in await tx.bulk(CLAIMED, taken)]
    aside = [each for each in read if isinstance(each, Unreadable)]
    if aside:  # else they would hold up the queue behind them
        await tx.bulk(SET_ASIDE, [(each.id, f"{UNREADABLE}: {each.error}") for each in aside])
    return sorted((each for each in read if isinstance(each, Claim)), key=lambda each: each.rank), aside


def renewed(ids: Sequence[str], lease: str, at: datetime) -> Write:
    return Write(RENEW, [(each, lease, at.timestamp() + LEASE_SECONDS) for each in ids])


async def release_all(tx: Tx) -> None:
    """Whoever held something is gone: for a process that knows that it is the only one."""
    await tx.run(f"{RELEASE} WHERE {WORK} AND lease <> ''")


async def next_due(tx: Tx, after: datetime) -> float | None:
    """When more work may be claimed than could be at the given moment."""
    row = await tx.row(NEXT_DUE, {"after": after.timestamp()})
    return row["due"] if row else None


async def waiting_channels(tx: Tx, since: datetime) -> list[str]:
    """The channels that have had something to do since then, whether or not there is a channel of that name here."""
    return [row["channel"] for row in await tx.rows(WAITING_CHANNELS, {"since": since.timestamp()})]


async def keep(tx: Tx, kept: Kept, at: datetime) -> str:
    """Write what became of a claim, with its attempts; the state it is in now, "" if somebody else holds it by now."""
    return state_in([row for write in kept_writes(kept, at) for row in await tx.bulk(write.bulk, write.rows)])


async def open_again(tx: Tx, claim: Claim, at: datetime) -> str:
    """The state of a copy that was closed as failed: open if what was refused is not what it should show by now."""
    changed = await tx.run(
        "UPDATE delivery SET state = 'open', due_at = :at, tries = 0, done_at = NULL"
        " WHERE id = :id AND wanted > :version",
        {"id": claim.id, "version": claim.version, "at": at.timestamp()},
    )
    return State.OPEN if changed else State.FAILED


def kept_writes(kept: Kept, at: datetime) -> tuple[Write, ...]:
    """The same as writes that others may share; `state_in` reads what they give back."""
    claim = kept.claim
    row = (
        claim.id,
        claim.lease,
        kept.shown,
        _dump_receipt(kept.receipt),
        kept.step,
        claim.chain[kept.step],
        kept.due_at,
        kept.slot,
        kept.tries,
        kept.state.value,
        kept.reason,
        kept.detail,
        None if kept.state is State.OPEN else at.timestamp(),
    )
    keep = Write(KEEP, [row])
    attempts = [_attempt_row(claim.id, attempt) for attempt in kept.attempts]
    return (Write(ATTEMPT, attempts), keep) if attempts else (keep,)


def state_in(found: Sequence[Row]) -> str:
    return str(found[0]["state"]) if found else ""


def _attempt_row(delivery: str, attempt: Attempt) -> Values:
    return (
        new_id(attempt.at),
        delivery,
        attempt.channel,
        attempt.verb,
        attempt.version,
        attempt.at.timestamp(),
        attempt.took_ms,
        attempt.reason,
        attempt.detail[:2000],
    )


def _read(row: Row, lease: str) -> Claim | Unreadable:
    try:
        return _claim_from(row, lease)
    except (ValueError, TypeError) as error:
        return Unreadable(row["id"], row["ref"], row["interaction_id"], type(error).__name__)


def _claim_from(row: Row, lease: str) -> Claim:
    return Claim(
        id=row["id"],
        ref=row["ref"],
        lease=lease,
        reader_kind=ReaderKind(row["reader_kind"]),
        reader_id=row["reader_id"],
        place=row["place"],
        chain=tuple(json.loads(row["chain"])),
        step=row["step"],
        version=row["version"],
        shown=row["shown"],
        receipt=load_receipt(row["receipt"]),
        rank=row["rank"],
        slot=row["slot"],
        tries=row["tries"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        card=codec.load_card(row["card"]),
        record=json.loads(row["record"]),
        interaction_id=row["interaction_id"],
        thread=row["thread"],
        cooldown=row["cooldown"],
    )


def _dump_receipt(receipt: Receipt | None) -> str | None:
    if receipt is None:
        return None
    return json.dumps([receipt.channel, receipt.place, receipt.message, dict(receipt.extra)])


def load_receipt(row: str | None) -> Receipt | None:
    if row is None:
        return None
    channel, place, message, extra = json.loads(row)
    return Receipt(channel, place, message, extra)
