"""Block Kit's elements, built and checked by slack_sdk's models.

What is words alone (headers, sections, contexts) is a model's own JSON with other words in it: the model says the shape
once, and each time only the length is left to check. That is most of what is sent, and costs a tenth of a model.

Import this with the first card, not before: the models take a quarter of a second and some memory.
"""

from collections.abc import Callable, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    InputBlock,
    MarkdownTextObject,
    Option,
    OptionGroup,
    PlainTextInputElement,
    PlainTextObject,
    RadioButtonsElement,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.blocks.block_elements import InputInteractiveElement
from slack_sdk.models.views import View

from renderers.clip import (
    SLACK_BUTTON,
    SLACK_FIELD,
    SLACK_FIELDS,
    SLACK_HEADER,
    SLACK_INPUT,
    SLACK_LABEL,
    SLACK_OPTION,
    SLACK_OPTIONS,
    SLACK_PLACEHOLDER,
    SLACK_SECTION,
    SLACK_VIEW_TITLE,
    clip,
)
from renderers.mrkdwn import plain_text

Json = dict[str, Any]


def words(text: str, most: int) -> PlainTextObject:
    return PlainTextObject(text=_plain(text, most), emoji=False)


def header(text: str) -> Json:
    return {**_HEADER, "text": {**_PLAIN, "text": _plain(text, SLACK_HEADER)}}


def section(mrkdwn: str) -> Json:
    return {**_SECTION, "text": _words(mrkdwn, SLACK_SECTION)}


def fields(mrkdwns: Sequence[str]) -> Json:
    _within(len(mrkdwns), SLACK_FIELDS, "fields of a section")
    return {**_FIELDS, "fields": [_words(each, SLACK_FIELD) for each in mrkdwns]}


def context(mrkdwn: str) -> Json:
    return {**_CONTEXT, "elements": [_words(mrkdwn, SLACK_SECTION)]}


def _plain(text: str, most: int) -> str:
    return clip(plain_text(text), most) or "…"


def _words(mrkdwn: str, most: int) -> Json:
    _within(len(mrkdwn), most, "a text's characters")
    return {**_MRKDWN, "text": mrkdwn}


def _within(count: int, most: int, what: str) -> None:
    if not 0 < count <= most:
        raise SlackObjectFormationError(f"{what} are {count}; they cannot exceed {most}, nor be none")


def button(label: str, action_id: str, value: str, style: str | None = None) -> ButtonElement:
    return ButtonElement(text=words(label, SLACK_BUTTON), action_id=action_id, value=value, style=style)


def link_button(label: str, url: str, style: str | None = None) -> ButtonElement:
    """It opens an address; Slack tells the app of the press all the same."""
    return ButtonElement(text=words(label, SLACK_BUTTON), action_id="link", url=url, style=style)


def actions(elements: Sequence[Any], block_id: str | None = None) -> Json:
    return _dumped(ActionsBlock(elements=list(elements), block_id=block_id))


def option(value: str, label: str, description: str) -> Option:
    return Option(
        value=value,
        text=words(label, SLACK_OPTION),
        description=words(description, SLACK_OPTION) if description else None,
    )


def select(options: Sequence[Option], action_id: str, placeholder: str) -> InputInteractiveElement:
    """A menu; above Slack's most options in one list they stand in groups."""
    shown = words(placeholder, SLACK_PLACEHOLDER)
    if len(options) <= SLACK_OPTIONS:
        return StaticSelectElement(options=list(options), action_id=action_id, placeholder=shown)
    groups = [
        OptionGroup(
            label=words(f"{start + 1} to {min(start + SLACK_OPTIONS, len(options))}", SLACK_OPTION),
            options=list(options[start : start + SLACK_OPTIONS]),
        )
        for start in range(0, len(options), SLACK_OPTIONS)
    ]
    return StaticSelectElement(option_groups=groups, action_id=action_id, placeholder=shown)


def radios(options: Sequence[Option], action_id: str) -> InputInteractiveElement:
    return RadioButtonsElement(options=list(options), action_id=action_id)


def text_input(action_id: str, *, multiline: bool, max_length: int) -> InputInteractiveElement:
    return PlainTextInputElement(
        action_id=action_id, multiline=multiline, max_length=max(1, min(max_length, SLACK_INPUT))
    )


def question(block_id: str, label: str, element: InputInteractiveElement, *, optional: bool, hint: str = "") -> Json:
    asked = InputBlock(
        block_id=block_id,
        label=words(label, SLACK_LABEL),
        element=element,
        optional=optional,
        hint=words(hint, SLACK_LABEL) if hint else None,
    )
    return _dumped(asked)


def view(title: str, submit: str, blocks: Sequence[Json], private_metadata: str) -> Json:
    shown = View(
        type="modal",
        callback_id="answer",
        title=words(title, SLACK_VIEW_TITLE),
        submit=words(submit, SLACK_VIEW_TITLE) if submit else None,
        close=words("Close" if not submit else "Back", SLACK_VIEW_TITLE),
        blocks=list(blocks),
        private_metadata=private_metadata,
    )
    return _dumped(shown)


# Of each class of model: its keys in order, and its validators.
_Shape = tuple[tuple[str, ...], tuple[Callable[[JsonObject], None], ...]]
_SHAPES: dict[type, _Shape] = {}


def _dumped(model: JsonObject) -> Json:
    """A model as JSON, each part checked by its validators (SlackObjectFormationError).

    `to_dict` looks for validators with dir() in every object, which takes most of its time; here a class is asked once.
    """
    keys, validators = _SHAPES.get(type(model)) or _learnt(model)
    for validate in validators:
        validate(model)
    if not keys:  # Option and OptionGroup write themselves
        return dict(model.to_dict())
    written: Json = {}
    for key in keys:
        value = getattr(model, key, None)
        if value or value == 0:
            written[key] = _value(value)
    return written


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return _dumped(value) if hasattr(value, "validate_json") else value


def _learnt(model: JsonObject) -> _Shape:
    kind = type(model)
    validators = tuple(getattr(kind, name) for name in dir(kind) if hasattr(getattr(kind, name, None), "validator"))
    shape = (tuple(sorted(model.attributes)), validators)
    _SHAPES[kind] = shape
    return shape


_PLAIN = _dumped(PlainTextObject(text="…", emoji=False))
_MRKDWN = _dumped(MarkdownTextObject(text="…", verbatim=True))
_HEADER = _dumped(HeaderBlock(text=PlainTextObject(text="…")))
_SECTION = _dumped(SectionBlock(text=MarkdownTextObject(text="…")))
_FIELDS = _dumped(SectionBlock(fields=[MarkdownTextObject(text="…")]))
_CONTEXT = _dumped(ContextBlock(elements=[MarkdownTextObject(text="…")]))
