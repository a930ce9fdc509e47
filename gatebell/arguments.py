"""A call as JSON: everything that a person has to see before saying yes."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

EXACT = 2**53 - 1  # what a JSON number surely holds


def shown(function: Callable[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments by name, defaults too. Raises TypeError for one that cannot be shown whole."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    named = list(bound.arguments.items())
    if named and named[0][0] in {"self", "cls"}:
        named = named[1:]
    return {name: _json(value, name) for name, value in named}


def _json(value: object, place: str) -> object:
    match value:
        case None | bool() | str() | int() | float() | Enum():
            return _plain(value, place)
        case datetime() | date() | time():
            return value.isoformat()
        case PurePath() | UUID() | Decimal():
            return str(value)
        case Mapping():
            return {_key(key, place): _json(inner, f"{place}.{key}") for key, inner in value.items()}
        case list() | tuple():
            return [_json(inner, f"{place}[{number}]") for number, inner in enumerate(value)]
        case set() | frozenset():
            return sorted((_json(inner, place) for inner in value), key=repr)
    return _json(_fields(value, place), place)


def _plain(value: object, place: str) -> object:
    """What JSON has itself. Numbers that it would round become text."""
    match value:
        case Enum():
            return _json(value.value, place)
        case int() if not isinstance(value, bool) and abs(value) > EXACT:
            return str(value)
        case float() if not math.isfinite(value):
            raise TypeError(f"{place} is {value}, which is no number that a card can show")
        case str():
            return str(value)
    return value


def _fields(value: object, place: str) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)
    if callable(dump):  # a pydantic model says itself what it is in JSON
        return dump(mode="json")
    raise TypeError(f"{place} is a {type(value).__name__}, which a card cannot show whole; pass JSON-like arguments")


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{place} has a key that is no text: {key!r}")
    return key
