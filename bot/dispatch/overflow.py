"""More for one reader than a platform takes: the waiting notices become one digest, the gravest stay alone."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from bot.channels.contract import Reader, ReaderKind
from bot.dispatch import outbox
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.records import iso
from bot.ids import new_id
from bot.store import Row, Tx
from interactions import codec
from interactions.card import Card, Severity

CROWD = 20  # notices waiting for one reader on one channel before they are put together
AT_MOST = 5000  # of them in one digest
SHOWN = 15  # of them named in the digest


async def group(tx: Tx, channel: str, reader_id: str, at: datetime) -> int:
    """Put the waiting notices of one reader into one digest; how many were. Questions are never put together."""
    waiting = await tx.rows(
        "SELECT d.id, d.reader_kind, d.place, d.chain, d.rank, p.card FROM delivery d JOIN post p ON p.ref = d.ref"
        " WHERE d.channel = :channel AND d.reader_id = :reader AND d.state = 'open' AND d.shown < 0"
        " AND d.lease_until <= :now AND p.interaction_id = '' AND d.rank > :gravest"
        " ORDER BY d.rank, d.created_at LIMIT :most",
        {
            "channel": channel,
            "reader": reader_id,
            "now": at.timestamp(),
            "gravest": Severity.CRITICAL.rank * 2 + 1,
            "most": AT_MOST,
        },
    )
    if len(waiting) < CROWD:
        return 0
    ref = new_id(at)
    cards = [codec.load_card(row["card"]) for row in waiting]
    post = NewPost(ref, digest_card(cards), {"digest_of": len(waiting), "at": iso(at)}, rank=waiting[0]["rank"])
    await outbox.put_post(tx, post, at)
    await outbox.put_deliveries(tx, post, [_delivery(waiting[0], reader_id, at)], at)
    detail = f"told together with {len(waiting) - 1} others"
    await tx.many(
        "UPDATE delivery SET state = 'grouped', reason = :ref, detail = :detail, done_at = :at WHERE id = :id",
        [{"id": row["id"], "ref": ref, "detail": detail, "at": at.timestamp()} for row in waiting],
    )
    return len(waiting)


def digest_card(cards: Sequence[Card]) -> Card:
    """One card for many: how many of each severity, and which happened most."""
    gravest = min((card.severity for card in cards), key=lambda severity: severity.rank)
    counts = Counter(card.severity for card in cards)
    titles = Counter(card.title for card in cards)
    lines = [f"- {_times(count)}{_plain(title)}" for title, count in titles.most_common(SHOWN)]
    more = len(titles) - SHOWN
    if more > 0:
        lines.append(f"- and {more} more kinds")
    return Card(
        title=f"{len(cards)} notices at once",
        severity=gravest,
        text="More arrived than can be shown one by one, so here they are together.\n\n" + "\n".join(lines),
        facts=tuple((severity.capitalize(), str(counts[severity])) for severity in Severity if counts[severity]),
    )


def _times(count: int) -> str:
    return f"{count} times: " if count > 1 else ""


def _plain(title: str) -> str:
    """A title is data: its markdown must not become ours."""
    return "".join(f"\\{each}" if each in r"\`*_{}[]()#+-.!|<>~" else each for each in " ".join(title.split()))


def _delivery(row: Row, reader_id: str, at: datetime) -> NewDelivery:
    reader = Reader(ReaderKind(row["reader_kind"]), reader_id, place=row["place"])
    return NewDelivery(new_id(at), reader, tuple(json.loads(row["chain"])))
