"""A test notification: through the whole pipeline on one channel, and what each step of it answered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from aiohttp import web

from bot.admin.site import Faces, Moved, Page, Shown, Visit, page
from bot.channels.contract import CALLER_CHANNEL, Channel, Check
from bot.dispatch.notice import Audience, Fault, Unknown
from bot.doctor import way_back
from bot.doctor.examination import questioned
from bot.doctor.round_trip import mend_of
from bot.logs import Mask
from bot.store import Row, Tx
from interactions.card import Card, Severity
from interactions.model import Role

HOME = "/admin/notifications"
CARD = Card(
    title="A test from Gatebell",
    severity=Severity.INFO,
    text="If you read this, notifications reach you here. There is nothing to do.",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, failed or still to come; `answer` is what the platform said."""

    name: str
    tone: str
    answer: str = ""
    mend: str = ""
    at: float | None = None


@page("POST", HOME + "/channel/{name}/test", Role.ADMIN)
async def send(visit: Visit) -> Moved:
    name = visit.request.match_info["name"]
    if name not in visit.faces.channels() or name == CALLER_CHANNEL:
        raise web.HTTPNotFound
    me = Audience((visit.who.operator.id,), channel=name)
    try:
        ref = await visit.faces.dispatcher.show(CARD, me)
    except Fault as fault:
        return Moved(f"{HOME}#{name}", f"Nothing was sent: {fault.words}.", bad=True)
    await visit.faces.ledger.write(visit.faces.clock.now(), visit.by, "test.sent", name)
    return Moved(f"{HOME}/test/{quote(ref, safe='')}")


@page("GET", HOME + "/test/{ref}", Role.ADMIN)
async def look(visit: Visit) -> Shown:
    ref, faces = visit.request.match_info["ref"], visit.faces
    found = await faces.store.read(lambda tx: _written(tx, ref))
    if found is None:
        raise Unknown("there is no such test", "ref")
    delivery, attempts = found
    channel = faces.channels().get(delivery["channel"])
    failed = any(row["reason"] for row in attempts)
    looked = await questioned(channel) if failed and channel else ()
    values = {
        "steps": _steps(delivery, attempts, faces.mask),
        "name": delivery["channel"],
        "title": channel.title if channel else delivery["channel"],
        "arrived": delivery["shown"] >= 0,
        "over": delivery["shown"] >= 0 or delivery["state"] != "open",
        "failed": failed,
        "answers": await _answers(faces, channel) if delivery["shown"] >= 0 and channel else (),
        "checks": [replace(each, cause=faces.mask.text(each.cause)) for each in looked if not each.ok],
    }
    return Shown("trial.html", values)


async def _answers(faces: Faces, channel: Channel) -> Sequence[Check]:
    """A test goes one way; whether an answer would come back is another thing."""
    found = await way_back.checks(faces.store, channel, faces.clock.now())
    return [replace(each, cause=faces.mask.text(each.cause)) for each in found]


async def _written(tx: Tx, ref: str) -> tuple[Row, list[Row]] | None:
    delivery = await tx.row("SELECT * FROM delivery WHERE ref = :ref ORDER BY id", {"ref": ref})
    if delivery is None:
        return None
    attempts = await tx.rows("SELECT * FROM attempt WHERE delivery_id = :id ORDER BY at, id", {"id": delivery["id"]})
    return delivery, attempts


def _steps(delivery: Row, attempts: list[Row], mask: Mask) -> list[Step]:
    stored = Step(
        "Stored", "well", "The card is in the database; from here on it is not lost.", at=delivery["created_at"]
    )
    tried = [_tried(row, mask) for row in attempts]
    return [stored, *tried, _end(delivery, mask)]


def _tried(row: Row, mask: Mask) -> Step:
    took = f"{row['took_ms']:.0f} ms"
    if not row["reason"]:
        return Step("Handed to the platform", "well", f"Taken after {took}.", at=row["at"])
    said = mask.text(str(row["detail"] or row["reason"]))
    return Step(
        "Handed to the platform", "unwell", f"Refused after {took}: {said}", mend_of(str(row["reason"])), row["at"]
    )


def _end(delivery: Row, mask: Mask) -> Step:
    if delivery["shown"] >= 0:
        _, place, message, *_ = json.loads(delivery["receipt"])
        return Step("Arrived", "well", mask.text(f"The platform calls it {message} in {place}."))
    if delivery["state"] != "open":
        return Step("Arrived", "unwell", mask.text(f"Given up: {delivery['detail'] or delivery['reason']}"))
    return Step("Arrived", "now", "Not yet; it is tried again by itself." if delivery["tries"] else "On its way.")


PAGES: tuple[Page, ...] = (send, look)
