"""The outermost layer: every failure becomes a problem document, every request is counted, none gets past shutdown."""

import logging
from collections.abc import Awaitable
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.api.faces import Faces
from bot.api.problem import Problem, Wrong
from bot.dispatch.notice import Conflict, Expired, Fault, Unfit, Unknown
from bot.ids import new_id
from bot.logs import bound
from bot.store import StoreUnavailable

log = logging.getLogger(__name__)

OURS = ("/api/v1", "/api/docs", "/healthz", "/readyz", "/metrics", "/testing/")
LATER = {"Retry-After": "2"}
STATUS: dict[type[Fault], int] = {Unknown: 404, Unfit: 422, Conflict: 409, Expired: 410}


def middleware(faces: Faces) -> Middleware:
    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        started, status = perf_counter(), 500
        try:
            with bound(request=new_id(faces.clock.now())):
                answering = _answer(faces, request, handler) if _is_ours(request) else handler(request)
                response = await _sound(request, answering)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            resource = request.match_info.route.resource
            pattern = resource.canonical if resource else "none"
            faces.metrics.request(_method(request), pattern, status, perf_counter() - started)

    return edge


async def _sound(request: web.Request, answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
    """Says for every address what is no fault of ours: a problem to programs, which is a page where a person looks.

    The database is away, a body does not unpack, or whoever sends it leaves in the middle of it.
    """
    try:
        return await answering
    except ConnectionError:
        if not _is_left(request):
            raise
        raise web.HTTPBadRequest from None  # to nobody; anything else would be logged as if it were our fault
    except web.RequestPayloadError:
        words = "The body cannot be unpacked; send it as Content-Encoding says, or without one"
        raise _for_everybody(web.HTTPBadRequest, Problem(400, words)) from None
    except StoreUnavailable as error:
        log.warning("not accepted, as the database is unavailable: %s", error)
        words = "The database cannot take anything now; nothing was stored. Send it again"
        raise _for_everybody(web.HTTPServiceUnavailable, Problem(503, words, headers=LATER)) from None


def _for_everybody(kind: type[web.HTTPException], problem: Problem) -> web.HTTPException:
    said = problem.response()
    return kind(text=said.text, content_type=said.content_type, headers=problem.headers)


async def _answer(faces: Faces, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        if faces.state.closing and request.method not in {"GET", "HEAD"}:
            raise Problem(503, "The server is shutting down; send it again", headers=LATER)
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except Fault as fault:
        wrong = [Wrong(fault.field, fault.words)] if fault.field else []
        return Problem(STATUS.get(type(fault), 422), fault.words, wrong).response()
    except (StoreUnavailable, web.RequestPayloadError):
        raise
    except web.HTTPException as error:
        return _routing(request, error).response()
    except Exception as error:  # an answer is owed whatever happens; the trace goes to the log, not to the caller
        if isinstance(error, ConnectionError) and _is_left(request):
            raise
        log.exception("a request failed for a reason of ours")
        return Problem(500, "Something is wrong on our side; the log knows more").response()


def _routing(request: web.Request, error: web.HTTPException) -> Problem:
    match error:
        case web.HTTPNotFound():
            return Problem(404, f"There is nothing at {request.path[:200]}; /api/docs lists what there is")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            words = f"{_method(request)} does nothing here; {allowed} does"
            return Problem(405, words, headers={"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return Problem(413, "The body is larger than 1 MiB")
        case _:
            return Problem(error.status, error.reason)


def _is_left(request: web.Request) -> bool:
    """Whether nobody is there any more, also where the loop has yet to say so."""
    return request.transport is None or request.transport.is_closing()


def _is_ours(request: web.Request) -> bool:
    return request.path.startswith(OURS)


def _method(request: web.Request) -> str:
    """The verb, or OTHER: a caller's own words are no label."""
    return request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "OTHER"
