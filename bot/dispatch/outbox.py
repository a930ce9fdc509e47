"""The outbox: posts and deliveries as rows. The SQL of the hot path is here; every function is part of a store's job.

A delivery is work while it is open and `shown < wanted`. Whoever works on it holds its lease; a result is kept only by
the holder, so that a worker that was thought dead cannot overwrite what its successor did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue
from pydantic_core import to_json

from bot.channels.contract import Reader, ReaderKind, Receipt
from bot.ids import new_id
from bot.store import DOUBLE, INTEGER, TEXT, Bulk, Row, Tx, Values, Write
from interactions import codec
from interactions.card import Card, Severity

LEASE_SECONDS = 15.0  # renewed while the work goes on; how long a dead worker holds up what it had
WORK = "state = 'open' AND shown < wanted"  # of deliveries; ix_delivery_work holds exactly these
FROM_WORK = f" FROM delivery WHERE {WORK}"
FROM_COPIES = " FROM delivery d JOIN post p ON p.ref = d.ref"
POST = Bulk(
    "INSERT INTO post (ref, card, record, version, rank, interaction_id, thread, cooldown, created_at, changed_at)"
    " SELECT ref, card, record, 0, rank, interaction_id, thread, cooldown, at, at FROM {rows}",
    {
        "ref": TEXT,
        "card": TEXT,
        "record": TEXT,
        "rank": INTEGER,
        "interaction_id": TEXT,
        "thread": TEXT,
        "cooldown": TEXT,
        "at": DOUBLE,
    },
)
DELIVERY = Bulk(
    "INSERT INTO delivery (id, ref, reader_kind, reader_id, place, chain, step, channel, wanted, shown, receipt,"
    " rank, due_at, slot, lease, lease_until, tries, state, reason, detail, created_at, done_at)"
    " SELECT id, ref, kind, reader, place, chain, 0, channel, wanted, shown, NULL,"
    " rank, at, 0, lease, until, 0, 'open', '', '', at, NULL FROM {rows}",
    {
        "id": TEXT,
        "ref": TEXT,
        "kind": TEXT,
        "reader": TEXT,
        "place": TEXT,
        "chain": TEXT,
        "channel": TEXT,
        "wanted": INTEGER,
        "shown": INTEGER,
        "rank": INTEGER,
        "at": DOUBLE,
        "lease": TEXT,
        "until": DOUBLE,
    },
)
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


class State(StrEnum):
    """How a copy stands. Open is also what is at rest until there is more to show: see WORK."""

    OPEN = "open"
    DONE = "done"  # it shows what it should
    FAILED = "failed"  # nobody takes it, or it cannot be brought up to date
    GROUPED = "grouped"  # a digest tells it


class NewPost(NamedTuple):
    """A card that is to be shown to readers. `cooldown` is the reservation to give back if nobody can be told."""

    ref: str
    card: Card
    record: Mapping[str, JsonValue]
    interaction_id: str = ""
    thread: str = ""
    cooldown: str = ""
    rank: int | None = None


class NewDelivery(NamedTuple):
    """One reader's copy. `shown` is 0 for a reader who is told nothing before something changes."""

    id: str
    reader: Reader
    chain: tuple[str, ...]
    shown: int = -1


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


async def put_post(tx: Tx, post: NewPost, at: datetime) -> None:
    await tx.bulk(POST, [post_row(post, at)])


async def put_deliveries(
    tx: Tx, post: NewPost, deliveries: Sequence[NewDelivery], at: datetime, lease: str = ""
) -> None:
    """The copies, due at once. With a lease they belong to the worker of that name from the beginning."""
    await tx.bulk(DELIVERY, delivery_rows(post.ref, rank_of(post), deliveries, at, lease))


async def put_copy(tx: Tx, ref: str, copy: NewDelivery, rank: int, version: int, at: datetime) -> None:
    """One more copy of a post that stands already."""
    await tx.bulk(DELIVERY, delivery_rows(ref, rank, [copy], at, wanted=version))


def post_row(post: NewPost, at: datetime) -> Values:
    return (
        post.ref,
        codec.dump_card(post.card),
        to_json(post.record).decode(),
        rank_of(post),
        post.interaction_id,
        post.thread,
        post.cooldown,
        at.timestamp(),
    )


def delivery_rows(
    ref: str, rank: int, deliveries: Sequence[NewDelivery], at: datetime, lease: str = "", wanted: int = 0
) -> list[Values]:
    now = at.timestamp()
    return [
        (
            each.id,
            ref,
            str(each.reader.kind),
            each.reader.id,
            each.reader.place,
            to_json(each.chain).decode(),
            each.chain[0],
            wanted,
            each.shown,
            rank,
            now,
            lease if each.shown < 0 else "",
            now + LEASE_SECONDS if lease and each.shown < 0 else 0.0,
        )
        for each in deliveries
    ]


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


async def raise_version(
    tx: Tx, ref: str, card: Card, record: Mapping[str, JsonValue], at: datetime, tell_caller: bool = True
) -> None:
    """The card has changed: every copy that can still show it is to be brought up to date, and the caller told."""
    changed = {"ref": ref, "card": codec.dump_card(card), "record": json.dumps(record), "at": at.timestamp()}
    await tx.run(
        "UPDATE post SET card = :card, record = :record, version = version + 1, changed_at = :at WHERE ref = :ref",
        changed,
    )
    await tx.run(
        "UPDATE delivery SET wanted = (SELECT version FROM post WHERE ref = :ref), due_at = :at, tries = 0, slot = 0,"
        " state = 'open', done_at = NULL WHERE ref = :ref AND reader_kind <> :not_told"
        " AND (state IN ('open', 'done') OR (state = 'failed' AND receipt IS NOT NULL))",
        {"ref": ref, "at": at.timestamp(), "not_told": "" if tell_caller else "caller"},
    )


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


async def any_copy_left(tx: Tx, ref: str) -> bool:
    """Whether some person has or may still get a copy of this post: also one that could not be brought up to date."""
    row = await tx.row(
        "SELECT 1 AS yes FROM delivery WHERE ref = :ref AND reader_kind <> 'caller'"
        " AND (state IN ('open', 'done') OR receipt IS NOT NULL) LIMIT 1",
        {"ref": ref},
    )
    return row is not None


def rank_of(post: NewPost) -> int:
    """What presses goes first: by severity, and a question before a mere notice of the same severity."""
    if post.rank is not None:
        return post.rank
    last = last_rank(post.card.severity)
    return last - 1 if post.interaction_id else last


def last_rank(severity: Severity) -> int:
    """The rank of what goes out last among what is as severe as this."""
    return severity.rank * 2 + 1


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
