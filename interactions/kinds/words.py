"""What the kinds share: text that fits a line, text that fills a paragraph, and a payload for reading."""

import json
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from interactions.card import Format, Payload
from interactions.text import one_line, spelled_out, visible

LARGEST = 256 * 1024


def _on_one_line(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _in_paragraphs(value: object) -> object:
    return visible(value).strip() if isinstance(value, str) else value


def _bounded(value: JsonValue) -> JsonValue:
    if len(json.dumps(value)) > LARGEST:
        raise ValueError(f"must be at most {LARGEST // 1024} KiB of JSON, or nobody can read it")
    return value


Line = Annotated[str, Field(max_length=300), BeforeValidator(_on_one_line)]
Name = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(_on_one_line)]
Prose = Annotated[str, Field(max_length=8000), BeforeValidator(_in_paragraphs)]
Message = Annotated[str, Field(min_length=1, max_length=8000), BeforeValidator(_in_paragraphs)]
# What is decided about stays as it was said, to the last blank: it is made readable where it is shown.
Exact = Annotated[str, Field(max_length=LARGEST)]
Arguments = Annotated[JsonValue, AfterValidator(_bounded)]


def facts(**named: str) -> tuple[tuple[str, str], ...]:
    """The named values that were given, in order."""
    return tuple((name, value) for name, value in named.items() if value)


def json_payload(value: JsonValue) -> Payload | None:
    """JSON for reading. Only null means that there is nothing to show: an empty object is an argument too."""
    if value is None:
        return None
    return Payload(spelled_out(json.dumps(value, indent=2, ensure_ascii=False)), Format.JSON)


def diff_payload(diff: str) -> Payload:
    return Payload(spelled_out(diff), Format.DIFF, "Changes")
