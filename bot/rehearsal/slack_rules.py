"""What Slack refuses in blocks and views: its SDK's validators, and the documented limits that those miss."""

from collections.abc import Iterable, Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.rehearsal.platform import Json

BLOCKS_PER_MESSAGE = 50
BLOCKS_PER_VIEW = 100
CHARACTERS_IN_ALL_BLOCKS = 13_200
TEXT_CUT_AT = 40_000
KNOWN_BLOCKS = frozenset(
    [
        "actions",
        "alert",
        "call",
        "card",
        "carousel",
        "context",
        "context_actions",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "table",
        "task_card",
        "video",
    ]
)
MESSAGE_ONLY = frozenset({"context_actions", "card", "carousel", "markdown", "plan", "table", "task_card"})


def blocks_problem(blocks: Any, *, most: int = BLOCKS_PER_MESSAGE) -> tuple[str, str] | None:
    """The error code and the sentence about it, or nothing."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return "invalid_blocks_format", "blocks must be an array of objects"
    if len(blocks) > most:
        return "invalid_blocks", f"no more than {most} items allowed [json-pointer:/blocks]"
    if most == BLOCKS_PER_MESSAGE and sum(len(text) for text in _strings(blocks)) > CHARACTERS_IN_ALL_BLOCKS:
        return "msg_blocks_too_long", "blocks are too long in sum"
    problem = next(_problems(blocks), None)
    return None if problem is None else ("invalid_blocks", problem)


def view_problem(view: Any) -> str | None:
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return "unsupported type [json-pointer:/view/type]"
    found = blocks_problem(view.get("blocks"), most=BLOCKS_PER_VIEW)
    if found is not None:
        return found[1]
    if any(block["type"] in MESSAGE_ONLY for block in view["blocks"]):
        return "unsupported block in a view [json-pointer:/view/blocks]"
    if view["type"] == "modal" and not (view.get("title") or {}).get("text"):
        return "missing required field: title [json-pointer:/view]"
    if any(block["type"] == "input" for block in view["blocks"]) and view["type"] == "modal" and "submit" not in view:
        return "missing required field: submit [json-pointer:/view]"
    return _sdk_view_problem(view)


def _sdk_view_problem(view: Json) -> str | None:
    try:
        View(**view).validate_json()
    except SlackObjectFormationError as refused:
        return str(refused)
    except TypeError as refused:
        return f"unknown field: {refused}"
    return None


def _problems(blocks: list[Json]) -> Iterator[str]:
    seen: set[str] = set()
    for place, block in enumerate(blocks):
        at = f"[json-pointer:/blocks/{place}]"
        if block.get("type") not in KNOWN_BLOCKS:
            yield f"unsupported block: {block.get('type')} {at}"
            continue
        block_id = block.get("block_id")
        if block_id is not None and block_id in seen:
            yield f"block_id {block_id} already exists {at}"
        seen.add(str(block_id))
        yield from (f"{problem} {at}" for problem in _block_problems(block))


def _block_problems(block: Json) -> Iterator[str]:
    parsed = Block.parse(block)
    if parsed is None:
        yield "not a block"
        return
    try:
        parsed.validate_json()
    except SlackObjectFormationError as refused:
        yield str(refused)
    yield from _shape_problems(block)
    yield from _text_problems(block)
    elements = list(elements_of(block))
    ids = [element["action_id"] for element in elements if element.get("action_id")]
    if len(ids) != len(set(ids)):
        yield "action_id already exists in this block"
    for element in elements:
        yield from _element_problems(element)


def _shape_problems(block: Json) -> Iterator[str]:
    match block["type"]:
        case "section" if not block.get("text") and not block.get("fields"):
            yield "section needs text or fields"
        case "actions" | "context" if not block.get("elements"):
            yield "no elements"
        case "header" if (block.get("text") or {}).get("type") != "plain_text":
            yield "header text must be plain_text"
        case "markdown" if not block.get("text"):
            yield "must be more than 0 characters"
        case "input" if not block.get("label") or not block.get("element"):
            yield "input needs label and element"


def _text_problems(block: Json) -> Iterator[str]:
    for text in block.get("fields", []):
        yield from _length_problem(text, 2000)
    for key in ("text", "label", "hint", "title"):
        if isinstance(text := block.get(key), dict):
            yield from _length_problem(text, 3000)
    if block["type"] == "context":
        for element in block["elements"]:
            if element.get("type") in {"mrkdwn", "plain_text"}:
                yield from _length_problem(element, 3000)


def _element_problems(element: Json) -> Iterator[str]:
    if element.get("type") == "button":
        yield from _length_problem(element.get("text"), 75)
        if element.get("style") not in {None, "primary", "danger"}:
            yield "style must be primary or danger"
    if len(str(element.get("value", ""))) > 2000:
        yield "value must be less than 2001 characters"
    if len(str(element.get("action_id", ""))) > 255:
        yield "action_id must be less than 256 characters"
    if isinstance(element.get("placeholder"), dict):
        yield from _length_problem(element["placeholder"], 150)
    if element.get("type") in {"static_select", "multi_static_select"}:
        yield from _select_problems(element)
    yield from _option_problems(element)
    if isinstance(confirm := element.get("confirm"), dict):
        yield from _length_problem(confirm.get("title"), 100)
        yield from _length_problem(confirm.get("text"), 300)


def _option_problems(element: Json) -> Iterator[str]:
    for option in options_of(element):
        yield from _length_problem(option.get("text"), 75)
        if not 1 <= len(option.get("value") or "") <= 150:
            yield "option value must be 1 to 150 characters"
        if len((option.get("description") or {}).get("text", "")) > 75:
            yield "option description must be less than 76 characters"


def _select_problems(element: Json) -> Iterator[str]:
    if not options_of(element):
        yield "options or option_groups needed"
    for group in [element, *element.get("option_groups", [])]:
        if len(group.get("options", [])) > 100:
            yield "no more than 100 items allowed"
    if (chosen := element.get("initial_option")) and chosen not in options_of(element):
        yield "initial_option must be one of the options"


def _length_problem(text: Any, most: int) -> Iterator[str]:
    words = text.get("text") if isinstance(text, dict) else None
    if not isinstance(words, str) or not words:
        yield "must be more than 0 characters"
    elif len(words) > most:
        yield f"must be less than {most + 1} characters"


def elements_of(block: Json) -> Iterator[Json]:
    """Whatever in the block a person can act on."""
    if block.get("type") == "context":
        return
    candidates: list[Any] = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    for candidate in candidates:
        if isinstance(candidate, dict) and candidate.get("type") not in {"rich_text_section", "rich_text_list"}:
            yield candidate


def options_of(element: Json) -> list[Json]:
    grouped = [option for group in element.get("option_groups") or [] for option in group.get("options", [])]
    return [*(element.get("options") or []), *grouped]


def _strings(value: Any) -> Iterable[str]:
    """Every shown word: the texts, not the names of fields or the ids."""
    if isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "text" and isinstance(each, str):
                yield each
            elif isinstance(each, dict | list):
                yield from _strings(each)
