"""A sample request as each platform shows it, made by the renderers that make the real one."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from interactions.card import Card
from interactions.kinds.blocked_action import BlockedAction
from interactions.kinds.clarification import Clarification, Option
from interactions.kinds.write_confirmation import WriteConfirmation
from interactions.model import Question
from renderers import adaptive_card, block_kit, email

_INLINE = re.compile(r"```\n?(.+?)\n?```|`([^`\n]+)`|<([^<>\n]+)>|\*([^*\n]+)\*|_([^_\n]+)_", re.DOTALL)
_BUTTON = "preview"  # where a real card has its token
_PRE, _CODE = Markup("<pre>{}</pre>"), Markup("<code>{}</code>")
_BREAK, _NEW_LINE = Markup("<br>"), Markup("\n")
_STRONG, _EM = Markup("<strong>{}</strong>"), Markup("<em>{}</em>")


@dataclass(frozen=True, slots=True)
class Sample:
    """A question that can be looked at."""

    id: str
    title: str
    question: Question


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "blocked",
        "A blocked action",
        BlockedAction(
            agent="Archivist",
            user="mia@example.com",
            tool="drive.delete",
            arguments={"path": "/reports/2024.pdf", "permanently": True},
            policy="no-deletes",
            reason="Deleting for good needs a person.",
        ),
    ),
    Sample(
        "write",
        "A write to confirm",
        WriteConfirmation(
            agent="Release bot",
            tool="git.push",
            summary="Raise the version of **billing** and push it.",
            diff="--- a/version.txt\n+++ b/version.txt\n@@ -1 +1 @@\n-1.4.2\n+1.5.0\n",
        ),
    ),
    Sample(
        "question",
        "A question",
        Clarification(
            agent="Travel agent",
            question="Which of the two flights shall I book?",
            choices=(Option(id="early", label="07:10, one stop"), Option(id="late", label="11:45, direct")),
        ),
    ),
)


def sample_of(id_: str) -> Sample:
    return next((each for each in SAMPLES if each.id == id_), SAMPLES[0])


def card_of(sample: Sample, at: datetime) -> Card:
    """As it would be asked now, to be answered within an hour."""
    return replace(sample.question.card(), requester="Archivist", expires_at=at + timedelta(hours=1))


# ---- Slack ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drawn:
    """One block as it is drawn: `look` is its kind, `texts` its words, `buttons` (label, style)."""

    look: str
    texts: tuple[Markup, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()


def slack(card: Card) -> tuple[Drawn, ...]:
    return tuple(_drawn(block) for block in block_kit.render(card, _BUTTON).blocks)


def _drawn(block: Mapping[str, Any]) -> Drawn:
    match block["type"]:
        case "header":
            return Drawn("header", (escape(block["text"]["text"]),))
        case "section" if "fields" in block:
            return Drawn("fields", tuple(mrkdwn(each["text"]) for each in block["fields"]))
        case "section":
            return Drawn("section", (mrkdwn(block["text"]["text"]),))
        case "actions":
            return Drawn("actions", buttons=tuple(_buttons(block["elements"])))
        case "context":
            return Drawn("context", tuple(mrkdwn(each.get("text", "")) for each in block["elements"]))
        case other:
            return Drawn(str(other))


def _buttons(elements: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in elements:
        text = each.get("text") or each.get("placeholder") or {}
        yield str(text.get("text", "")), str(each.get("style", ""))


def mrkdwn(text: str) -> Markup:
    """Slack's marks as HTML; every word of the text is escaped."""
    pieces, end = [], 0
    for found in _INLINE.finditer(text):
        pieces += [_plain(text[end : found.start()]), _marked(found)]
        end = found.end()
    return Markup().join([*pieces, _plain(text[end:])])


def _marked(found: re.Match[str]) -> Markup:
    block, code, token, bold, slant = found.groups()
    if token is not None:
        return _plain(token.rpartition("|")[2])
    forms = ((_PRE, block), (_CODE, code), (_STRONG, bold), (_EM, slant))
    form, inside = next((form, inside) for form, inside in forms if inside is not None)
    return form.format(_plain(inside, breaks=block is None))


def _plain(text: str, *, breaks: bool = True) -> Markup:
    """Slack escapes three signs, so they are read back before everything is escaped for HTML."""
    lines = [escape(html.unescape(line)) for line in text.split("\n")]
    return (_BREAK if breaks else _NEW_LINE).join(lines)


def bar(card: Card) -> str:
    """The bar at its side, as the class of the style sheet that has the severity's colour."""
    return f"severity-{card.severity.value}"


# ---- Teams and mail ---------------------------------------------------------------------------------------------


def teams(card: Card) -> str:
    """The Adaptive Card as JSON, for Microsoft's renderer."""
    return json.dumps(adaptive_card.render(card, _BUTTON, "").content)


def mail(card: Card, address: str) -> email.Mail:
    return email.render(card, f"{address}/d/{_BUTTON}")
