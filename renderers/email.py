"""A card as a mail: a subject that cannot break out of its header, a complete text, and HTML for light and dark."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from interactions.card import Card, Format, Outcome, Payload
from renderers import text, words
from renderers.clip import EMAIL_CHOICES, EMAIL_PAYLOAD, EMAIL_PREVIEW, EMAIL_SUBJECT, clip, fits, recorded
from renderers.inert import one_line, visible
from renderers.markdown import (
    Block,
    Blocks,
    Bullets,
    Code,
    Paragraph,
    Quote,
    Rule,
    Run,
    Runs,
    Table,
    host_of,
    parse,
    safe_link,
)

if TYPE_CHECKING:
    from css_inline import CSSInliner
    from jinja2 import Template

_OVER = "#9aa5b1"


@dataclass(frozen=True, slots=True)
class Mail:
    """What is sent: the subject, and the same card as text and as HTML."""

    subject: str
    text: str
    html: str


def render(card: Card, page: str = "") -> Mail:
    """The card as a mail. `page` is the reader's own address, where the card can be answered."""
    subject = clip(f"[{card.severity.upper()}] {words.title(card)}", EMAIL_SUBJECT)
    prose = parse(card.text)
    shown = _template().render(_shown(card, prose, page, subject))
    return Mail(subject, text.written(card, prose, page), _inliner().inline(shown))


def html(blocks: Blocks) -> Markup:
    """The markdown tree as HTML without images, scripts or styles of its own."""
    return Markup("\n").join(_block(block) for block in blocks)


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("mail.html")


@cache
def _inliner() -> "CSSInliner":
    """Mail programs that drop style tags keep attributes; what follows the reader's colour scheme stays a rule."""
    from css_inline import CSSInliner

    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _shown(whole: Card, prose: Blocks, page: str, subject: str) -> dict[str, Any]:
    card = recorded(whole) if whole.outcome else whole
    return {
        "subject": subject,
        "preview": words.headline(card, EMAIL_PREVIEW),
        "colour": _OVER if card.outcome else words.COLOURS[card.severity],
        "severity": words.severity(card),
        "title": words.title(card),
        "outcome": card.outcome and _outcome(card.outcome),
        "text": html(prose if card.text == whole.text else parse(card.text)),
        "facts": [(one_line(name), visible(value)) for name, value in card.facts],
        "payload": card.payload and _payload(card.payload),
        "progress": one_line(card.progress),
        "choices": [(one_line(choice.label), one_line(choice.description)) for choice in card.choices],
        "explained": len(card.choices) > EMAIL_CHOICES or any(choice.description.strip() for choice in card.choices),
        "decide": safe_link(page) if words.asks(card) else "",
        "decide_label": words.DECIDE,
        "open": "" if words.asks(card) else safe_link(card.link),
        "open_label": words.link(card),
        "leads": f"{words.LEADS} {host_of(card.link)}",
        "links": list(_links(card, page)),
        "foot": list(words.foot(card)),
    }


def _outcome(outcome: Outcome) -> dict[str, str]:
    return {
        "look": words.ending(outcome),
        "mark": words.mark(outcome),
        "text": one_line(outcome.text),
        "reason": one_line(outcome.reason),
        "at": words.utc(outcome.at) if outcome.at else "",
    }


def _payload(payload: Payload) -> dict[str, str | Markup]:
    body = visible(payload.body)
    whole = fits(body, EMAIL_PAYLOAD)
    shown = body if whole else clip(body, EMAIL_PAYLOAD)
    return {
        "label": one_line(payload.label) or "Payload",
        "body": _diff(shown) if payload.format is Format.DIFF else shown,
        "missing": "" if whole else words.NOT_WHOLE,
    }


def _diff(body: str) -> Markup:
    return Markup("\n").join(_diff_line(line) for line in body.split("\n"))


def _diff_line(line: str) -> Markup:
    kinds = {"+": "add", "-": "del"}
    kind = kinds.get(line[:1]) if not line.startswith(("+++", "---")) else None
    return Markup('<span class="{}">{}</span>').format(kind, line) if kind else escape(line)


def _links(card: Card, page: str) -> Iterator[tuple[str, str]]:
    """Links say where they lead. While the card asks, its page is the button, and its link one of these."""
    url, link = safe_link(page), safe_link(card.link)
    if url and not words.asks(card):
        yield "See the request" if card.outcome else words.OPEN, url
    if link and words.asks(card):
        yield f"{words.link(card)} ({host_of(link)})", link


# ---- markdown as HTML ------------------------------------------------------------------------------------------------


_PARAGRAPH, _HEADING = Markup("<p>{}</p>"), Markup("<h2>{}</h2>")
_CELL, _HEAD_CELL = Markup("<td>{}</td>"), Markup('<th scope="col">{}</th>')
_CODE, _STRONG = Markup("<code>{}</code>"), Markup("<strong>{}</strong>")
_EM, _STRIKE = Markup("<em>{}</em>"), Markup("<s>{}</s>")


def _block(block: Block) -> Markup:
    match block:
        case Paragraph(runs, heading):
            return (_HEADING if heading else _PARAGRAPH).format(_runs(runs))
        case Code(code):
            return Markup("<pre>{}</pre>").format(code)
        case Quote(inner):
            return Markup("<blockquote>{}</blockquote>").format(html(inner))
        case Bullets(items, first):
            inside = Markup("").join(Markup("<li>{}</li>").format(html(item)) for item in items)
            return Markup("<ul>{}</ul>").format(inside) if first is None else _numbered(inside, first)
        case Table(rows):
            return Markup('<table class="grid">{}</table>').format(
                Markup("").join(_row(row, head=place == 0) for place, row in enumerate(rows))
            )
        case Rule():
            return Markup("<hr>")


def _numbered(inside: Markup, first: int) -> Markup:
    return Markup('<ol start="{}">{}</ol>').format(first, inside)


def _row(cells: tuple[str, ...], *, head: bool) -> Markup:
    cell = _HEAD_CELL if head else _CELL
    return Markup("<tr>{}</tr>").format(Markup("").join(cell.format(each) for each in cells))


def _runs(runs: Runs) -> Markup:
    return Markup("").join(_run(run) for run in runs)


def _run(run: Run) -> Markup:
    shown = Markup("<br>").join(escape(line) for line in run.text.split("\n"))
    for styled, on in ((_CODE, run.code), (_STRONG, run.bold), (_EM, run.italic), (_STRIKE, run.strike)):
        shown = styled.format(shown) if on else shown
    return Markup('<a href="{}">{}</a>').format(run.href, shown) if run.href else shown
