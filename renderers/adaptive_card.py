"""A card as an Adaptive Card 1.5 for Teams.

Words from outside stand in RichTextBlocks, which read no markup, or are escaped where Teams would read some.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from adaptivecards.baseobject import BareObject

import renderers.adaptive_elements as kit
from interactions.card import Card, Choice, Input, Outcome, Payload, Severity
from renderers import words
from renderers.clip import (
    TEAMS_ACTIONS,
    TEAMS_BUTTON,
    TEAMS_BUTTONS,
    TEAMS_CARD_BYTES,
    TEAMS_INPUT,
    TEAMS_SUMMARY,
    clip,
    fits,
    length,
    recorded,
    shortened,
    volume,
)
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
from renderers.words import Ending

Json = dict[str, Any]

VERB = "answer"
_INPUT = "input."
_NBSP = "\u00a0"
# A sign, because Teams' own yellow and green are hard to read as letters.
_SIGNS = {
    Severity.CRITICAL: "🔴",
    Severity.HIGH: "🟠",
    Severity.MEDIUM: "🟡",
    Severity.LOW: "🟢",
    Severity.INFO: "🔵",
}
_ENDED = {Ending.YES: "good", Ending.NO: "attention", Ending.WARN: "warning", Ending.OVER: "emphasis"}


@dataclass(frozen=True, slots=True)
class TeamsCard:
    """The attachment's content. `whole` is False where approving needs the full request first."""

    content: Json
    summary: str
    whole: bool = True


class TeamsAnswer(NamedTuple):
    token: str
    choice: str
    inputs: Mapping[str, str]


def render(card: Card, token: str, page: str = "") -> TeamsCard:
    summary = words.headline(card, TEAMS_SUMMARY)
    shown = recorded(card) if card.outcome else card
    if 2 * volume(shown) <= TEAMS_CARD_BYTES:
        content = _content(shown, token, page)
        if _size(content) <= TEAMS_CARD_BYTES:
            return TeamsCard(content, summary)
    for scale in (1, 2, 4, 8):
        content = _content(shortened(shown, scale), token, page, whole=False)
        if _size(content) <= TEAMS_CARD_BYTES:
            break
    return TeamsCard(content, summary, whole=not words.asks(card))


def read_action(data: Mapping[str, Any]) -> TeamsAnswer:
    """The answer in the data of an Action.Execute or Action.Submit of ours. The choice is empty if none was taken."""
    choice = str(data.get("choice") or "")
    inputs: dict[str, str] = {}
    for key, value in data.items():
        name, _, only = key.removeprefix(_INPUT).partition("~")
        if key.startswith(_INPUT) and value and only in {"", choice}:
            inputs[name] = str(value)
    return TeamsAnswer(str(data.get("token") or ""), choice, inputs)


def _size(content: Json) -> int:
    return 2 * length(json.dumps(content, ensure_ascii=False))


def _content(card: Card, token: str, page: str, *, whole: bool = True) -> Json:
    offered = card if whole else replace(card, choices=tuple(each for each in card.choices if each not in card.guarded))
    actions = [*_answers(offered, token), *_review(card, page, whole=whole)]
    link = [*_link(card)] if len(actions) < TEAMS_ACTIONS else []
    body = [
        *_head(card),
        *_outcome(card.outcome),
        *_prose(parse(card.text)),
        *_facts(card.facts),
        *_payload(card.payload),
        *_offered(offered),
        *_missing(card, whole=whole),
        *_questions(offered),
        *(() if link else _link_in_words(card)),
        *_footer(card),
    ]
    made = kit.card(body, [*actions, *link])
    headline = _inert(words.headline(card, TEAMS_SUMMARY))
    made.fallback_text, made.speak = headline, headline
    return {**kit.dump(made), "msteams": {"width": "Full"}}


# ---- words -----------------------------------------------------------------------------------------------------------


def _inert(text: str) -> str:
    """Keeps Teams from turning words into a date of its own."""
    return re.sub(r"\{(?=\{)", "{ ", text)


def _escaped(text: str) -> str:
    """Words for the elements that read markdown, with a backslash only where a sign could mean something."""
    text = _inert(text)
    if re.search(r"[\\`*_\[\]<>~|]|^[^\S\n]*(?:[-+#]|\d+[.)](?!\S))", text, re.MULTILINE) is None:
        return text
    text = re.sub(r"[\\`*\[\]<>~|]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)
    return re.sub(
        r"^([^\S\n]*)([-+#]|\d+(?=[.)](?!\S)))",
        lambda match: _list_escaped(match[1], match[2]),
        text,
        flags=re.MULTILINE,
    )


def _list_escaped(space: str, sign: str) -> str:
    return f"{space}\\{sign}" if not sign.isdigit() else f"{space}{sign}\u2060"


def _line(text: str, **style: Any) -> BareObject:
    return kit.TextBlock(text=_escaped(text) or "…", wrap=True, **style)


def _prose(blocks: Blocks, indent: str = "") -> Iterator[BareObject]:
    for block in blocks:
        yield from _block(block, indent)


def _block(block: Block, indent: str) -> Iterator[BareObject]:
    match block:
        case Paragraph(runs, heading):
            yield _rich(tuple(run._replace(bold=True) for run in runs) if heading else runs, indent)
        case Code(text):
            yield _code(text)
        case Table():
            yield _code("\n".join(block.lines()))
        case Quote(inner):
            yield from _contained(inner)
        case Bullets():
            yield from _bullets(block, indent)
        case Rule():
            yield _rich((Run("———"),), indent)


def _contained(inner: Blocks) -> Iterator[BareObject]:
    items = list(_prose(inner))
    if items:
        yield kit.Container(style="emphasis", items=items)


def _bullets(bullets: Bullets, indent: str) -> Iterator[BareObject]:
    for sign, item in zip(bullets.marks(), bullets.items, strict=True):
        first, rest = item[:1], item[1:]
        match first:
            case (Paragraph(runs),):
                yield _rich((Run(f"{sign} "), *runs), indent)
            case _:
                yield _rich((Run(sign),), indent)
                rest = item
        yield from _prose(rest, indent + _NBSP * 4)


def _rich(runs: Runs, indent: str = "") -> BareObject:
    shown = [_run(run) for run in runs if run.text]
    return kit.RichTextBlock(inlines=[*([kit.TextRun(text=indent)] if indent else []), *shown], spacing="Small")


def _run(run: Run) -> BareObject:
    return kit.TextRun(
        text=_inert(run.text),
        weight="Bolder" if run.bold else None,
        italic=run.italic or None,
        strikethrough=run.strike or None,
        fontType="Monospace" if run.code else None,
        color="Accent" if run.href else None,
        select_action=kit.OpenUrl(url=run.href, title=host_of(run.href)) if run.href else None,
    )


def _code(text: str) -> BareObject:
    run = kit.TextRun(text=_inert(_spaced(text)) or _NBSP, fontType="Monospace", size="Small")
    return kit.Container(style="emphasis", items=[kit.RichTextBlock(inlines=[run])], spacing="Small")


def _spaced(text: str) -> str:
    """Spaces at the beginning of a line, and more than one, would fall together."""
    text = text.replace("\t", "    ")
    return re.sub(r"^ +| {2,}", lambda match: _NBSP * len(match.group()), text, flags=re.MULTILINE)


# ---- the body --------------------------------------------------------------------------------------------------------


def _head(card: Card) -> Iterator[BareObject]:
    yield _line(f"{_SIGNS[card.severity]} {words.severity(card)}", size="Small", weight="Bolder", isSubtle=True)
    yield _line(words.title(card), size="Large", weight="Bolder", style="heading", spacing="None")


def _outcome(outcome: Outcome | None) -> Iterator[BareObject]:
    if outcome is None:
        return
    items = [_line(f"{words.mark(outcome)} {one_line(outcome.text)}", weight="Bolder", size="Medium")]
    if outcome.reason.strip():
        items.append(_line(f"Reason: {one_line(outcome.reason)}", spacing="Small"))
    if outcome.at:
        items.append(kit.TextBlock(text=_moment(outcome.at), wrap=True, isSubtle=True, size="Small", spacing="Small"))
    yield kit.Container(style=_ENDED[words.ending(outcome)], items=items)


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[BareObject]:
    if facts:
        shown = [
            kit.Fact(title=_escaped(one_line(name)) or "…", value=_escaped(visible(value)).replace("\n", "\n\n") or "—")
            for name, value in facts
        ]
        yield kit.FactSet(facts=shown, spacing="Medium")


def _payload(payload: Payload | None) -> Iterator[BareObject]:
    if payload:
        yield _line(one_line(payload.label) or "Payload", weight="Bolder", spacing="Medium")
        yield _code(visible(payload.body))


def _offered(card: Card) -> Iterator[BareObject]:
    """What the choices mean, where a button or a menu has no room for it."""
    for choice in card.choices:
        label, description = one_line(choice.label), one_line(choice.description)
        if description:
            yield _rich((Run(label, bold=True), Run(f": {description}")))
        elif not fits(label, TEAMS_BUTTON) and not _is_picked(card):
            yield _rich((Run(label, bold=True),))


def _is_picked(card: Card) -> bool:
    return len(card.choices) > TEAMS_BUTTONS


def _missing(card: Card, *, whole: bool) -> Iterator[BareObject]:
    if not whole:
        yield _line(words.NOT_WHOLE if words.asks(card) else words.NOT_WHOLE_ENDED, weight="Bolder", color="Warning")


def _footer(card: Card) -> Iterator[BareObject]:
    small: dict[str, Any] = {"size": "Small", "isSubtle": True}
    progress, requester, url = one_line(card.progress), one_line(card.requester), safe_link(card.link)
    if progress:
        yield _line(progress, weight="Bolder")
    if card.happened_at:
        yield kit.TextBlock(text=f"Happened {_moment(card.happened_at)}", wrap=True, separator=True, **small)
    if requester:
        yield _line(f"Requested by {requester}", separator=True, spacing="Medium", **small)
    if card.expires_at and not card.outcome:
        yield kit.TextBlock(text=f"Expires {_moment(card.expires_at)}", wrap=True, spacing="None", **small)
    if url:
        yield _line(f"{words.LEADS} {host_of(url)}", **small)


def _moment(at: datetime) -> str:
    stamp = f"{words.aware(at):%Y-%m-%dT%H:%M:%SZ}"
    return f"{{{{DATE({stamp},SHORT)}}}} {{{{TIME({stamp})}}}}"


# ---- answers ---------------------------------------------------------------------------------------------------------


def _questions(card: Card) -> Iterator[BareObject]:
    """What every choice asks stands above the buttons; with a picker, everything that any choice asks."""
    if _is_picked(card):
        options = [kit.Option(title=_inert(one_line(each.label)) or "…", value=each.id) for each in card.choices]
        yield kit.ChoiceQuestion(
            id="choice",
            label="Your answer",
            style="compact",
            wrap=True,
            choices=options,
            placeholder="Choose one",
            required=True,
            error="Choose one of the answers.",
        )
    for each in card.inputs:
        askers = _askers(card, each)
        if askers and (_is_picked(card) or len(askers) == len(card.choices)):
            always = len(askers) == len(card.choices)
            hint = "" if always else f" (only for: {', '.join(one_line(choice.label) for choice in askers)})"
            yield _question(each, f"{_INPUT}{each.id}", required=each.required and always, hint=hint)


def _question(each: Input, name: str, *, required: bool, hint: str = "") -> BareObject:
    label = one_line(each.label) or each.id
    return kit.TextQuestion(
        id=name,
        label=_inert(label + hint),
        multiline=each.multiline,
        max_length=max(1, min(each.max_length, TEAMS_INPUT)),
        required=required or None,
        error=f"Please fill in {label}." if required else None,
    )


def _answers(card: Card, token: str) -> Iterator[kit.Action]:
    if _is_picked(card):
        yield _execute("Send answer", {"token": token})
        return
    for choice in card.choices:
        yield _answer(card, choice, token)


def _answer(card: Card, choice: Choice, token: str) -> kit.Action:
    label = clip(_inert(one_line(choice.label)), TEAMS_BUTTON) or "…"
    execute = _execute(label, {"token": token, "choice": choice.id})
    own = [
        _question(each, _input_id(card, each, choice), required=each.required)
        for each in card.inputs_of(choice.id)
        if len(_askers(card, each)) < len(card.choices)
    ]
    return kit.ShowCard(title=label, card=kit.card(own, [execute])) if own else execute


def _link(card: Card) -> Iterator[kit.Action]:
    url = safe_link(card.link)
    if url:
        yield kit.OpenUrl(title=clip(_inert(words.link(card)), TEAMS_BUTTON), url=url)


def _link_in_words(card: Card) -> Iterator[BareObject]:
    """Where its button would be one more than Teams shows."""
    url = safe_link(card.link)
    if url:
        yield _rich((Run(words.link(card), href=url),))


def _askers(card: Card, field: Input) -> list[Choice]:
    return [choice for choice in card.choices if field.belongs_to(choice.id)]


def _input_id(card: Card, field: Input, choice: Choice) -> str:
    """Ids differ in the whole card, so an input that several choices ask for says for which one it is."""
    return f"{_INPUT}{field.id}" + (f"~{choice.id}" if len(_askers(card, field)) > 1 else "")


def _execute(title: str, data: Json) -> kit.Action:
    """Old clients know only Submit: the same answer by another way."""
    return kit.Execute(title=title, verb=VERB, payload=data, fallback=kit.Submit(title=title, payload=data))


def _review(card: Card, page: str, *, whole: bool) -> Iterator[kit.Action]:
    url = safe_link(page)
    if not whole and url:
        yield kit.OpenUrl(title=words.REVIEW if words.asks(card) else words.OPEN, url=url)
