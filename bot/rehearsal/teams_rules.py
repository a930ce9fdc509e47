"""What the connector and Teams refuse: too large activities, cards above 1.5, unknown elements, a seventh button."""

import json
from collections.abc import Iterator
from typing import Any

from bot.rehearsal.platform import Json
from bot.rehearsal.teams_card import elements_of, inputs_of

LARGEST_BYTES = 100 * 1024
MOST_ACTIONS = 6
CARD = "application/vnd.microsoft.card.adaptive"
VERSIONS = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"}
NEEDED: dict[str, tuple[str, ...]] = {
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "Image": ("url",),
    "ImageSet": ("images",),
    "Container": ("items",),
    "ColumnSet": (),
    "Column": (),
    "FactSet": ("facts",),
    "ActionSet": ("actions",),
    "Table": (),
    "TableRow": (),
    "TableCell": (),
    "Input.Text": ("id",),
    "Input.Number": ("id",),
    "Input.Date": ("id",),
    "Input.Time": ("id",),
    "Input.Toggle": ("id", "title"),
    "Input.ChoiceSet": ("id",),
    "Action.OpenUrl": ("url",),
    "Action.Submit": (),
    "Action.Execute": (),
    "Action.ShowCard": ("card",),
    "Action.ToggleVisibility": ("targetElements",),
}


def is_too_big(activity: Json) -> bool:
    return len(json.dumps(activity, ensure_ascii=False).encode("utf-16-le", "surrogatepass")) > LARGEST_BYTES


def activity_problem(activity: Any) -> str | None:
    if not isinstance(activity, dict) or not isinstance(activity.get("type"), str):
        return "The activity has no type"
    for attachment in activity.get("attachments") or []:
        if attachment.get("contentType") != CARD:
            continue
        if problem := card_problem(attachment.get("content")):
            return problem
    if activity["type"] == "message" and not (activity.get("text") or activity.get("attachments")):
        return "The message has neither text nor attachments"
    return None


def card_problem(card: Any) -> str | None:
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        return "The content is not an AdaptiveCard"
    if card.get("version") not in VERSIONS:
        return f"Adaptive Card version {card.get('version')!r} is not supported"
    return next(_problems(card, str(card["version"])), None)


def _problems(card: Json, version: str) -> Iterator[str]:
    ids = [each.get("id") for each in inputs_of(card)]
    if len(ids) != len(set(ids)):
        yield "All inputs must have a unique id"
    if len((card.get("refresh") or {}).get("userIds") or []) > 60:
        yield "refresh.userIds has more than 60 users"
    for element in elements_of(card):
        yield from _element_problems(element)
        yield from _actions_problems(element.get("actions", []), version)
    yield from _actions_problems(card.get("actions", []), version)


def _element_problems(element: Json) -> Iterator[str]:
    kind = element.get("type")
    if kind is None:
        return
    if kind not in NEEDED or kind.startswith("Action."):
        yield f"Unknown element {kind!r}"
        return
    yield from (f"{kind} needs {name!r}" for name in NEEDED[kind] if element.get(name) is None)
    pairs = [*element.get("choices", []), *element.get("facts", [])]
    if not all(isinstance(each.get("title"), str) and isinstance(each.get("value"), str) for each in pairs):
        yield f"{kind}: every entry needs a title and a value"


def _actions_problems(actions: list[Json], version: str) -> Iterator[str]:
    if len(actions) > MOST_ACTIONS:
        yield f"Only {MOST_ACTIONS} actions are shown"
    for action in actions:
        kind = action.get("type", "")
        if not str(kind).startswith("Action.") or kind not in NEEDED:
            yield f"Unknown action {kind!r}"
            continue
        yield from (f"{kind} needs {name!r}" for name in NEEDED[kind] if action.get(name) is None)
        if kind == "Action.Execute" and version < "1.4":
            yield "Action.Execute needs version 1.4"
        if kind == "Action.ShowCard":
            yield from _problems(action["card"], version)
