"""Sending again: a new copy of a post for a reader who has one already, or whom nothing has reached."""

import json
from datetime import datetime

from bot.channels.contract import Reader, ReaderKind
from bot.dispatch import outbox
from bot.dispatch.notice import Conflict, Unknown
from bot.dispatch.outbox import NewDelivery
from bot.dispatch.questions import Ledger
from bot.ids import new_id
from bot.store import Tx

COPY = f"SELECT d.*, p.version, ({outbox.WORK}) AS is_work{outbox.FROM_COPIES} WHERE d.id = :id"


async def send_again(tx: Tx, ledger: Ledger, delivery_id: str, at: datetime, by: str, place: str) -> str:
    """Put one more copy into the outbox, from the beginning of the same chain; its id. Raises Unknown, Conflict."""
    row = await tx.row(COPY, {"id": delivery_id})
    if row is None:
        raise Unknown("there is no delivery with this id", "id")
    caller = row["reader_kind"] == ReaderKind.CALLER
    if row["is_work"]:
        raise Conflict("it is still being sent; look at it again in a minute", "id")
    if caller and row["version"] == 0:
        raise Conflict("there is nothing to tell the caller before it has ended", "id")
    reader = Reader(ReaderKind(row["reader_kind"]), row["reader_id"], place=row["place"])
    copy = NewDelivery(new_id(at), reader, tuple(json.loads(row["chain"])), shown=0 if caller else -1)
    await outbox.put_copy(tx, row["ref"], copy, row["rank"], row["version"], at)
    await ledger.record(tx, at, by, "delivery.sent_again", row["ref"], place, {"delivery": delivery_id, "as": copy.id})
    return copy.id
