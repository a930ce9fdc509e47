"""Problem documents (RFC 9457): what is wrong, where, and how to mend it."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bot import canonical
from interactions.text import clip

UNION_TAGS = frozenset({"one event", "list of events"})  # pydantic puts these before the path; people do not write them
MOST = 20  # faults named: whoever sends a megabyte of wrong fields is owed no answer of many more
TOO_MANY = 5000  # of which none is named, as looking at each would hold up everybody else
LONGEST = 300  # characters of a caller's own words that come back

TITLES = {each.value: each.phrase for each in HTTPStatus} | {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}  # as RFC 9110 has them; Python's own differ from version to version


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing to mend. `field` is a path such as `payload.choices[2].id`."""

    field: str
    detail: str
    mend: str = ""


class Problem(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self, status: int, detail: str, errors: Sequence[Wrong] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def response(self) -> web.Response:
        body = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self._sentence(),
            "errors": [
                {"field": each.field, "detail": _capital(each.detail), "mend": each.mend} for each in self.errors
            ],
        }
        return web.Response(
            status=self.status,
            text=json.dumps(body),
            content_type="application/problem+json",
            headers=self.headers,
        )

    def _sentence(self) -> str:
        """The detail with a capital; a field's own name in front of it stays as it is written."""
        field = f"{self.errors[0].field}: " if self.errors else ""
        rest = self.detail.removeprefix(field)
        return self.detail.removesuffix(rest) + _capital(rest)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def unfit(field: str, detail: str, mend: str = "") -> Problem:
    return Problem(422, f"{field}: {detail}", [Wrong(field, detail, mend)])


def unreadable(error: canonical.NotCanonical) -> Problem:
    mend = "Send UTF-8 JSON that every reader understands in one way."
    place = clip(error.place, LONGEST)
    return Problem(400, f"{place or 'the body'}: {error.words}", [Wrong(place, error.words, mend)])


def invalid(error: ValidationError, known: Iterable[str] = (), prefix: str = "") -> Problem:
    """What pydantic found, as fields and mends. `known` are names to suggest for unknown ones."""
    names, count = tuple(known), error.error_count()
    if count > TOO_MANY:
        return unfit(prefix or "the body", f"{count} fields do not fit", "See /api/docs for what fits.")
    found = error.errors(include_url=False, include_input=False)[:MOST]
    wrong = [_wrong(each, names, prefix) for each in found]
    rest = f" ({count - 1} more)" if count > 1 else ""
    return Problem(422, f"{wrong[0].field}: {wrong[0].detail}{rest}", wrong)


def _wrong(error: Mapping[str, Any], known: Sequence[str], prefix: str) -> Wrong:
    path = error["loc"][1:] if error["loc"] and error["loc"][0] in UNION_TAGS else error["loc"]
    place = clip(canonical.place_of((prefix, *path) if prefix else tuple(path)), LONGEST)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1])[:LONGEST], known, 1)
        mend = f"Did you mean {near[0]}?" if near else f"Leave it out; known are {', '.join(sorted(set(known)))}."
        return Wrong(place, "There is no such field", mend)
    return Wrong(
        place or "the body",
        _plain(error["msg"]),
        _mend(error["type"], error.get("ctx") or {}, str(path[-1]) if path else ""),
    )


_OBJECT = re.compile(r"a valid dictionary(?: or instance of \w+)?")
_IN_JSON = {
    "model": "an object",
    "dict": "an object",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
_BOUNDS = {
    "greater_than": "greater than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}


def _plain(words: str) -> str:
    """In words of JSON: whoever calls knows nothing of dictionaries and classes."""
    words = words.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return _OBJECT.sub(_IN_JSON["dict"], words).replace("Dictionary should", "Object should")


def _mend(kind: str, facts: Mapping[str, Any], name: str) -> str:
    match kind:
        case "missing":
            return f'Add "{name}".'
        case "string_too_long" | "too_long":
            return f"Send at most {facts['max_length']}."
        case "string_too_short" | "too_short":
            return f"Send at least {facts['min_length']}."
        case "enum" | "literal_error":
            return f"Send one of {facts['expected']}."
        case _ if kind in _BOUNDS:
            return f"Send a number that is {_BOUNDS[kind]} {next(iter(facts.values())):g}."
        case _ if (type_ := kind.removesuffix("_type").removesuffix("_parsing")) in _IN_JSON:
            return f"Send {_IN_JSON[type_]}."
        case _ if kind.endswith("_type"):
            return f"Send a {type_}."
        case _:
            return "See /api/docs for what fits."
