"""What the kinds share: text that fits a line, text that fills a paragraph, and a payload for reading."""

import json
from typing import Annotated

from pydantic import Field, JsonValue

from interactions.card import Format, Payload

Line = Annotated[str, Field(max_length=300)]
Prose = Annotated[str, Field(max_length=8000)]


def facts(**named: str) -> tuple[tuple[str, str], ...]:
    """The named values that were given, in order."""
    return tuple((name, value) for name, value in named.items() if value)


def json_payload(value: JsonValue) -> Payload | None:
    """JSON for reading. Only null means that there is nothing to show: an empty object is an argument too."""
    if value is None:
        return None
    return Payload(json.dumps(value, indent=2, ensure_ascii=False), Format.JSON)
