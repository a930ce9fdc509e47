"""How much each platform takes, in one table, and how to cut what is more."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from interactions.card import Card, Outcome

ELLIPSIS = "…"


class Limit(int):
    """The most that a platform takes, and the title of the page that says so."""

    source: str

    def __new__(cls, most: int, source: str) -> Self:
        limit = super().__new__(cls, most)
        limit.source = source
        return limit


_SLACK_BLOCKS = "Slack: Blocks"
_SLACK_OPTION = "Slack: Option object"
_SLACK_BUTTON = "Slack: Button element"
_SLACK_VIEWS = "Slack: Modals, view fields"

SLACK_BLOCKS = Limit(50, _SLACK_BLOCKS)
SLACK_VIEW_BLOCKS = Limit(100, _SLACK_BLOCKS)
# Above about 13,200 characters in all blocks Slack answers msg_blocks_too_long, which no page mentions.
SLACK_MESSAGE = Limit(12_000, "GitHub: slackapi/bolt-js issue 2509")
SLACK_FALLBACK = Limit(300, "ours: what a notification still shows; Slack: chat.postMessage allows 40,000")
SLACK_LINE = Limit(400, "ours: what stands in one line fits a section or a context, also when all of it is escaped")
SLACK_SECTION = Limit(3000, "Slack: Section block")
SLACK_FIELDS = Limit(10, "Slack: Section block")
SLACK_FIELD = Limit(2000, "Slack: Section block")
SLACK_FIELD_READABLE = Limit(60, "ours: what stands in half the width without looking torn")
SLACK_HEADER = Limit(150, "Slack: Header block")
SLACK_BUTTONS = Limit(5, "ours: more than five buttons are a picker")
SLACK_BUTTON = Limit(75, _SLACK_BUTTON)
SLACK_VALUE = Limit(2000, _SLACK_BUTTON)
SLACK_OPTIONS = Limit(100, "Slack: Select menu element")
SLACK_RADIOS = Limit(10, "Slack: Radio button group element")
SLACK_OPTION = Limit(75, _SLACK_OPTION)
SLACK_PLACEHOLDER = Limit(150, "Slack: Select menu element")
SLACK_LABEL = Limit(2000, "Slack: Input block")
SLACK_INPUT = Limit(3000, "Slack: Plain-text input element")
SLACK_VIEW_TITLE = Limit(24, _SLACK_VIEWS)
SLACK_VIEW = Limit(200_000, "Slack: views.open, view_too_large above 250 kB; less, because of escapes on the way")

TEAMS_CARD_BYTES = Limit(80_000, "Microsoft Teams: Format your bot messages")
TEAMS_ACTIONS = Limit(6, "Adaptive Cards: Microsoft Teams host config, maxActions")
TEAMS_BUTTONS = Limit(5, "ours: more than five buttons are a picker")
TEAMS_BUTTON = Limit(75, "ours: a button that is still read as one")
TEAMS_INPUT = Limit(4000, "ours: Adaptive Cards set no maxLength of their own")
TEAMS_SUMMARY = Limit(300, "ours: what a notification still shows")

EMAIL_SUBJECT = Limit(200, "RFC 5322, line length limits, with room for encoding")
EMAIL_PREVIEW = Limit(140, "ours: what inboxes show beside a subject")
EMAIL_CHOICES = Limit(3, "ours: more choices than stand well in one line are a list")
EMAIL_PAYLOAD = Limit(60_000, "Gmail: messages above 102 kB are clipped")

LINK = Limit(2000, "Slack: Section block; a longer address leaves no room for its text")
MARKDOWN = Limit(20_000, "ours: longer text is shown as it is, because parsing hostile markup grows with its square")
TABLE_CELL = Limit(60, "ours: a wider cell does not move all the others")
ENDED_TEXT = Limit(600, "ours: an ended card is a record, not a question")
ENDED_LINES = Limit(12, "ours: an ended card is a record, not a question")


def length(text: str) -> int:
    """Characters as the strictest platform counts them: UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fits(text: str, most: int) -> bool:
    return length(text) <= most


def clip(text: str, most: int) -> str:
    """The text, or its beginning up to a word's end and "…"."""
    if fits(text, most):
        return text
    end = _boundary(text, most - len(ELLIPSIS))
    word = max(text.rfind(" ", 0, end + 1), text.rfind("\n", 0, end + 1))
    return text[: word if word > end // 2 else end].rstrip() + ELLIPSIS


def clip_lines(text: str, lines: int, most: int) -> str:
    """The first lines, and "…" where there were more."""
    shown = "\n".join(text.splitlines()[:lines])
    return clip(text if shown == text.rstrip("\n") else f"{shown}\n{ELLIPSIS}", most)


def pieces(text: str, most: int) -> Iterator[str]:
    """The whole text in pieces, cut at line ends, else at words, else between graphemes. Joined they are the text."""
    start = 0
    while start < len(text):
        window = text[start : start + most + 1]
        end = len(window)
        if not fits(window, most):
            end = _boundary(window, most)
            cut = window.rfind("\n", 0, end) + 1 or window.rfind(" ", 0, end) + 1
            end = cut if cut > end // 4 else end
        yield window[:end]
        start += end


def volume(card: Card) -> int:
    """Roughly the characters that a card has to show: a cheap way to see that it is far too much for a platform."""
    facts = sum(len(name) + len(value) for name, value in card.facts)
    choices = sum(len(choice.label) + len(choice.description) for choice in card.choices)
    payload = len(card.payload.body) if card.payload else 0
    return len(card.title) + len(card.text) + facts + choices + payload


def shortened(card: Card, scale: int) -> Card:
    """A card with little of everything, for where the whole does not fit. A larger scale leaves less."""
    outcome = card.outcome
    return replace(
        card,
        title=clip(card.title, 400 // scale),
        text=clip(card.text, 1600 // scale),
        facts=tuple((clip(name, 80 // scale), clip(value, 200 // scale)) for name, value in card.facts[: 12 // scale]),
        payload=card.payload
        and replace(
            card.payload,
            body=clip_lines(card.payload.body, 24 // scale, 1600 // scale),
            label=clip(card.payload.label, 80 // scale),
        ),
        choices=tuple(
            replace(each, label=clip(each.label, 150 // scale), description=clip(each.description, 200 // scale))
            for each in card.choices
        ),
        requester=clip(card.requester, 200 // scale),
        progress=clip(card.progress, 200 // scale),
        link=card.link if scale == 1 else "",
        outcome=outcome and _shortened_outcome(outcome, scale),
    )


def recorded(card: Card) -> Card:
    """An ended card: a record of what was asked, with the beginning of what was long."""
    payload = card.payload and replace(card.payload, body=clip_lines(card.payload.body, ENDED_LINES, ENDED_TEXT))
    return replace(card, text=clip(card.text, ENDED_TEXT), payload=payload)


def _shortened_outcome(outcome: Outcome, scale: int) -> Outcome:
    return replace(outcome, text=clip(outcome.text, 400 // scale), reason=clip(outcome.reason, 800 // scale))


def _boundary(text: str, most: int) -> int:
    """The last place within `most` UTF-16 units that does not tear a grapheme."""
    end = min(most, len(text))
    if not text.isascii():
        over = length(text[:end]) - most
        while over > 0:
            end -= max(1, over // 2)
            over = length(text[:end]) - most
    return next((place for place in range(end, max(end - 64, 0), -1) if not _joined(text, place)), end) or 1


def _joined(text: str, place: int) -> bool:
    """Whether a cut here would part a letter from its marks, an emoji from its joiner, or a flag's two letters."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if before == "\u200d" or after == "\u200d" or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return True
    return "\U0001f3fb" <= after <= "\U0001f3ff" or (_flag(before) and _flag(after))


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
