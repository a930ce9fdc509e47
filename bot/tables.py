"""Tables of people, keys and the audit log. Imported by migrations only; what runs uses SQL through the store.

Moments are seconds since 1970 in UTC.
"""

from typing import Any, ClassVar

from sqlalchemy import Double, Integer, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None if nullable else 0.0, sa_type=Double, nullable=nullable, index=index)


def _text(*, key: bool = False, unique: bool = False, index: bool = False, of: str | None = None) -> Any:
    """Text without a length: beside a VARCHAR, PostgreSQL takes one parameter for two types."""
    if of:
        return Field(sa_type=Text, foreign_key=of, index=index)
    return Field(sa_type=Text, primary_key=key, unique=unique, index=index)


def _number() -> Any:
    """A key that we count ourselves."""
    return Field(sa_type=Integer, primary_key=True, sa_column_kwargs={"autoincrement": False})


class OperatorRow(SQLModel, table=True):
    """A person we know. Removed people stay, so that what they decided keeps their name."""

    __tablename__: ClassVar[str] = "operator"

    id: str = _text(key=True)
    email: str = _text(unique=True)
    name: str = _text()
    role: str = _text()
    created_at: float = _moment()
    removed_at: float | None = _moment(nullable=True)


class IdentityRow(SQLModel, table=True):
    """What a platform calls a person. One account there is one person here."""

    __tablename__: ClassVar[str] = "identity"

    platform: str = _text(key=True)
    subject: str = _text(key=True)
    operator_id: str = _text(of="operator.id", index=True)
    linked_at: float = _moment()


class ApiKeyRow(SQLModel, table=True):
    """A key that a producer uses; `operator_id` is the person it may also act as."""

    __tablename__: ClassVar[str] = "api_key"

    id: str = _text(key=True)
    name: str = _text()
    hash: str = _text(unique=True)
    scopes: str = _text()
    operator_id: str | None = Field(default=None, sa_type=Text, foreign_key="operator.id", nullable=True)
    created_at: float = _moment()
    last_used_at: float | None = _moment(nullable=True)
    revoked_at: float | None = _moment(nullable=True)


class AuditRow(SQLModel, table=True):
    """Who did what. `mac` covers this row and the `mac` of the one before it."""

    __tablename__: ClassVar[str] = "audit"

    seq: int = _number()
    at: float = _moment(index=True)
    actor: str = _text()
    on_behalf: str = _text()
    action: str = _text(index=True)
    subject: str = _text(index=True)
    place: str = _text()
    detail: str = _text()
    mac: str = _text()


class AuditHeadRow(SQLModel, table=True):
    """The end of the audit log: a cut tail no longer fits it. Its row is also the lock that keeps entries in order."""

    __tablename__: ClassVar[str] = "audit_head"

    id: int = _number()
    seq: int = 0
    mac: str = _text()
    seal: str = _text()


class SessionRow(SQLModel, table=True):
    """Somebody who is signed in on one browser. The cookie's secret is not here, only its hash."""

    __tablename__: ClassVar[str] = "session"

    id: str = _text(key=True)
    hash: str = _text(unique=True)
    operator_id: str = _text(of="operator.id", index=True)
    created_at: float = _moment()
    seen_at: float = _moment()
    until: float = _moment(index=True)
    agent: str = _text()
    address: str = _text()


class LoginLinkRow(SQLModel, table=True):
    """A link that signs somebody in once. `browser` is the hash of what the asking browser holds; "" for any."""

    __tablename__: ClassVar[str] = "login_link"

    hash: str = _text(key=True)
    operator_id: str | None = Field(default=None, sa_type=Text, foreign_key="operator.id", nullable=True)
    purpose: str = _text()
    browser: str = _text()
    created_at: float = _moment()
    until: float = _moment(index=True)
    used_at: float | None = _moment(nullable=True)


class ThresholdRow(SQLModel, table=True):
    """How often a user may call a tool within a window before a room is told; "" is any user, any tool, the own room.

    Its columns are not named like its fields where that is a word of SQL.
    """

    __tablename__: ClassVar[str] = "threshold"
    __table_args__ = (UniqueConstraint("user_name", "tool", "time_window", name="ux_threshold"),)

    id: str = _text(key=True)
    user_name: str = _text()
    tool: str = _text()
    time_window: str = _text()
    call_limit: int = 0
    room: str = _text()
    is_on: int = 1


class SavedSettingsRow(SQLModel, table=True):
    """The saved settings for replicas that do not share a disk: sealed, with a version that only grows."""

    __tablename__: ClassVar[str] = "saved_settings"

    id: int = _number()
    version: int = 0
    sealed: str = _text()
    at: float = _moment()
