"""A card as Slack's Block Kit: a message, and the modals that ask for more or show everything."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from slack_sdk.models.blocks import Option

import renderers.block_elements as kit
from interactions.card import Card, Choice, Format, Input, Outcome, Tone
from renderers import words
from renderers.clip import (
    ENDED_TEXT,
    SLACK_BLOCKS,
    SLACK_BUTTON,
    SLACK_BUTTONS,
    SLACK_FALLBACK,
    SLACK_FIELD_READABLE,
    SLACK_FIELDS,
    SLACK_HEADER,
    SLACK_LINE,
    SLACK_MESSAGE,
    SLACK_OPTION,
    SLACK_RADIOS,
    SLACK_VIEW,
    SLACK_VIEW_BLOCKS,
    clip,
    fits,
    length,
    recorded,
    shortened,
    volume,
)
from renderers.inert import one_line, visible
from renderers.markdown import Paragraph, Run, host_of, parse, safe_link
from renderers.mrkdwn import escape, exact, fence, fences, literal, sections

Json = dict[str, Any]

_INPUT = "input."
_ALERT = "MCP Alert"
_STYLES = {Tone.PRIMARY: "primary", Tone.DANGER: "danger"}


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What is posted. `whole` is False where approving needs the full review first."""

    text: str
    blocks: list[Json]
    color: str
    whole: bool = True

    @property
    def body(self) -> Json:
        """For chat.postMessage and chat.update: the head as blocks, the rest beside a bar in the colour."""
        rest = [{"color": self.color, "fallback": self.text, "blocks": self.blocks[1:]}] if self.blocks[1:] else []
        return {"text": self.text, "blocks": self.blocks[:1], "attachments": rest}


@dataclass(frozen=True, slots=True)
class ModalAnswer:
    """What a person submitted in a modal of ours."""

    token: str
    choice: str
    inputs: Mapping[str, str] = field(default_factory=dict)


def render(card: Card, token: str, page: str = "") -> SlackMessage:
    """The card as a message. `page` is linked where a part of the card is missing."""
    text = escape(words.headline(card, SLACK_FALLBACK))
    color = words.COLOURS[card.severity]
    shown = recorded(card) if card.outcome else card
    if volume(shown) <= SLACK_MESSAGE:
        blocks = _message(shown, token)
        if _fit(blocks, SLACK_BLOCKS, SLACK_MESSAGE):
            return SlackMessage(text, blocks, color)
    for scale in (1, 2, 4, 8):
        blocks = _message(shortened(shown, scale), token, whole=False, page=page)
        if _fit(blocks, SLACK_BLOCKS, SLACK_MESSAGE):
            break
    return SlackMessage(text, blocks, color, whole=not words.asks(card))


def modal(card: Card, token: str, choice: str | None = None, *, words: str = "", page: str = "") -> Json:
    """The view that asks what a choice needs, or, without a choice, that shows everything and asks for the answer.

    `words` are said at the top. `page` is where everything can be read if not even a modal holds it.
    """
    picked = card.choice(choice) if choice is not None else None
    return _asking(card, picked, token, words) if picked else _reviewing(card, token, words, page)


def read_modal(view: Json) -> ModalAnswer:
    """The answer in a view_submission's view. The choice is empty if none was taken."""
    sealed = json.loads(view.get("private_metadata") or "{}")
    choice, inputs = str(sealed.get("choice", "")), {}
    for block_id, elements in (view.get("state") or {}).get("values", {}).items():
        for element in elements.values():
            if block_id == "choice":
                choice = str((element.get("selected_option") or {}).get("value", ""))
            elif block_id.startswith(_INPUT):
                inputs[block_id.removeprefix(_INPUT)] = str(element.get("value") or "")
    return ModalAnswer(str(sealed.get("token", "")), choice, {name: value for name, value in inputs.items() if value})


# ---- the message -----------------------------------------------------------------------------------------------------


def _message(card: Card, token: str, *, whole: bool = True, page: str = "") -> list[Json]:
    blocks = [
        *_title(card),
        *_outcome(card.outcome),
        *_body(card),
        *_offered(card if whole else _without_guarded(card)),
        *_missing(card, page, whole=whole),
        *_answers(card, token, whole=whole),
        *_link(card),
        *_footer(card),
    ]
    return _unfolded(blocks) if words.asks(card) else blocks


def _unfolded(blocks: Sequence[Json]) -> list[Json]:
    """Slack may fold a long text behind "see more", above buttons that stay: nobody approves what they do not see.

    https://docs.slack.dev/reference/block-kit/blocks/section-block
    """
    return [{**block, "expand": True} if block["type"] == "section" else block for block in blocks]


def _fit(blocks: Sequence[Json], most: int, characters: int) -> bool:
    """As JSON they have more bytes than characters, so that most need not be counted."""
    return len(blocks) <= most and (len(to_json(blocks)) <= characters or _characters(blocks) <= characters)


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return length(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_characters, parts))


def _title(card: Card) -> Iterator[Json]:
    title = words.title(card, _ALERT)
    if fits(title, SLACK_HEADER):
        yield kit.header(title)
    else:
        yield from _bold(title)


def _bold(text: str) -> Iterator[Json]:
    return map(kit.section, sections((Paragraph((Run(text or "…", bold=True),)),)))


def _outcome(outcome: Outcome | None) -> Iterator[Json]:
    if outcome is None:
        return
    said = f"{words.mark(outcome)} *{literal(clip(one_line(outcome.text), SLACK_LINE), styled=True) or '…'}*"
    yield kit.section(said + (f" · {_moment(outcome.at)}" if outcome.at else ""))
    if outcome.reason.strip():
        yield from map(kit.section, sections(parse(f"Reason: {outcome.reason}")))


def _body(card: Card) -> Iterator[Json]:
    yield from map(kit.section, sections(parse(card.text)))
    yield from _facts(card.facts)
    if card.payload:
        yield from _bold(one_line(card.payload.label))
        parts = fences(visible(card.payload.body) or " ", json=card.payload.format is Format.JSON)
        yield from (kit.section(fence(part)) for part in parts)


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[Json]:
    """Short facts stand in two columns, long ones in a section of their own."""
    row: list[str] = []
    for name, value in facts:
        field = _field(name, value) if len(name) + len(value) <= 2 * SLACK_FIELD_READABLE else None
        if row and (not field or len(row) == SLACK_FIELDS):
            yield kit.fields(row)
            row = []
        if field:
            row.append(field)
        else:
            yield from _bold(one_line(name))
            yield from (kit.section(fence(part)) for part in fences(visible(value)))
    if row:
        yield kit.fields(row)


@lru_cache(maxsize=1024)
def _field(name: str, value: str) -> str | None:
    """A short fact, or None where it is a long one. Servers, services and errors are the same day after day."""
    text = visible(value)
    if not fits(name, SLACK_FIELD_READABLE) or not fits(text, SLACK_FIELD_READABLE) or "\n" in text:
        return None
    return f"*{literal(one_line(name), styled=True) or '…'}*\n{exact(text) or '—'}"


def _without_guarded(card: Card) -> Card:
    return replace(card, choices=tuple(each for each in card.choices if each not in card.guarded))


def _offered(card: Card) -> Iterator[Json]:
    """What the choices mean, where their buttons or options have no room for it."""
    if _is_picked(card):
        needed = any(not _fits_option(choice) for choice in card.choices)
    else:
        needed = any(choice.description or not fits(choice.label, SLACK_BUTTON) for choice in card.choices)
    if needed:
        yield from map(kit.section, sections(tuple(_offer(choice) for choice in card.choices)))


def _offer(choice: Choice) -> Paragraph:
    label, description = one_line(choice.label), one_line(choice.description)
    return Paragraph((Run(label or "…", bold=True), *([Run(f": {description}")] if description else [])))


def _fits_option(choice: Choice) -> bool:
    return fits(choice.label, SLACK_OPTION) and fits(choice.description, SLACK_OPTION)


def _is_picked(card: Card) -> bool:
    return len(card.choices) > SLACK_BUTTONS


def _missing(card: Card, page: str, *, whole: bool) -> Iterator[Json]:
    if not whole:
        url = safe_link(page)
        link = f" <{escape(url)}|{words.OPEN}> ({escape(host_of(url))})" if url else ""
        yield kit.section(f":warning: {words.NOT_WHOLE if words.asks(card) else words.NOT_WHOLE_ENDED}{link}")


def _answers(card: Card, token: str, *, whole: bool) -> Iterator[Json]:
    if card.progress.strip():
        yield kit.context(literal(clip(one_line(card.progress), SLACK_LINE)) or "…")
    if not card.choices:
        return
    offered = card if whole else _without_guarded(card)
    review = () if whole else (kit.button(words.REVIEW, "review", token, "primary"),)
    if not _is_picked(offered):
        yield kit.actions([*(_button(choice, token) for choice in offered.choices), *review], f"t:{token}")
        return
    beside = tuple(choice for choice in offered.choices if _asks_alone(card, choice))[:SLACK_BUTTONS]
    options = [_option(choice) for choice in offered.choices if choice not in beside]
    picker = [kit.select(options, "pick", "Choose one")] if options else []
    yield kit.actions([*picker, *(_button(choice, token) for choice in beside), *review], f"t:{token}")


def _asks_alone(card: Card, choice: Choice) -> bool:
    """Whether a choice has a question of its own, such as "Something else": it gets a button beside the picker."""
    return any(field.choices == (choice.id,) for field in card.inputs)


def _button(choice: Choice, token: str) -> Any:
    return kit.button(one_line(choice.label), f"choice:{choice.id}", token, _STYLES.get(choice.tone))


def _option(choice: Choice) -> Option:
    return kit.option(choice.id, one_line(choice.label), one_line(choice.description))


def _link(card: Card) -> Iterator[Json]:
    url = safe_link(card.link)
    if url.startswith("http"):
        yield kit.actions([kit.link_button(words.link(card), url, None if words.asks(card) else "primary")])


def _footer(card: Card) -> Iterator[Json]:
    """Small print. An alert says how severe it is among its facts."""
    url = safe_link(card.link)
    parts = [
        "" if any(name == words.SEVERITY for name, _ in card.facts) else f"{words.SEVERITY}: {words.severity(card)}",
        f"Happened {_moment(card.happened_at)}" if card.happened_at else "",
        f"Requested by {literal(clip(one_line(card.requester), SLACK_LINE))}" if card.requester.strip() else "",
        f"Expires {_moment(card.expires_at)}" if card.expires_at and not card.outcome else "",
        f"{words.LEADS} {literal(host_of(url))}" if url else "",
    ]
    if said := " · ".join(filter(None, parts)):
        yield kit.context(said)


def _moment(at: datetime) -> str:
    at = words.aware(at)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{words.utc(at)}>"


# ---- the modals ------------------------------------------------------------------------------------------------------


def _asking(card: Card, choice: Choice, token: str, said: str) -> Json:
    label = one_line(choice.label) or "…"
    blocks = [
        *_said(said),
        *_title(shortened(card, 1)),
        *map(kit.section, sections((Paragraph((Run(clip(one_line(choice.description), ENDED_TEXT)),)),))),
        *(_input(each, required=each.required) for each in card.inputs_of(choice.id)),
    ]
    submit = "Send answer" if _asks_alone(card, choice) else label
    return kit.view(label, submit, blocks, _sealed(token, choice.id))


def _reviewing(card: Card, token: str, said: str, page: str) -> Json:
    view = _review(card, token, said) if volume(card) <= SLACK_VIEW else None
    for scale in (1, 2, 4, 8):
        view = view or _review(shortened(card, scale), token, said, page, whole=False)
    assert view is not None  # the shortest one fits whatever is in the card
    return view


def _review(card: Card, token: str, said: str, page: str = "", *, whole: bool = True) -> Json | None:
    """The whole card and what may be answered, or None where that is more than a modal holds."""
    offered = card if whole else _without_guarded(card)
    blocks = [
        *_said(said),
        *_title(card),
        *_outcome(card.outcome),
        *_body(card),
        *_offered(offered),
        *_missing(card, page, whole=whole),
        *_questions(offered),
        *_link(card),
        *_footer(card),
    ]
    if len(blocks) > SLACK_VIEW_BLOCKS:
        return None
    if offered.choices:
        blocks = _unfolded(blocks)
    submit = "Send answer" if offered.choices else ""
    view = kit.view("Full request" if whole else "Request", submit, blocks, _sealed(token))
    return view if len(json.dumps(view)) <= SLACK_VIEW else None


def _said(said: str) -> Iterator[Json]:
    return map(kit.section, sections(parse(clip(said, ENDED_TEXT))))


def _questions(card: Card) -> Iterator[Json]:
    if not card.choices:
        return
    options = [_option(choice) for choice in card.choices]
    few = len(options) <= SLACK_RADIOS
    element = kit.radios(options, "choice") if few else kit.select(options, "choice", "Choose one")
    yield kit.question("choice", "Your answer", element, optional=False)
    for each in card.inputs:
        asked_by = [one_line(choice.label) for choice in card.choices if each.belongs_to(choice.id)]
        if asked_by:
            always = len(asked_by) == len(card.choices)
            hint = "" if always else f"Only for: {', '.join(asked_by)}"
            yield _input(each, required=each.required and always, hint=hint)


def _input(each: Input, *, required: bool, hint: str = "") -> Json:
    name = f"{_INPUT}{each.id}"
    element = kit.text_input(name, multiline=each.multiline, max_length=each.max_length)
    return kit.question(name, one_line(each.label), element, optional=not required, hint=hint)


def _sealed(token: str, choice: str | None = None) -> str:
    return json.dumps({"token": token} if choice is None else {"token": token, "choice": choice})
