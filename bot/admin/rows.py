"""What the daily pages show, as values: the rows of the database in the words of people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import JsonValue, ValidationError

from bot.channels.contract import ReaderKind
from bot.logs import Mask
from bot.store import Row
from interactions.card import Card
from interactions.codec import load_card
from renderers.inert import one_line

T = TypeVar("T")
UNREADABLE = Card("(the stored card cannot be read)")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of a list; `older` is the cursor of the next one, "" on the last."""

    items: tuple[T, ...]
    older: str = ""


class Standing(StrEnum):
    """How a reader's copy is, for people."""

    TOLD = "told"
    CHANGING = "being updated"
    LATER = "told at the end"
    SENDING = "being sent"
    WAITING = "waiting"
    STALE = "not updated"
    TOGETHER = "told together"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Names:
    """What operators and keys are called, by id; and the operators' addresses, of which each has only one."""

    operators: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    def operator(self, id_: str) -> str:
        return self.operators.get(id_, id_)

    def producer(self, id_: str) -> str:
        return f"key {self.keys[id_]}" if id_ in self.keys else id_

    def actor(self, actor: str) -> str:
        """The audit log's actor, with ids as addresses and names of keys."""
        kind, _, id_ = actor.partition(":")
        match kind:
            case "operator":
                return self.addresses.get(id_, id_)
            case "key":
                return self.producer(id_)
            case _:
                return self.producer(actor)

    def reader(self, row: Row) -> str:
        match row["reader_kind"]:
            case ReaderKind.OPERATOR:
                return self.operator(row["reader_id"])
            case ReaderKind.ROOM:
                return f"the room {row['place']}" if row["place"] else "the channel's own room"
            case _:
                return "the caller"


@dataclass(frozen=True, slots=True)
class Request:
    """A question in a list."""

    id: str
    kind: str
    status: str
    title: str
    severity: str
    outcome: str
    requester: str
    asked: tuple[str, ...]
    audience: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Copy:
    """One reader's copy of a post. `refuser` is the channel that the reason is about."""

    id: str
    ref: str
    title: str
    severity: str
    interaction_id: str
    reader: str
    for_room: bool
    channel: str
    standing: Standing
    reason: str
    refuser: str
    detail: str
    attempts: int
    created_at: datetime
    due_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to show a copy."""

    delivery: str
    reader: str
    for_room: bool
    channel: str
    verb: str
    at: datetime
    took_ms: float
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what became of it."""

    id: str
    type: str
    severity: str
    phase: str
    source: str
    summary: str
    producer: str
    received_at: datetime
    result: str
    reason: str
    ref: str
    interaction_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the audit log."""

    seq: int
    at: datetime
    actor: str
    on_behalf: str
    action: str
    subject: str
    place: str
    detail: Mapping[str, JsonValue]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def card(row: str) -> Card:
    try:
        return load_card(row)
    except ValidationError:
        return UNREADABLE


def request(row: Row, names: Names) -> Request:
    shown = card(row["card"])
    asked = json.loads(row["audience"])
    return Request(
        id=row["id"],
        kind=row["kind"],
        status=row["status"],
        title=one_line(shown.title),
        severity=shown.severity.value,
        outcome=one_line(shown.outcome.text) if shown.outcome else "",
        requester=one_line(shown.requester),
        asked=tuple(names.operator(each) for each in asked),
        audience=frozenset(asked),
        created_at=moment(row["created_at"]),
        expires_at=moment_or_none(row["expires_at"]),
        ended_at=moment_or_none(row["ended_at"]),
    )


def copy(row: Row, names: Names, mask: Mask, at: datetime) -> Copy:
    shown, stands = card(row["card"]), standing(row, at)
    return Copy(
        id=row["id"],
        ref=row["ref"],
        title=one_line(shown.title),
        severity=shown.severity.value,
        interaction_id=row["interaction_id"],
        reader=one_line(names.reader(row)),
        for_room=row["reader_kind"] == ReaderKind.ROOM,
        channel=row["channel"],
        standing=stands,
        reason=row["reason"],
        refuser=refuser(row, stands),
        detail=mask.text(row["detail"]),
        attempts=row["attempts"],
        created_at=moment(row["created_at"]),
        due_at=moment(row["due_at"]),
        done_at=moment_or_none(row["done_at"]),
    )


def standing(row: Row, at: datetime) -> Standing:
    caller = row["reader_kind"] == ReaderKind.CALLER
    told, current = row["shown"] > (0 if caller else -1), row["shown"] >= row["wanted"]
    match row["state"]:
        case "failed":
            return Standing.STALE if told else Standing.FAILED
        case "grouped":
            return Standing.TOGETHER
        case _ if current:
            return Standing.TOLD if told else Standing.LATER
        case _ if told:
            return Standing.CHANGING
        case _:
            return Standing.SENDING if row["lease_until"] > at.timestamp() else Standing.WAITING


def refuser(row: Row, standing: Standing) -> str:
    """What failed was refused by the end of its chain last; what waits, by the channel before the one that it is at."""
    chain: list[str] = json.loads(row["chain"]) or [row["channel"]]
    match standing:
        case Standing.FAILED:
            return chain[-1]
        case Standing.WAITING:
            return chain[max(0, int(row["step"]) - 1)]
        case _:
            return str(row["channel"])


def attempt(row: Row, names: Names, mask: Mask) -> Attempt:
    return Attempt(
        delivery=row["delivery_id"],
        reader=one_line(names.reader(row)),
        for_room=row["reader_kind"] == ReaderKind.ROOM,
        channel=row["channel"],
        verb=row["verb"],
        at=moment(row["at"]),
        took_ms=row["took_ms"],
        reason=row["reason"],
        detail=mask.text(row["detail"]),
    )


def told(row: Row, names: Names, mask: Mask) -> Told:
    return Told(
        id=row["id"],
        type=row["type"],
        severity=row["severity"],
        phase=row["phase"],
        source=one_line(row["source"]),
        summary=one_line(mask.text(row["summary"])),
        producer=names.producer(row["producer"]),
        received_at=moment(row["received_at"]),
        result=row["result"],
        reason=row["reason"],
        ref=row["ref"],
        interaction_id=row["interaction_id"],
    )


def line(row: Row, names: Names, mask: Mask) -> Line:
    return Line(
        seq=row["seq"],
        at=moment(row["at"]),
        actor=one_line(names.actor(row["actor"])),
        on_behalf=one_line(names.actor(row["on_behalf"])),
        action=row["action"],
        subject=one_line(row["subject"]),
        place=one_line(row["place"]),
        detail=mask.value(json.loads(row["detail"])),
    )
