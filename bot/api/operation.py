"""One operation of the API: said once, it is validated, guarded, served and documented from the same words."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web
from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from bot import canonical
from bot.api.faces import Faces
from bot.api.problem import Problem, Wrong, invalid, unreadable
from bot.keys import ApiKey, Scope
from bot.tries import whence

LIMIT = 1024 * 1024  # bytes of a body
PATIENCE = 30.0  # seconds for a body to arrive


@dataclass(frozen=True, slots=True)
class Call:
    """One request after its checks."""

    faces: Faces
    key: ApiKey
    path: Mapping[str, str]
    headers: Mapping[str, str]
    is_gone: Callable[[], bool] = lambda: False  # whether nobody is there any more to be answered

    @property
    def producer(self) -> str | None:
        """Whose things may be seen: the key's own, or everybody's for an admin."""
        return None if Scope.ADMIN in self.key.scopes else self.key.id

    @property
    def actor(self) -> str:
        """The name that the audit log knows this caller by."""
        return f"operator:{self.key.operator_id}" if self.key.operator_id else f"key:{self.key.id}"


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is JSON as it is sent; None sends nothing."""

    body: JsonValue | Mapping[str, JsonValue] = None
    status: int = 200


Run = Callable[..., Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`scopes`: one of them is enough. `answers`: what is sent back by status, for the documentation and its tests."""

    method: str
    path: str
    run: Run
    scopes: tuple[Scope, ...]
    answers: Mapping[int, Any]
    summary: str
    description: str = ""
    tag: str = ""
    body: TypeAdapter[Any] | None = None
    query: TypeAdapter[Any] | None = None
    optional_body: bool = False
    examples: Mapping[str, JsonValue] = field(default_factory=dict)
    problems: tuple[int, ...] = ()


def op(
    method: str,
    path: str,
    *scopes: Scope,
    answers: Mapping[int, Any],
    body: Any = None,
    query: Any = None,
    optional_body: bool = False,
    examples: Mapping[str, JsonValue] | None = None,
    problems: tuple[int, ...] = (),
) -> Callable[[Run], Operation]:
    """Declare an operation. The docstring's first line is its summary, the rest its description.

    The function gets the call, then the body and the query if there are any.
    """

    def declare(run: Run) -> Operation:
        summary, _, description = (run.__doc__ or "").strip().partition("\n")
        return Operation(
            method=method,
            path=path,
            run=run,
            scopes=scopes,
            answers=answers,
            summary=summary.rstrip("."),
            description=" ".join(description.split()),
            tag=path.split("/")[3],
            body=TypeAdapter(body) if body is not None else None,
            query=TypeAdapter(query) if query is not None else None,
            optional_body=optional_body,
            examples=examples or {},
            problems=problems,
        )

    return declare


def route(operation: Operation, faces: Faces) -> web.RouteDef:
    # What a key may read is for whoever has the key, not for a cache. Answers to a POST are kept by none.
    kept = {"Cache-Control": "no-store"} if operation.method == "GET" else None

    async def serve(request: web.Request) -> web.Response:
        key = await caller(request, faces, operation.scopes)
        call = Call(faces, key, request.match_info, request.headers, lambda: request.transport is None)
        if not all(part.isprintable() for part in call.path.values()):  # PostgreSQL takes no NUL
            raise Problem(404, "There is nothing at an address that holds a control character")
        given: list[Any] = []
        if operation.body:
            given.append(await _body(request, operation))
        if operation.query:
            given.append(_query(request, operation))
        reply = await operation.run(call, *given)
        if reply.body is None:
            return web.Response(status=reply.status)
        body = to_json(reply.body)
        return web.Response(status=reply.status, body=body, content_type="application/json", headers=kept)

    return web.route(operation.method, operation.path, serve)


async def caller(request: web.Request, faces: Faces, scopes: tuple[Scope, ...]) -> ApiKey:
    """The key behind a request. Raises Problem: 401 without a right one, 403 without the scope, 429 for guessing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = await faces.keys.verify(token.strip()) if scheme.casefold() == "bearer" else None
    if key is None:
        wait = faces.keys.guessed(_whence(request)) if token else None
        if wait is not None:
            seconds = {"Retry-After": str(int(wait) + 1)}
            raise Problem(429, "Too many wrong keys from this address; wait before the next", headers=seconds)
        words = "This API key is wrong or revoked" if token else "An API key is needed: Authorization: Bearer gb_…"
        raise Problem(401, words, headers={"WWW-Authenticate": "Bearer"})
    if not key.allows(*scopes):
        faces.keys.lacks(key, scopes, _whence(request))
        words = f"The key “{key.name}” lacks the scope {' or '.join(scopes)}"
        mend = f"gatebell key create NAME --scope {scopes[0]}"
        raise Problem(403, words, [Wrong("Authorization", words, mend)])
    return key


def _whence(request: web.Request) -> str:
    return whence(request.remote, ",".join(request.headers.getall("X-Forwarded-For", ())))


async def _body(request: web.Request, operation: Operation) -> Any:
    assert operation.body is not None  # asked only where there is one
    raw = await _read(request)
    if not raw.strip() and operation.optional_body:
        raw = b"{}"
    try:
        return operation.body.validator.validate_python(canonical.read(raw))
    except canonical.NotCanonical as error:
        raise unreadable(error) from error
    except ValidationError as error:
        raise invalid(error, _names(operation.body)) from error


async def _read(request: web.Request) -> bytes:
    if (request.content_length or 0) > LIMIT:
        raise Problem(413, f"The body is larger than {LIMIT} bytes")
    try:
        if request.content.is_eof():  # it came together with the head, as small ones do
            return await request.read()
        async with asyncio.timeout(PATIENCE):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Problem(413, f"The body is larger than {LIMIT} bytes") from error
    except TimeoutError as error:
        raise Problem(408, f"The body did not arrive within {PATIENCE:.0f} seconds") from error


def _query(request: web.Request, operation: Operation) -> Any:
    assert operation.query is not None  # asked only where there is one
    try:
        return operation.query.validate_python(dict(request.query))
    except ValidationError as error:
        raise invalid(error, _names(operation.query)) from error


@cache
def _names(adapter: TypeAdapter[Any]) -> tuple[str, ...]:
    """Every name of a field that may stand anywhere in it: what an unknown one is compared with."""
    found: set[str] = set()
    waiting: list[Any] = [adapter.json_schema()]
    while waiting:
        match waiting.pop():
            case {"properties": dict() as properties, **rest}:
                found |= properties.keys()
                waiting += [*properties.values(), *rest.values()]
            case dict() as other:
                waiting += other.values()
            case list() as several:
                waiting += several
    return tuple(sorted(found))
