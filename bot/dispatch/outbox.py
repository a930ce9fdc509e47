"""The outbox: posts and deliveries as rows, and what changes them. Every function is part of a store's job.

A delivery is work while it is open and `shown < wanted`; `leases` says who works on it, and keeps what became of it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue
from pydantic_core import to_json

from bot.channels.contract import Reader
from bot.store import DOUBLE, INTEGER, TEXT, Bulk, Tx, Values
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
