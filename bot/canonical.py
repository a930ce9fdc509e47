"""JSON that means the same to everybody: read strictly, written canonically (RFC 8785)."""

import json
import math
from collections import Counter
from collections.abc import Iterator

import rfc8785
from pydantic import JsonValue
from pydantic_core import from_json, to_json

DEPTH = 64
EXACT = 2**53 - 1  # beyond it, readers that hold numbers as doubles see another number


class NotCanonical(ValueError):
    """JSON that could be read in two ways; `place` is a path such as `payload.arguments[2].size`."""

    def __init__(self, place: str, words: str) -> None:
        super().__init__(f"{place or 'the body'}: {words}")
        self.place = place
        self.words = words


def read(raw: bytes) -> JsonValue:
    """Parse a body. Raises NotCanonical for what is not JSON and for what JSON readers disagree about."""
    for plain in _plain(raw):
        return plain
    try:
        value: JsonValue = _DECODER.decode(raw.decode("utf-8-sig"))
    except NotCanonical:
        raise
    except UnicodeDecodeError as error:
        raise NotCanonical("", f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise NotCanonical("", f"not JSON: {error.msg}, line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise NotCanonical("", f"nested deeper than {DEPTH}") from error
    except ValueError as error:
        raise NotCanonical("", "holds a number with thousands of digits") from error
    check(value)
    return value


def _plain(raw: bytes) -> tuple[JsonValue, ...]:
    """The value of most bodies, read the quick way; nothing where it takes a longer look to be sure.

    What holds no escapes, is not deep and keeps all its strings has nothing odd in it: each string takes two quotes,
    and one whose key stands twice would be lost.
    """
    if b"\\" in raw or raw.count(b"{") + raw.count(b"[") > DEPTH:
        return ()
    try:
        value: JsonValue = from_json(raw, allow_inf_nan=False)
    except ValueError:
        return ()
    again = to_json(value)
    return () if again.count(b'"') != raw.count(b'"') or b"Infinity" in again else (value,)


def check(value: JsonValue, *, exact: bool = False) -> None:
    """Refuse what cannot be stored or told apart; with `exact` also whole numbers that a double cannot hold."""
    if not _is_sound(value, DEPTH, exact=exact):
        _find_fault(value, exact=exact)


def _is_sound(value: JsonValue, depth: int, *, exact: bool) -> bool:
    """The quick answer, which most bodies get; who is refused is owed the place as well."""
    if depth < 0:
        return False
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not _wrong(value, exact=exact) and all(_is_sound(each, depth - 1, exact=exact) for each in inside)


def _find_fault(value: JsonValue, *, exact: bool) -> None:
    waiting: list[tuple[JsonValue, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        each, path = waiting.pop()
        if len(path) > DEPTH:
            raise NotCanonical("", f"nested deeper than {DEPTH}")
        words = _wrong(each, exact=exact)
        if words:
            raise NotCanonical(place_of(path), words)
        waiting.extend((inner, (*path, key)) for key, inner in _inside(each))


def dumps(value: JsonValue) -> bytes:
    """The canonical form. Raises NotCanonical that names the place of what has none."""
    check(value, exact=True)
    return rfc8785.dumps(value)


def place_of(path: tuple[str | int, ...]) -> str:
    """A path as people write it: `payload.arguments[2].size`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _inside(value: JsonValue) -> Iterator[tuple[str | int, JsonValue]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _wrong(value: JsonValue, *, exact: bool) -> str:
    match value:
        case str():
            return "" if _is_text(value) else "holds half of a character (a lone surrogate)"
        case dict():
            return "" if all(map(_is_text, value)) else "has a key with half of a character (a lone surrogate)"
        case float() if not math.isfinite(value):
            return "NaN and Infinity are not JSON"
        case int() if exact and abs(value) > EXACT:
            return "is beyond 2^53, where numbers are no longer exact; send it as a string"
    return ""


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _each_key_once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    once = dict(pairs)
    if len(once) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise NotCanonical(twice.encode(errors="replace").decode(), "stands twice in one object")
    return once


_DECODER = json.JSONDecoder(object_pairs_hook=_each_key_once)
