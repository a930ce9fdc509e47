"""Writes the generated parts of the documentation anew: `make docs`. A test holds them to the code."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.api.api import OPERATIONS
from bot.channels.contract import Field
from bot.channels.registry import CHANNELS, channel_class
from bot.core_fields import CORE
from bot.dispatch.notice import Event
from bot.events.registry import ANY, CLASSES, class_of
from interactions.card import Severity
from interactions.registry import KINDS
from renderers import text

ROOT = Path(__file__).resolve().parents[1]

# One event of each type as its producer would send it: shown in docs/events.md and played by a test.
EXAMPLES: tuple[Mapping[str, Any], ...] = (
    {
        "type": "oauth.refresh_failed",
        "severity": "high",
        "summary": "Google Drive no longer renews the sign-in of Dana",
        "source": "gateway-1",
        "context": {"service": "Google Drive", "user": "dana@example.com", "error": "invalid_grant: token revoked"},
    },
    {
        "type": "connection.broken",
        "severity": "high",
        "summary": "Jira does not answer",
        "source": "gateway-1",
        "context": {"connection": "Jira", "error": "connection refused"},
    },
    {
        "type": "policy.blocked",
        "summary": "An export was stopped",
        "source": "gateway-1",
        "context": {"policy": "no-export", "agent": "crm-sync", "tool": "crm.export", "reason": "more than 100 rows"},
    },
    {
        "type": "destructive_action.blocked",
        "severity": "high",
        "summary": "invoice-bot wanted to delete a folder",
        "source": "gateway-1",
        "context": {
            "agent": "invoice-bot",
            "user": "dana@example.com",
            "tool": "drive.delete_folder",
            "policy": "no-bulk-delete",
            "arguments": {"folder": "/Finance/2024", "recursive": True},
            "decision": {"operators": ["ana@example.com"], "expires_in": 900},
        },
    },
    {
        "type": "pii.redaction_warning",
        "summary": "Personal data in a search",
        "source": "gateway-1",
        "context": {"count": 3, "kinds": ["IBAN", "e-mail address"], "tool": "crm.search", "agent": "crm-sync"},
    },
    {
        "type": "audit.anomaly",
        "summary": "Forty exports within a minute",
        "source": "gateway-1",
        "context": {"finding": "forty exports within a minute", "user": "dana@example.com", "tool": "crm.export"},
    },
    {
        "type": "throughput.threshold",
        "summary": "Above the limit of a day",
        "source": "gateway-1",
        "context": {"user": "dana@example.com", "tool": "crm.read", "window": "24h", "count": 12345, "limit": 10000},
    },
    {
        "type": "disk.full",
        "severity": "critical",
        "summary": "The disk of build-3 is full",
        "source": "build-3",
        "context": {"free": "0 bytes"},
        "details": "Builds wait until somebody makes room:\n\n- `/var/cache` holds 80 GB",
    },
)


# ---- settings --------------------------------------------------------------------------------------------------------


def settings() -> str:
    tables = [_settings_table("The server", CORE)]
    for name in CHANNELS:
        channel = channel_class(name)
        if channel.fields:
            tables.append(_settings_table(channel.title, channel.fields))
    return "\n\n".join(tables)


def _settings_table(title: str, fields: Iterable[Field]) -> str:
    rows = ((f"`{each.name}`", _meaning(each), _code(each.default)) for each in fields)
    return f"**{title}**\n\n{_table(('Setting', 'What it does', 'Default'), rows)}"


def _meaning(field: Field) -> str:
    words = [f"{field.meaning.rstrip('.')}."]
    if field.required:
        words.append("**Needed.**")
    if field.secret:
        words.append("*Secret.*")
    if field.aliases:
        words.append(f"Also {' or '.join(map(_code, field.aliases))}.")
    return " ".join(words)


def aliases() -> str:
    """Names of other gateways' settings, and what each is here."""
    fields = (*CORE, *(field for name in CHANNELS for field in channel_class(name).fields))
    rows = (
        (_code(alias), _code(each.name), f"{each.meaning.rstrip('.')}.") for each in fields for alias in each.aliases
    )
    return _table(("Theirs", "Ours", "What it does"), rows)


# ---- the API ---------------------------------------------------------------------------------------------------------


def operations() -> str:
    rows = ((f"`{each.method} {each.path}`", _any_of(each.scopes), f"{each.summary}.") for each in OPERATIONS)
    return _table(("Address", "Scope", "What it does"), rows)


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def kinds() -> str:
    return "\n\n".join(_kind(kind) for kind in KINDS)


def _kind(kind: type[Any]) -> str:
    rows = _rows(kind.model_json_schema())
    return f"### `{kind.kind}`\n\n{kind.__doc__}\n\n{_table(('Payload', 'What it is', ''), rows)}"


# ---- events ----------------------------------------------------------------------------------------------------------


def events() -> str:
    return "\n\n".join(_event(example) for example in EXAMPLES)


def _event(example: Mapping[str, Any]) -> str:
    known = class_of(example["type"])
    notice = known.notice(Event(**{"severity": Severity.MEDIUM, **example}))
    name = "Any other type" if known is ANY else f"`{known.type}`"
    rows = list(_rows(known.context.model_json_schema()))
    parts = [
        f"## {name}: {known.title.lower() if known is ANY else known.title}",
        known.meaning,
        _table(("Context", "What it is", ""), rows) if rows else "",
        f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```",
        "What a person reads:",
        f"```text\n{text.render(notice.card).rstrip()}\n```",
    ]
    return "\n\n".join(filter(None, parts))


def untold() -> list[str]:
    """The types of which no example is there."""
    return sorted({each.type for each in CLASSES} - {example["type"] for example in EXAMPLES})


# ---- models as tables ------------------------------------------------------------------------------------------------


def _rows(
    schema: Mapping[str, Any], prefix: str = "", root: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str, str]]:
    """Every field of a model, those of models inside of it too."""
    root = root or schema
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        words = field.get("description", "")
        is_needed = "needed" if name in needed else ""
        yield f"`{prefix}{name}`", f"{_shape(field, root)}{f'. {words}' if words else ''}", is_needed
        if inner := _inner(field, root):
            yield from _rows(inner, f"{prefix}{name}{'[]' if 'items' in field else ''}.", root)


def _inner(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The model that a field holds, directly, in a list, or beside null."""
    for candidate in (field, field.get("items", {}), *field.get("anyOf", [])):
        found = _resolved(candidate, root)
        if found.get("properties"):
            return found
    return None


def _shape(field: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    field = _resolved(field, root)
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"])
    if "anyOf" in field:
        return next(_shape(each, root) for each in field["anyOf"] if each.get("type") != "null")
    match field.get("type"):
        case "array":
            return f"list of {_shape(field['items'], root)}"
        case "string":
            return "text"
        case "integer":
            return "whole number"
        case "number":
            return "number"
        case "boolean":
            return "true or false"
        case "object":
            return "object"
        case _:
            return "any JSON"


def _resolved(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref", "")
    found: Mapping[str, Any] = root["$defs"][reference.rpartition("/")[2]] if reference else field
    return found


# ---- markdown --------------------------------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def _code(words: str) -> str:
    return f"`{words}`" if words else ""


PARTS: Mapping[tuple[str, str], Callable[[], str]] = {
    ("README.md", "settings"): settings,
    ("docs/api.md", "operations"): operations,
    ("docs/api.md", "kinds"): kinds,
    ("docs/events.md", "events"): events,
    ("docs/migrating.md", "aliases"): aliases,
}


def written_anew(page: str, name: str, content: str) -> str:
    """The page with this part replaced. Raises ValueError for a page without the part's marks."""
    begin, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"one part between {begin} and {end} is wanted")
    return pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", page)


def main() -> None:
    for (file, name), content in PARTS.items():
        path = ROOT / file
        path.write_text(written_anew(path.read_text(), name, content()))


if __name__ == "__main__":
    main()
