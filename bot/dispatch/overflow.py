"""More for one reader than a platform takes: the waiting notices become one digest.

The gravest stay alone, and so does what its reader has asked for and waits for.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.channels.contract import Reader, ReaderKind
from bot.clock import Clock
from bot.dispatch import outbox
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.pacing import Pacing, place_of
from bot.dispatch.records import iso
from bot.ids import new_id
from bot.store import DOUBLE, TEXT, Bulk, Row, Store, StoreUnavailable, Tx
from interactions import codec
from interactions.card import Card, Severity
from interactions.text import literal

CROWD = 20  # notices waiting for one reader on one channel before they are put together
AT_MOST = 5000  # of them in one digest
LATER = 1.0  # seconds until the digest goes out: what still arrives may join it
SHOWN = 15  # of them named in the digest
KEPT = 200  # of them remembered by name, for the case that the digest itself has to wait
HELD_UP = (
    f"SELECT id{outbox.FROM_WORK} AND shown < 0 AND channel = :channel AND reader_id = :reader"
    " AND lease_until <= :now AND rank > :gravest ORDER BY rank, created_at LIMIT :most "
)
WAITING = Bulk(
    "SELECT d.id, d.reader_kind, d.place, d.chain, d.rank, p.card, p.record FROM {rows}"
    " JOIN delivery d ON d.id = r.id JOIN post p ON p.ref = d.ref"
    " WHERE p.interaction_id = '' ORDER BY d.rank, d.created_at",
    {"id": TEXT},
    returning=True,
)
GROUPED = Bulk(
    "UPDATE delivery SET state = 'grouped', reason = r.digest, detail = r.detail, done_at = r.at"
    " FROM {rows} WHERE delivery.id = r.id AND delivery.state = 'open'",
    {"id": TEXT, "digest": TEXT, "detail": TEXT, "at": DOUBLE},
)
BEFORE_ALL = Bulk(
    "UPDATE delivery SET due_at = r.at, slot = 0 FROM {rows} WHERE delivery.id = r.id AND delivery.state = 'open'",
    {"id": TEXT, "at": DOUBLE},
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One copy that waits, as it was stored."""

    row: Row
    card: Card
    record: Mapping[str, JsonValue]

    @property
    def way(self) -> tuple[str, str, str]:
        return self.row["reader_kind"], self.row["place"], self.row["chain"]


@dataclass(frozen=True, slots=True)
class Crowd:
    """What waits, counted. A digest that waits itself counts as what it tells."""

    severities: Counter[Severity]
    titles: Counter[str]

    @property
    def size(self) -> int:
        return self.severities.total()


class Crowds:
    """Puts the crowds of this process together, each by one hand at a time."""

    def __init__(self, store: Store, pacing: Pacing, clock: Clock) -> None:
        self._store = store
        self._pacing = pacing
        self._clock = clock
        self._at_it: set[tuple[str, str]] = set()

    async def put_together(self, channel: str, reader_id: str) -> None:
        """More waits for one reader than can go out soon."""
        place = (channel, reader_id)
        if place in self._at_it:
            return
        self._at_it.add(place)
        at = self._clock.now()
        try:
            reader = await self._store.write(lambda tx: group(tx, channel, reader_id, at))
            if reader:  # their moments are free again, for the digest and for what comes after it
                booked = place_of(channel, reader.kind, reader.place or reader.id)
                await self._pacing.forget(booked, at.timestamp())
        except StoreUnavailable:
            return
        finally:
            self._at_it.discard(place)


async def group(tx: Tx, channel: str, reader_id: str, at: datetime) -> Reader | None:
    """Put the waiting notices of one reader into one digest; the reader, if they were. Questions stay alone."""
    held = await tx.rows(
        HELD_UP + tx.skip_locked,
        {
            "channel": channel,
            "reader": reader_id,
            "now": at.timestamp(),
            "gravest": outbox.last_rank(Severity.CRITICAL),
            "most": AT_MOST,
        },
    )
    waiting = [each for row in await tx.bulk(WAITING, [(row["id"],) for row in held]) if (each := _read(row))]
    notices = _going_one_way([each for each in waiting if not each.card.is_personal])
    if len(notices) < CROWD:
        return None
    ref, crowd, first = new_id(at), _counted(notices), notices[0].row
    post = NewPost(ref, digest_card(crowd), _record(crowd, at), rank=first["rank"])
    copy = _delivery(first, reader_id, at)
    await outbox.put_post(tx, post, at)
    await outbox.put_deliveries(tx, post, [copy], at)
    await tx.run("UPDATE delivery SET due_at = :due WHERE id = :id", {"id": copy.id, "due": at.timestamp() + LATER})
    detail = f"told together with {crowd.size - 1} others"
    await tx.bulk(GROUPED, [(each.row["id"], ref, detail, at.timestamp()) for each in notices])
    await tx.bulk(BEFORE_ALL, [(each.row["id"], at.timestamp()) for each in waiting if each.card.is_personal])
    return copy.reader


def _read(row: Row) -> Waiting | None:
    """What cannot be read is left to whoever takes it up and sets it aside."""
    try:
        record = json.loads(row["record"])
        return Waiting(row, codec.load_card(row["card"]), record) if isinstance(record, dict) else None
    except ValueError:
        return None


def _going_one_way(notices: Sequence[Waiting]) -> Sequence[Waiting]:
    """Most of them: one card for all goes nowhere where one of them may not, and misses no way of the others."""
    common = Counter(each.way for each in notices).most_common(1)
    return [each for each in notices if each.way == common[0][0]]


def _counted(notices: Sequence[Waiting]) -> Crowd:
    crowd = Crowd(Counter(), Counter())
    for each in notices:
        match each.record:
            case {"digest_of": _, "severities": dict(severities), "titles": dict(titles)}:
                crowd.severities.update({Severity(name): count for name, count in severities.items()})
                crowd.titles.update(titles)
            case _:
                crowd.severities[each.card.severity] += 1
                crowd.titles[each.card.title] += 1
    return crowd


def _record(crowd: Crowd, at: datetime) -> Mapping[str, JsonValue]:
    return {
        "digest_of": crowd.size,
        "at": iso(at),
        "severities": {str(severity): count for severity, count in crowd.severities.items()},
        "titles": dict(crowd.titles.most_common(KEPT)),
    }


def digest_card(crowd: Crowd) -> Card:
    """One card for many: how many of each severity, and which happened most."""
    gravest = min(crowd.severities, key=lambda severity: severity.rank)
    lines = [f"- {_times(count)}{literal(title)}" for title, count in crowd.titles.most_common(SHOWN)]
    more = len(crowd.titles) - SHOWN
    if more > 0:
        lines.append(f"- and {more} more kinds")
    counts = crowd.severities
    return Card(
        title=f"{crowd.size} notices at once",
        severity=gravest,
        text="More arrived than can be shown one by one, so here they are together.\n\n" + "\n".join(lines),
        facts=tuple((severity.capitalize(), str(counts[severity])) for severity in Severity if counts[severity]),
    )


def _times(count: int) -> str:
    return f"{count} times: " if count > 1 else ""


def _delivery(row: Row, reader_id: str, at: datetime) -> NewDelivery:
    reader = Reader(ReaderKind(row["reader_kind"]), reader_id, place=row["place"])
    return NewDelivery(new_id(at), reader, tuple(json.loads(row["chain"])))
