"""An Adaptive Card as a person sees it: words, buttons, inputs, links."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.platform import Json

LINK = re.compile(r"(?<!\\)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)")
ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
CONTAINERS = ("items", "columns", "images", "rows", "cells", "body")


@dataclass(frozen=True, slots=True)
class CardButton:
    label: str
    type: str
    raw: Json
    inputs: tuple[Json, ...] = ()

    @property
    def verb(self) -> str | None:
        return self.raw.get("verb")

    @property
    def url(self) -> str | None:
        return self.raw.get("url")


def shown(text: str) -> str:
    """Markdown links by their label, escapes undone."""
    return ESCAPED.sub(r"\1", LINK.sub(lambda match: match.group(1), text))


def links_in(text: str) -> list[str]:
    return [match.group(2) for match in LINK.finditer(text)]


def card_words(card: Json) -> str:
    """All words that are visible or that a click on the card itself makes visible."""
    reachable = {_target(each) for action in _all_actions(card) for each in action.get("targetElements", [])}
    return "\n".join(words for words in _words(card, reachable) if words)


def _target(element: Any) -> str:
    return str(element["elementId"] if isinstance(element, dict) else element)


def _words(element: Json, reachable: set[str]) -> Iterator[str]:
    if element.get("isVisible") is False and element.get("id") not in reachable:
        return
    match element.get("type"):
        case "TextBlock":
            yield shown(str(element.get("text", "")))
        case "RichTextBlock":
            runs = element.get("inlines", [])
            yield "".join(str(run if isinstance(run, str) else run.get("text", "")) for run in runs)
        case "FactSet":
            yield from (f"{shown(fact['title'])}: {shown(fact['value'])}" for fact in element.get("facts", []))
        case "Image":
            yield element.get("altText", "")
        case kind if str(kind).startswith("Input."):
            yield from (element.get(key, "") for key in ("label", "title", "placeholder"))
            yield from (choice["title"] for choice in element.get("choices", []))
    for child in _children(element):
        yield from _words(child, reachable)
    for action in element.get("actions", []):
        yield action.get("title", "")
        if "card" in action:
            yield from _words(action["card"], reachable)


def _children(element: Json) -> Iterator[Json]:
    for key in CONTAINERS:
        yield from (child for child in element.get(key, []) if isinstance(child, dict))


def elements_of(card: Json) -> Iterator[Json]:
    """Every element, without the cards that actions open."""
    for child in _children(card):
        yield child
        yield from elements_of(child)


def _own_actions(card: Json) -> Iterator[Json]:
    yield from card.get("actions", [])
    for element in elements_of(card):
        yield from element.get("actions", [])
        if "selectAction" in element:
            yield element["selectAction"]


def _all_actions(card: Json) -> Iterator[Json]:
    for action in _own_actions(card):
        yield action
        if "card" in action:
            yield from _all_actions(action["card"])


def inputs_of(card: Json) -> list[Json]:
    return [each for each in elements_of(card) if str(each.get("type")).startswith("Input.")]


def buttons_of(card: Json, outer: Sequence[Json] = ()) -> list[CardButton]:
    """Every action, each with the inputs whose values go along: those of its own card and of the cards around it."""
    inputs = (*outer, *inputs_of(card))
    found = []
    for action in _own_actions(card):
        taken = () if action.get("associatedInputs") == "none" else inputs
        found.append(CardButton(str(action.get("title", "")), str(action.get("type")), action, taken))
        if "card" in action:
            found += buttons_of(action["card"], inputs)
    return found


def card_links(card: Json) -> list[str]:
    texts = [str(each.get("text", "")) for each in elements_of(card) if each.get("type") == "TextBlock"]
    facts = [fact for each in elements_of(card) for fact in each.get("facts", [])]
    texts += [str(fact[key]) for fact in facts for key in ("title", "value")]
    opened = [str(action["url"]) for action in _all_actions(card) if action.get("url")]
    return [*opened, *(link for text in texts for link in links_in(text))]


def answers(button: CardButton, given: Mapping[str, Any]) -> tuple[Json, dict[str, str]]:
    """The values that go along with a click, and what the client refuses to send, by input."""
    unknown = set(given) - {name for each in button.inputs for name in (each["id"], each.get("label"))}
    if unknown:
        raise LookupError(f"the card has no input {sorted(unknown)}; there is {[each['id'] for each in button.inputs]}")
    values: Json = {}
    problems: dict[str, str] = {}
    for each in button.inputs:
        answer = given.get(each["id"], given.get(str(each.get("label")), each.get("value")))
        value = _value(each, answer)
        if problem := _problem(each, value):
            problems[each["id"]] = problem
        if value is not None:
            values[each["id"]] = value
    return values, problems


def _value(element: Json, answer: Any) -> Any:
    if element["type"] == "Input.Toggle":
        on = answer in {True, "true", element.get("valueOn", "true")}
        return element.get("valueOn", "true") if on else element.get("valueOff", "false")
    if element["type"] == "Input.ChoiceSet" and answer:
        wanted = answer if isinstance(answer, list) else str(answer).split(",")
        return ",".join(_choice(element, str(each)) for each in wanted)
    return answer


def _choice(element: Json, wanted: str) -> str:
    for choice in element.get("choices", []):
        if wanted in {choice["title"], choice["value"]}:
            return str(choice["value"])
    raise LookupError(f"{element['id']} does not offer {wanted!r}")


def _problem(element: Json, value: Any) -> str | None:
    if value in {None, ""}:
        return str(element.get("errorMessage", "This field is required")) if element.get("isRequired") else None
    too_long = len(str(value)) > element.get("maxLength", 100_000)
    misfit = "regex" in element and re.fullmatch(element["regex"], str(value)) is None
    return str(element.get("errorMessage", "This is not valid")) if too_long or misfit else None
