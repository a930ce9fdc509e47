"""Tables of people, keys and the audit log. Imported by migrations only; what runs uses SQL through the store.

Moments are seconds since 1970 in UTC.
"""

from sqlalchemy import Column, Double, Text
from sqlmodel import Field, SQLModel


def _moment(*, nullable: bool = False, index: bool = False) -> Column[float]:
    return Column(Double, nullable=nullable, index=index)


def _text(*, nullable: bool = False) -> Column[str]:
    return Column(Text, nullable=nullable)


class OperatorRow(SQLModel, table=True):
    """A person we know. Removed people stay, so that what they decided keeps their name."""

    __tablename__ = "operator"

    id: str = Field(primary_key=True, max_length=26)
    email: str = Field(unique=True, max_length=320)
    name: str = Field(max_length=200)
    role: str = Field(max_length=20)
    created_at: float = Field(sa_column=_moment())
    removed_at: float | None = Field(default=None, sa_column=_moment(nullable=True))


class IdentityRow(SQLModel, table=True):
    """What a platform calls a person. One account there is one person here."""

    __tablename__ = "identity"

    platform: str = Field(primary_key=True, max_length=40)
    subject: str = Field(primary_key=True, max_length=300)
    operator_id: str = Field(foreign_key="operator.id", index=True, max_length=26)
    linked_at: float = Field(sa_column=_moment())


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_key"

    id: str = Field(primary_key=True, max_length=26)
    name: str = Field(max_length=200)
    hash: str = Field(unique=True, max_length=64)
    scopes: str = Field(sa_column=_text())
    operator_id: str | None = Field(default=None, foreign_key="operator.id", max_length=26)
    created_at: float = Field(sa_column=_moment())
    last_used_at: float | None = Field(default=None, sa_column=_moment(nullable=True))
    revoked_at: float | None = Field(default=None, sa_column=_moment(nullable=True))


class AuditRow(SQLModel, table=True):
    """Who did what. `mac` covers this row and the `mac` of the one before it."""

    __tablename__ = "audit"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: float = Field(sa_column=_moment(index=True))
    actor: str = Field(max_length=200)
    on_behalf: str = Field(default="", max_length=200)
    action: str = Field(max_length=80, index=True)
    subject: str = Field(default="", max_length=300, index=True)
    place: str = Field(default="", max_length=200)
    detail: str = Field(sa_column=_text())
    mac: str = Field(max_length=64)


class AuditHeadRow(SQLModel, table=True):
    """The end of the audit log: a cut tail no longer fits it. Its row is also the lock that keeps entries in order."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int
    mac: str = Field(max_length=64)
    seal: str = Field(max_length=64)
