"""The OpenAPI 3.1 document, made of the same declarations that serve."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from bot.api.operation import Operation
from bot.keys import Scope
from bot.version import VERSION
from interactions.registry import Registry

REF = "#/components/schemas/{model}"
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457: what is wrong, where, and how to mend it.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail", "mend"],
                "properties": {name: {"type": "string"} for name in ("field", "detail", "mend")},
            },
        },
    },
}
WORDS = {
    200: "Done",
    201: "Made",
    202: "Stored; `result` says whether people are told",
    204: "Done",
    400: "The body is not JSON that everybody reads alike",
    401: "No API key, or a wrong one",
    403: "The key may not do this",
    404: "There is no such thing, or it belongs to another key",
    408: "The body did not arrive in time",
    409: "It is too late, or it was said differently before",
    410: "It has expired",
    413: "The body is larger than 1 MiB",
    422: "A field does not fit",
    429: "Too many wrong keys from this address",
    503: "Nothing was stored; send it again after Retry-After seconds",
}


def document(operations: Iterable[Operation], kinds: Registry, base_url: str = "/") -> dict[str, Any]:
    schemas: dict[str, Any] = {"Problem": dict(PROBLEM)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    for name in kinds.names:
        schemas[f"{name}_payload"] = _schema(TypeAdapter(kinds.kind(name)), "validation", schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gatebell",
            "version": VERSION,
            "description": "Tell people what happened, ask them, and use their answers once. "
            "The payload of an interaction is the schema `<kind>_payload`.",
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, made with `gatebell key create`. Scopes: " + ", ".join(Scope),
                }
            },
        },
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    needs = " or ".join(f"`{scope}`" for scope in operation.scopes)
    said: dict[str, Any] = {
        "operationId": operation.run.__name__,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description}\n\nScope: {needs}.".strip(),
        "responses": {str(status): response for status, response in _responses(operation, schemas)},
    }
    parameters = [*_in_path(operation), *_in_query(operation, schemas)]
    if parameters:
        said["parameters"] = parameters
    if operation.body:
        content: dict[str, Any] = {"schema": _schema(operation.body, "validation", schemas)}
        if operation.examples:
            content["examples"] = {name: {"value": value} for name, value in operation.examples.items()}
        said["requestBody"] = {"required": not operation.optional_body, "content": {"application/json": content}}
    return said


def _responses(operation: Operation, schemas: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    for status, shape in operation.answers.items():
        response: dict[str, Any] = {"description": WORDS[status]}
        if shape is not None:
            schema = _schema(TypeAdapter(shape), "serialization", schemas)
            response["content"] = {"application/json": {"schema": schema}}
        yield status, response
    problems = {401, 403, 429, 503, *operation.problems}
    problems |= {400, 408, 413, 422} if operation.body else set()
    problems |= {422} if operation.query else set()
    for status in sorted(problems):
        schema = {"$ref": REF.format(model="Problem")}
        yield status, {"description": WORDS[status], "content": {"application/problem+json": {"schema": schema}}}


def _in_path(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(operation: Operation, schemas: dict[str, Any]) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.json_schema(ref_template=REF)
    schemas.update(schema.pop("$defs", {}))
    for name, each in schema["properties"].items():
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": each}


def _schema(adapter: TypeAdapter[Any], mode: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The shape, its parts moved to the components. The same name always means the same shape."""
    schema = adapter.json_schema(mode=mode, ref_template=REF)
    for name, part in schema.pop("$defs", {}).items():
        if schemas.setdefault(name, part) != part:
            raise ValueError(f"two shapes are called {name}")
    return schema
