"""A card as plain text: for the text part of a mail, webhooks, logs and the command line."""

from collections.abc import Iterator

from interactions.card import Card, Choice, Outcome
from renderers import words
from renderers.inert import one_line, visible
from renderers.markdown import Blocks, parse, plain, safe_link


def render(card: Card, page: str = "") -> str:
    """Everything of the card. `page` is where it can be answered."""
    return written(card, parse(card.text), page)


def written(card: Card, prose: Blocks, page: str = "") -> str:
    """The same for a card whose text has been parsed already."""
    return "\n\n".join(part for part in _parts(card, prose, page) if part) + "\n"


def _parts(card: Card, prose: Blocks, page: str) -> Iterator[str]:
    yield f"[{card.severity.upper()}] {words.title(card)}"
    if card.outcome:
        yield _outcome(card.outcome)
    yield plain(prose)
    yield "\n".join(_fact(name, value) for name, value in card.facts)
    if card.payload:
        yield f"{one_line(card.payload.label) or 'Payload'}:\n{_indented(visible(card.payload.body))}"
    yield one_line(card.progress)
    if card.choices:
        yield "Choices:\n" + "\n".join(_choice(choice) for choice in card.choices)
    yield "\n".join(_footer(card, page))


def _outcome(outcome: Outcome) -> str:
    when = f" ({words.utc(outcome.at)})" if outcome.at else ""
    reason = one_line(outcome.reason)
    return f"{one_line(outcome.text)}{when}" + (f"\nReason: {reason}" if reason else "")


def _fact(name: str, value: str) -> str:
    shown = visible(value)
    return f"{one_line(name)}: {shown}" if "\n" not in shown else f"{one_line(name)}:\n{_indented(shown)}"


def _choice(choice: Choice) -> str:
    description = one_line(choice.description)
    return f"  - {one_line(choice.label)}" + (f": {description}" if description else "")


def _footer(card: Card, page: str) -> Iterator[str]:
    url, link = safe_link(page), safe_link(card.link)
    if url:
        yield f"{words.DECIDE if words.asks(card) else words.OPEN}: {url}"
    if link:
        yield f"{words.link(card) if card.link_label else 'More'}: {link}"
    yield from words.foot(card)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))
