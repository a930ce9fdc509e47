"""From what a class has to say to the card that says it."""

from datetime import datetime
from typing import NamedTuple

from bot.dispatch.notice import Event, Phase
from bot.events.contract import Context
from bot.events.words import extra_facts, label_facts
from interactions.card import Card, Payload, Severity
from interactions.text import clip, literal, one_line, visible

TITLE = 150
TEXT = 8000


class Story(NamedTuple):
    """What an event means to a person: a plain title, then markdown sentences in which outside words are literal.

    `resolved` is what there is to say once the trouble is over.
    """

    title: str
    happened: str
    matters: str
    do: str
    resolved: str
    facts: tuple[tuple[str, str], ...] = ()
    payload: Payload | None = None


def card_of(event: Event, story: Story, context: Context, at: datetime | None) -> Card:
    over = event.phase is Phase.RESOLVED
    title = f"Resolved: {story.title}" if over else story.title
    paragraphs = (story.resolved,) if over else (story.happened, f"{story.matters} {story.do}".strip())
    return Card(
        title=clip(one_line(title), TITLE),
        severity=Severity.INFO if over else event.severity,
        text=text_of(event, *paragraphs, title=story.title),
        facts=(
            *(() if over else (("Severity", event.severity.capitalize()),)),
            *((("Server", clip(one_line(event.source), 200)),) if event.source.strip() else ()),
            *((name, value) for name, value in story.facts if value),
            *extra_facts(context.model_extra),
            *label_facts(event.labels),
        ),
        payload=None if over else story.payload,
        alert=not over,
        happened_at=event.occurred_at or at,
    )


def text_of(event: Event, *paragraphs: str, title: str = "") -> str:
    """The paragraphs, then the producer's own words: its summary, unless that was said already, and its details."""
    own = _unsaid(event.summary, title, *paragraphs)
    return clip("\n\n".join(filter(None, (*paragraphs, own, visible(event.details).strip()))), TEXT)


def _unsaid(summary: str, title: str, *paragraphs: str) -> str:
    own = literal(summary)
    ends = [f" {own}{end}" for end in " .,:"]
    said = one_line(summary) == title or any(end in f" {each} " for each in paragraphs for end in ends)
    return "" if said else own
