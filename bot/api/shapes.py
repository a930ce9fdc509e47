"""The shapes that several resources share: bounded text, severities in everybody's words, pages of a list."""

from datetime import UTC, datetime
from typing import Annotated
from unicodedata import normalize

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bot.dispatch.notice import Phase, Unfit
from bot.operators import valid
from interactions.card import Severity


class Strict(BaseModel):
    """A body or a query: what is not known is refused, so that a slip of the pen is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _lower(value: object) -> object:
    return value.strip().casefold() if isinstance(value, str) else value


def _severity(value: object) -> object:
    value = _lower(value)
    return "medium" if value == "warning" else value


def _phase(value: object) -> object:
    value = _lower(value)
    return "firing" if value == "active" else value


def _written(value: object) -> object:
    """A number says neither its unit nor its offset, and would be a moment that nobody meant."""
    if value is not None and (not isinstance(value, str) or value.strip().lstrip("+-").replace(".", "").isdigit()):
        raise ValueError('is not written as a moment, such as "2026-11-21T08:00:00Z"')
    return value


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is not a moment that any clock shows") from error


def _no_nul(text: str) -> str:
    """PostgreSQL holds no NUL, and no reader shows one."""
    return text.replace("\0", "\ufffd")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a line break or another control character")
    return text


def _mailbox(text: str) -> str:
    """Written in the one way in which it is compared with others: a look-alike would count as somebody else."""
    if not text:
        return text
    try:
        written = valid(text)
    except Unfit as fault:
        raise ValueError(fault.words) from fault
    if written != normalize("NFKC", written).replace("\N{IDEOGRAPHIC FULL STOP}", ".").rstrip("."):
        raise ValueError("is not written with plain letters, or has a dot at its end")
    return text


AnySeverity = Annotated[Severity, BeforeValidator(_severity), Field(description="`warning` is understood as medium.")]
AnyPhase = Annotated[Phase, BeforeValidator(_phase), Field(description="`active` is understood as firing.")]
Moment = Annotated[
    AwareDatetime, BeforeValidator(_written), AfterValidator(_utc), Field(description="With its offset from UTC.")
]
Prose = Annotated[str, AfterValidator(_no_nul)]
Name = Annotated[str, AfterValidator(_one_line)]
Mailbox = Annotated[Name, AfterValidator(_mailbox)]
CopyState = Annotated[str, Field(description="waiting, sent, grouped (told together with others) or failed.")]


class Page(Strict):
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Name = Field(default="", max_length=64, description="What the last page gave as `next_cursor`.")


class PageOut(BaseModel):
    next_cursor: str | None = Field(description="Null on the last page.")
