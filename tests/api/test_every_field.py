"""Every field of every request: what does not fit its documentation is refused by name with its mend and not stored."""

import copy
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.api.api import OPERATIONS
from bot.api.openapi import document
from bot.api.operation import Operation
from bot.keys import Scope
from interactions.registry import Registry
from tests.api.conftest import ASKED, Api

Json = dict[str, Any]
Path = tuple[str | int, ...]
SPEC = document(OPERATIONS, Registry(), "http://127.0.0.1:8080")
SURPRISE = "surprise"
WRONG: tuple[Any, ...] = (7, -1, 1e15, "x", "7", "", "x" * 300_000, [], ["x"], [7], {}, {SURPRISE: 7}, None)
PAYLOADS: dict[str, Json] = {
    "blocked_action": ASKED["payload"],
    "write_confirmation": {"agent": "a", "tool": "t", "summary": "s"},
    "clarification": {"question": "q", "choices": [{"id": "a", "label": "A"}]},
}
STORED = (
    "SELECT * FROM event",
    "SELECT * FROM interaction",
    "SELECT * FROM operator",
    "SELECT * FROM identity",
    "SELECT COUNT(*) AS posts FROM post",
    "SELECT COUNT(*) AS keys FROM api_key",
)
WITH_BODY = [each for each in OPERATIONS if each.body]


def test_every_kind_has_a_payload_here() -> None:
    assert set(PAYLOADS) == set(Registry().names)


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda each: f"{each.method} {each.path}")
async def test_a_wrong_field_is_named_with_its_mend_and_nothing_is_stored(api: Api, operation: Operation) -> None:
    address = await _address(api, operation)
    before = await _stored(api)
    missed = [
        (_named(path), json.dumps(wrong)[:40], said)
        for body, path, wrong in _wrong_bodies(operation)
        if (said := await _miss(api, operation, address, body, path))
    ]
    assert (missed, await _stored(api)) == ([], before)


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_a_wrong_field_of_a_payload_is_named_with_its_mend(api: Api, kind: str) -> None:
    operation = next(each for each in WITH_BODY if each.path == "/api/v1/interactions")
    address = await _address(api, operation)
    before = await _stored(api)
    body = {**ASKED, "kind": kind, "payload": PAYLOADS[kind]}
    schema = SPEC["components"]["schemas"][f"{kind}_payload"]
    missed = [
        (_named(path), json.dumps(wrong)[:40], said)
        for path, wrong in _wrong_values(schema, ("payload",))
        if (said := await _miss(api, operation, address, _with(body, path, wrong), path))
    ]
    assert (missed, await _stored(api)) == ([], before)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.query], ids=lambda each: each.path)
async def test_a_wrong_parameter_is_named_with_its_mend(api: Api, operation: Operation) -> None:
    address = await _address(api, operation)
    missed = [
        (name, wrong[:40], said)
        for name, wrong in _wrong_parameters(operation)
        if (said := await _miss(api, operation, address, None, (name,), params={name: wrong}))
    ]
    assert missed == []


# ---- what is wrong ---------------------------------------------------------------------------------------------------


def _wrong_bodies(operation: Operation) -> Iterator[tuple[Json, Path, Any]]:
    content = SPEC["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    right = next(each["value"] for each in content["examples"].values() if isinstance(each["value"], dict))
    schema = _resolved(content["schema"])
    for path, wrong in _wrong_values(_resolved(schema.get("oneOf", [schema])[0])):
        yield _with(right, path, wrong), path, wrong


def _wrong_parameters(operation: Operation) -> Iterator[tuple[str, str]]:
    for each in SPEC["paths"][operation.path][operation.method.lower()]["parameters"]:
        if each["in"] == "query":
            allowed = Draft202012Validator(each["schema"])
            number = each["schema"].get("type") in {"integer", "number"}
            wrong = ("x", *(text for text in ("-1", "1e9") if not allowed.is_valid(float(text))))
            texts = wrong if number else tuple(text for text in ("x", "x" * 400) if not allowed.is_valid(text))
            yield from ((each["name"], text) for text in texts)
    yield SURPRISE, "7"


def _wrong_values(schema: Json, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each field below with each value that its schema does not allow, and one field that there is not."""
    for name, field in schema.get("properties", {}).items():
        yield from _wrong_below(field, (*at, name))
    if "properties" in schema:
        yield (*at, SURPRISE), 7


def _wrong_below(field: Json, at: Path) -> Iterator[tuple[Path, Any]]:
    allowed = Draft202012Validator({**field, "components": SPEC["components"]})
    yield from ((at, wrong) for wrong in WRONG if not allowed.is_valid(wrong))
    inner = _resolved(field)
    yield from _wrong_values(inner, at)
    if "items" in inner:
        yield from _wrong_below(inner["items"], (*at, 0))


def _resolved(schema: Json) -> Json:
    found: Json = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _with(body: Json, path: Path, value: Any) -> Json:
    changed = copy.deepcopy(body)
    inside: Any = changed
    for step, after in pairwise(path):
        if isinstance(step, str):
            inside = inside.setdefault(step, [] if isinstance(after, int) else {})
        else:
            inside = inside[step]
    if isinstance(inside, list):
        inside[:] = [value]
    else:
        inside[path[-1]] = value
    return changed


# ---- what is said ----------------------------------------------------------------------------------------------------


async def _miss(api: Api, operation: Operation, address: str, body: Json | None, path: Path, **more: Any) -> str:
    """What is not as it should be with the answer; empty where everything is."""
    response = await api.call(operation.method, address, "ana-admin", json=body, **more)
    if response.status != 422:
        return f"{response.status} {(await response.text())[:200]}"
    named = [each for each in (await response.json())["errors"] if _is_about(each["field"], path)]
    return "" if named and all(each["detail"] and each["mend"] for each in named) else await response.text()


def _is_about(field: str, path: Path) -> bool:
    """The field itself, or something in it: an object may be there with the wrong parts."""
    whole = _named(path)
    return field == whole or field.startswith((f"{whole}.", f"{whole}["))


def _named(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


async def _address(api: Api, operation: Operation) -> str:
    """The operation's address, where it needs one with the id of something that is there."""
    if not api.keys.get("ana-admin"):
        ana = await api.operators.by_email("ana@example.com")
        assert ana is not None
        await api.key("ana-admin", *Scope, operator=ana.id)
    if "{id}" not in operation.path:
        return operation.path
    if "interactions" in operation.path:
        both = {"operators": ["ana@example.com", "ben@example.com"]}
        asked = await api.ask("ana-admin", audience=both)
        return operation.path.replace("{id}", asked["id"])
    ben = await api.operators.by_email("ben@example.com")
    assert ben is not None
    return operation.path.replace("{id}", ben.id)


async def _stored(api: Api) -> list[list[Any]]:
    async def rows(sql: str) -> list[Any]:
        return [dict(row) for row in await api.product.store.read(lambda tx: tx.rows(sql))]

    return [await rows(sql) for sql in STORED]
