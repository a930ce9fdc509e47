"""The tables of dispatch. Read by migrations and pages; the hot path writes them in SQL (see outbox.py, leases.py).

Times are epoch seconds in UTC, JSON is text, ids are sortable strings.
"""

from typing import Any, ClassVar

from sqlalchemy import Double, Index, Text, text
from sqlmodel import Field, SQLModel

from bot.dispatch.outbox import WORK


def _moment(*, index: bool = False, nullable: bool = False) -> Any:
    return Field(default=None if nullable else 0.0, sa_type=Double, index=index, nullable=nullable)


def _text(default: str | None = "", *, key: bool = False, index: bool = False) -> Any:
    """Text without a length: PostgreSQL would take a VARCHAR beside it for another type of parameter."""
    at_server = {} if default is None or key else {"server_default": default}
    return Field(
        default=default,
        sa_type=Text,
        primary_key=key,
        index=index,
        nullable=default is None,
        sa_column_kwargs=at_server,
    )


class EventRow(SQLModel, table=True):
    """Everything that a producer told, and what became of it."""

    __tablename__: ClassVar[str] = "event"

    id: str = _text(key=True)
    type: str = _text(index=True)
    severity: str = _text()
    phase: str = _text()
    source: str = _text()
    summary: str = _text()
    details: str = _text()
    dedup_key: str = _text()
    context: str = _text("{}")
    labels: str = _text("{}")
    producer: str = _text()
    occurred_at: float | None = _moment(nullable=True)
    received_at: float = _moment(index=True)
    result: str = _text()
    reason: str = _text()
    ref: str = _text(index=True)
    interaction_id: str = _text()


class PostRow(SQLModel, table=True):
    """A card under a ref. Whatever changes it raises the version; copies that show less are brought up to date."""

    __tablename__: ClassVar[str] = "post"
    __table_args__ = (
        Index("ix_post_thread", "thread", sqlite_where=text("thread <> ''"), postgresql_where=text("thread <> ''")),
    )

    ref: str = _text(key=True)
    card: str = _text()
    record: str = _text("{}")
    version: int = 0
    rank: int = 0
    interaction_id: str = _text(index=True)
    thread: str = _text()
    cooldown: str = _text()
    created_at: float = _moment(index=True)
    changed_at: float = _moment()


class DeliveryRow(SQLModel, table=True):
    """One reader's copy of a post: work is whatever is open with `shown` below `wanted`."""

    __tablename__: ClassVar[str] = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_work",
            "channel",
            "rank",
            "due_at",
            sqlite_where=text(WORK),
            postgresql_where=text(WORK),
        ),
    )

    id: str = _text(key=True)
    ref: str = Field(sa_type=Text, foreign_key="post.ref", index=True)
    reader_kind: str = _text()
    reader_id: str = _text(index=True)
    place: str = _text()
    chain: str = _text("[]")
    step: int = 0
    channel: str = _text()
    wanted: int = 0
    shown: int = -1
    receipt: str | None = _text(None)
    rank: int = 0
    due_at: float = _moment()
    slot: float = _moment()
    lease: str = _text()
    lease_until: float = _moment()
    tries: int = 0
    state: str = _text("open")
    reason: str = _text()
    detail: str = _text()
    created_at: float = _moment()
    done_at: float | None = _moment(nullable=True)


class AttemptRow(SQLModel, table=True):
    """One try to show a copy: on which channel, how long it took, and why it was not taken (empty: it was)."""

    __tablename__: ClassVar[str] = "attempt"

    id: str = _text(key=True)
    delivery_id: str = _text(index=True)
    channel: str = _text()
    verb: str = _text()
    version: int
    at: float = _moment(index=True)
    took_ms: float = _moment()
    reason: str = _text()
    detail: str = _text()


class InteractionRow(SQLModel, table=True):
    """A question put to people, and how it stands."""

    __tablename__: ClassVar[str] = "interaction"
    __table_args__ = (
        Index(
            "ux_interaction_idempotency",
            "producer",
            "idempotency_key",
            unique=True,
            sqlite_where=text("idempotency_key <> ''"),
            postgresql_where=text("idempotency_key <> ''"),
        ),
    )

    id: str = _text(key=True)
    kind: str = _text()
    payload: str = _text("{}")
    digest: str = _text()
    requester: str = _text("{}")
    audience: str = _text("[]")
    approvals: int = 1
    reason_rule: str = _text("none")
    status: str = _text("pending", index=True)
    votes: str = _text("[]")
    ruling: str | None = _text(None)
    created_at: float = _moment(index=True)
    expires_at: float | None = _moment(nullable=True)
    ended_at: float | None = _moment(nullable=True)
    ended_because: str = _text()
    consumed_at: float | None = _moment(nullable=True)
    callback_url: str = _text()
    producer: str = _text()
    idempotency_key: str = _text()
    fingerprint: str = _text()
    ref: str = _text(index=True)
    thread: str = _text()


class TimerRow(SQLModel, table=True):
    """Something that has to happen at a time, even if nobody runs at that moment."""

    __tablename__: ClassVar[str] = "timer"

    id: str = _text(key=True)
    kind: str = _text()
    subject: str = _text(index=True)
    due_at: float = _moment(index=True)


class ChannelHealthRow(SQLModel, table=True):
    """How a channel is, by its own last answers."""

    __tablename__: ClassVar[str] = "channel_health"

    channel: str = _text(key=True)
    state: str = _text()
    reason: str = _text()
    detail: str = _text()
    since: float = _moment()


class ChannelMemoryRow(SQLModel, table=True):
    """What a channel remembers across restarts and replicas."""

    __tablename__: ClassVar[str] = "channel_memory"

    key: str = _text(key=True)
    value: str = _text("null")
    at: float = _moment()


class SeenRow(SQLModel, table=True):
    """What must count once (a signed request, an activity), for as long as it could be played again."""

    __tablename__: ClassVar[str] = "seen"

    key: str = _text(key=True)
    until: float = _moment(index=True)
