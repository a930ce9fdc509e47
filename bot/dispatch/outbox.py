"""The outbox: posts and deliveries as rows. The SQL of the hot path is here; every function is part of a store's job.

A delivery is work while it is open and `shown < wanted`. Whoever works on it holds its lease; a result is kept only by
the holder, so that a worker that was thought dead cannot overwrite what its successor did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.channels.contract import Reader, ReaderKind, Receipt
from bot.ids import new_id
from bot.store import Row, Tx
from interactions import codec
from interactions.card import Card

LEASE_SECONDS = 15.0  # renewed while the work goes on; how long a dead worker holds up what it had
CLAIM = (
    "UPDATE delivery SET lease = :lease, lease_until = :until WHERE id IN ("
    "SELECT id FROM delivery WHERE channel = :channel AND state = 'open' AND shown < wanted"
    " AND due_at <= :now AND lease_until <= :now ORDER BY rank, due_at LIMIT :places "
)


@dataclass(frozen=True, slots=True)
class NewPost:
    """A card that is to be shown to readers. `cooldown` is the reservation to give back if nobody can be told."""

    ref: str
    card: Card
    record: Mapping[str, JsonValue]
    interaction_id: str = ""
    thread: str = ""
    cooldown: str = ""
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One reader's copy. `shown` is 0 for a reader who is told nothing before something changes."""

    id: str
    reader: Reader
    chain: tuple[str, ...]
    shown: int = -1


@dataclass(frozen=True, slots=True)
class Claim:
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
    card: Card
    record: Mapping[str, JsonValue]
    interaction_id: str
    thread: str
    cooldown: str
    reader: Reader | None = None

    @property
    def channel(self) -> str:
        return self.chain[self.step]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A delivery whose row makes no sense; it is closed as failed."""

    ref: str
    interaction_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    channel: str
    verb: str
    version: int
    at: datetime
    took_ms: float
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a claim. `state` done means that the copy is as wanted; it is open again when more is wanted."""

    claim: Claim
    attempts: Sequence[Attempt]
    shown: int
    receipt: Receipt | None = None
    step: int = 0
    state: str = "open"
    due_at: float = 0.0
    slot: float = 0.0
    tries: int = 0
    reason: str = ""
    detail: str = ""


async def put_post(tx: Tx, post: NewPost, at: datetime) -> None:
    await tx.run(
        "INSERT INTO post (ref, card, record, version, rank, interaction_id, thread, cooldown, created_at,"
        " changed_at) VALUES (:ref, :card, :record, 0, :rank, :interaction, :thread, :cooldown, :at, :at)",
        {
            "ref": post.ref,
            "card": codec.dump_card(post.card),
            "record": json.dumps(post.record),
            "rank": rank_of(post),
            "interaction": post.interaction_id,
            "thread": post.thread,
            "cooldown": post.cooldown,
            "at": at.timestamp(),
        },
    )


async def put_deliveries(
    tx: Tx, post: NewPost, deliveries: Sequence[NewDelivery], at: datetime, lease: str = "", wanted: int = 0
) -> None:
    """The copies, due at once. With a lease they belong to the worker of that name from the beginning."""
    now = at.timestamp()
    await tx.many(
        "INSERT INTO delivery (id, ref, reader_kind, reader_id, place, chain, step, channel, wanted, shown, receipt,"
        " rank, due_at, slot, lease, lease_until, tries, state, reason, detail, created_at, done_at)"
        " VALUES (:id, :ref, :kind, :reader, :place, :chain, 0, :channel, :wanted, :shown, NULL, :rank,"
        " :now, 0, :lease, :until, 0, 'open', '', '', :now, NULL)",
        [
            {
                "id": each.id,
                "ref": post.ref,
                "kind": str(each.reader.kind),
                "reader": each.reader.id,
                "place": each.reader.place,
                "chain": json.dumps(each.chain),
                "channel": each.chain[0],
                "wanted": wanted,
                "shown": each.shown,
                "rank": rank_of(post),
                "now": now,
                "lease": lease if each.shown < 0 else "",
                "until": now + LEASE_SECONDS if lease and each.shown < 0 else 0.0,
            }
            for each in deliveries
        ],
    )


async def put_copy(tx: Tx, ref: str, copy: NewDelivery, rank: int, version: int, at: datetime) -> None:
    """One more copy of a post that stands already."""
    post = NewPost(ref, Card(""), {}, rank=rank)
    await put_deliveries(tx, post, [copy], at, wanted=version)


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
        " state = 'open', done_at = NULL WHERE ref = :ref AND state IN ('open', 'done') AND reader_kind <> :not_told",
        {"ref": ref, "at": at.timestamp(), "not_told": "" if tell_caller else "caller"},
    )


async def claim(tx: Tx, lease: str, room: Mapping[str, int], at: datetime) -> tuple[list[Claim], list[Unreadable]]:
    """Take due work, the most pressing first, at most `room[channel]` each; and what had to be set aside."""
    now = at.timestamp()
    claimed: list[Claim] = []
    aside: list[Unreadable] = []
    for channel, places in room.items():
        if places <= 0:
            continue
        taken = await tx.rows(
            CLAIM + tx.skip_locked + ") RETURNING id",
            {"lease": lease, "until": now + LEASE_SECONDS, "channel": channel, "now": now, "places": places},
        )
        for each in taken:
            match await _load(tx, each["id"], lease):
                case Claim() as loaded:
                    claimed.append(loaded)
                case Unreadable() as unreadable:
                    aside.append(unreadable)
    return sorted(claimed, key=lambda each: each.rank), aside


async def renew(tx: Tx, ids: Sequence[str], lease: str, at: datetime) -> None:
    await tx.many(
        "UPDATE delivery SET lease_until = :until WHERE id = :id AND lease = :lease",
        [{"id": each, "lease": lease, "until": at.timestamp() + LEASE_SECONDS} for each in ids],
    )


async def release_all(tx: Tx) -> None:
    """Whoever held something is gone: for a process that knows that it is the only one."""
    await tx.run("UPDATE delivery SET lease = '', lease_until = 0 WHERE lease <> ''")


async def next_due(tx: Tx, at: datetime) -> float | None:
    """When the earliest work falls due that nobody holds beyond that moment."""
    row = await tx.row(
        "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS due FROM delivery"
        " WHERE state = 'open' AND shown < wanted"
    )
    return row["due"] if row else None


async def keep(tx: Tx, kept: Kept, at: datetime) -> str:
    """Write what became of a claim, with its attempts; the state it is in now, "" if somebody else holds it by now."""
    for attempt in kept.attempts:
        await put_attempt(tx, kept.claim.id, attempt)
    claim = kept.claim
    row = await tx.row(
        "UPDATE delivery SET shown = :shown, receipt = :receipt, step = :step, channel = :channel, due_at = :due,"
        " slot = :slot, tries = :tries,"
        " state = CASE WHEN :state = 'done' AND wanted > :shown THEN 'open' ELSE :state END,"
        " reason = :reason, detail = :detail, lease = '', lease_until = 0,"
        " done_at = :done"
        " WHERE id = :id AND lease = :lease RETURNING state",
        {
            "id": claim.id,
            "lease": claim.lease,
            "shown": kept.shown,
            "receipt": _dump_receipt(kept.receipt),
            "step": kept.step,
            "channel": claim.chain[kept.step],
            "due": kept.due_at,
            "slot": kept.slot,
            "tries": kept.tries,
            "state": kept.state,
            "reason": kept.reason,
            "detail": kept.detail,
            "done": None if kept.state == "open" else at.timestamp(),
        },
    )
    return str(row["state"]) if row else ""


async def put_attempt(tx: Tx, delivery: str, attempt: Attempt) -> None:
    await tx.run(
        "INSERT INTO attempt (id, delivery_id, channel, verb, version, at, took_ms, reason, detail)"
        " VALUES (:id, :delivery, :channel, :verb, :version, :at, :took, :reason, :detail)",
        {
            "id": new_id(attempt.at),
            "delivery": delivery,
            "channel": attempt.channel,
            "verb": attempt.verb,
            "version": attempt.version,
            "at": attempt.at.timestamp(),
            "took": attempt.took_ms,
            "reason": attempt.reason,
            "detail": attempt.detail[:2000],
        },
    )


async def any_copy_left(tx: Tx, ref: str) -> bool:
    """Whether some person has or may still get a copy of this post."""
    row = await tx.row(
        "SELECT 1 AS yes FROM delivery WHERE ref = :ref AND reader_kind <> 'caller'"
        " AND state IN ('open', 'done') LIMIT 1",
        {"ref": ref},
    )
    return row is not None


def rank_of(post: NewPost) -> int:
    """What presses goes first: by severity, and a question before a mere notice of the same severity."""
    return post.rank if post.rank is not None else post.card.severity.rank * 2 + (0 if post.interaction_id else 1)


async def _load(tx: Tx, delivery: str, lease: str) -> Claim | Unreadable | None:
    """The claim; a row that cannot be read is set aside, so that the queue behind it flows."""
    row = await tx.row(
        "SELECT d.*, p.card, p.record, p.version, p.interaction_id, p.thread, p.cooldown"
        " FROM delivery d JOIN post p ON p.ref = d.ref WHERE d.id = :id",
        {"id": delivery},
    )
    try:
        return None if row is None else _claim_from(row, lease)
    except (ValueError, TypeError) as error:
        await tx.run(
            "UPDATE delivery SET state = 'failed', reason = 'invalid', detail = :detail, lease = '' WHERE id = :id",
            {"id": delivery, "detail": f"the stored card cannot be read: {type(error).__name__}"},
        )
        return Unreadable(row["ref"], row["interaction_id"]) if row else None


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
