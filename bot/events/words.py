"""Words from producers, made literal: a name that looks like markup stays a name."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from interactions.text import clip, one_line

NAME = 200
ERROR = 600
MORE = 8  # extra facts, and labels, that are shown by name

HIDDEN = "•••"
_SECRET = re.compile(
    r"(token|secret|password|passwd|passphrase|credential|authorization|cookie"
    r"|(api|private|secret|access|signing|encryption)[_-]?key)s?\Z",
    re.IGNORECASE,
)


def _short(value: object) -> object:
    return clip(one_line(value), NAME) if isinstance(value, str) else value


def _in_words(value: object) -> object:
    """An upstream error may be an object or a number; what it says counts, not its form."""
    if isinstance(value, int | float | list | dict):
        value = json.dumps(_without_secrets(value), ensure_ascii=False)
    return clip(one_line(value), ERROR) if isinstance(value, str) else value


Short = Annotated[str, BeforeValidator(_short)]
Named = Annotated[str, Field(min_length=1), BeforeValidator(_short)]
ErrorText = Annotated[str, Field(min_length=1), BeforeValidator(_in_words)]


def extra_facts(values: Mapping[str, JsonValue] | None) -> tuple[tuple[str, str], ...]:
    """Whatever else a producer sent, within bounds. What is named like a secret is not repeated."""
    return _bounded((name, _value(name, value)) for name, value in (values or {}).items() if value not in (None, ""))


def label_facts(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return _bounded((name, _value(name, value)) for name, value in labels.items())


def _bounded(named: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    facts = [(clip(one_line(name), 60) or "?", value) for name, value in named]
    left = len(facts) - MORE
    return (*facts[:MORE], *([("More", f"{left} not shown")] if left > 0 else []))


def _value(name: str, value: JsonValue) -> str:
    if _SECRET.search(name):
        return HIDDEN
    text = value if isinstance(value, str) else json.dumps(_without_secrets(value), ensure_ascii=False)
    return clip(one_line(text), NAME)


def _without_secrets(value: object) -> object:
    """What stands under a secret's name inside of it is not repeated either."""
    match value:
        case dict():
            return {name: HIDDEN if _SECRET.search(name) else _without_secrets(each) for name, each in value.items()}
        case list():
            return [_without_secrets(each) for each in value]
        case _:
            return value
