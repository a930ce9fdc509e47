"""What every renderer says in the same words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from interactions.card import Card, Choice, Outcome, Severity, Status
from renderers.clip import clip
from renderers.inert import one_line

REVIEW = "Review full request"
DECIDE = "Review and decide"
OPEN = "Open"
LEADS = "Leads to"
ALERT = "Alert"
SEVERITY = "Severity"  # also the name of the fact in which an alert says it
NOT_WHOLE = "This request is too long to be shown whole here. Read all of it before you approve."
NOT_WHOLE_ENDED = "Shortened here."

COLOURS = {
    Severity.CRITICAL: "#FF0000",
    Severity.HIGH: "#FF8C00",
    Severity.MEDIUM: "#FFD700",
    Severity.LOW: "#32CD32",
    Severity.INFO: "#87CEEB",
}


def severity(card: Card) -> str:
    return card.severity.value.capitalize()


def title(card: Card, alert: str = ALERT) -> str:
    """The title; an alert says first that it is one, in the words of the channel."""
    said = one_line(card.title) or severity(card)
    return f"{alert}: {said}" if card.alert else said


def link(card: Card) -> str:
    """What stands on the button of its link."""
    return one_line(card.link_label) or OPEN


def asks(card: Card) -> bool:
    return card.outcome is None and bool(card.choices)


def mark(outcome: Outcome) -> str:
    """A sign for how it ended, beside the words that say it."""
    match outcome.status:
        case Status.DECIDED if outcome.approved is False:
            return "⛔"
        case Status.DECIDED:
            return "✅"
        case Status.EXPIRED:
            return "⌛"
        case Status.WITHDRAWN:
            return "↩️"
        case _:
            return "⚠️"


class Ending(StrEnum):
    """What an end looks like, beside the words that say it."""

    YES = "yes"
    NO = "no"
    WARN = "warn"
    OVER = "over"


def ending(outcome: Outcome) -> Ending:
    match outcome.status, outcome.approved:
        case Status.DECIDED, False:
            return Ending.NO
        case Status.DECIDED, _:
            return Ending.YES
        case Status.UNDELIVERABLE, _:
            return Ending.WARN
        case _:
            return Ending.OVER


def foot(card: Card) -> Iterator[str]:
    """When it happened, who asks, how long there is time, and what it is bound to: the last lines where all is text."""
    if card.happened_at:
        yield f"Happened {utc(card.happened_at)}"
    if card.requester.strip():
        yield f"Requested by {one_line(card.requester)}"
    if card.expires_at and not card.outcome:
        yield f"Expires {utc(card.expires_at)}"
    if card.digest:
        yield f"Digest {one_line(card.digest)}"


def utc(at: datetime) -> str:
    return _minute(aware(at).replace(second=0, microsecond=0))


@lru_cache(maxsize=256)
def _minute(at: datetime) -> str:
    """What happens at once happens in the same minute, and writing a date takes longer than the line it stands in."""
    return f"{at:%d %B %Y, %H:%M} UTC".lstrip("0")


def aware(at: datetime) -> datetime:
    """A moment without a zone is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def headline(card: Card, most: int) -> str:
    """The whole card in one line, for notifications, screen readers and lists."""
    title = one_line(card.title) or severity(card)
    if card.outcome:
        return clip(f"{one_line(card.outcome.text)}: {title}", most)
    if not card.choices:
        text = one_line(card.text)
        return clip(f"[{card.severity.upper()}] {title}" + (f": {text}" if text else ""), most)
    return clip(f"[{card.severity.upper()}] {title}. {question(card.choices)}", most)


def question(choices: tuple[Choice, ...]) -> str:
    labels = [one_line(choice.label) for choice in choices]
    if len(labels) > 3:
        return f"Your answer is needed: {len(labels)} choices."
    return f"{' or '.join(filter(None, (', '.join(labels[:-1]), labels[-1])))}?"
