"""What every page shares: templates, security headers, error pages, and the proof that a form is ours."""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from markupsafe import Markup
from yarl import URL

from renderers.email import html
from renderers.inert import one_line, visible
from renderers.markdown import host_of, parse, safe_link
from renderers.words import utc

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
STATIC = HERE / "static"
FORM_LIVES = timedelta(hours=12)
LARGEST_FORM = 256 * 1024
NO_SCRIPT = "script-src 'none'"
OWN_SCRIPT = "script-src 'self'; connect-src 'self'"

log = logging.getLogger(__name__)


def set_up(app: web.Application) -> None:
    """The headers of every answer. The error pages are a middleware of their own: see `error_pages`."""
    app.on_response_prepare.append(protect)


@cache
def templates() -> "Environment":
    """Loaded with the first page: a server that nobody looks at keeps the memory."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static_url
    environment.filters |= {"prose": _prose, "line": one_line, "visible": visible, "utc": utc, "moment": moment}
    environment.filters |= {"address": safe_link, "host": host_of}
    return environment


def drawn(template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """A template as a page."""
    text = templates().get_template(template).render(values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def moment(at: datetime | float) -> Markup:
    """A point in time, in UTC for who has no script; admin.js turns it into the zone of whoever looks."""
    at = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    said = f"{at.day} {at:%B %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), said)


def _prose(markdown: str) -> Markup:
    """Markdown from outside: elements of ours only, every text escaped, every link with its host."""
    return html(parse(markdown))


def static_routes() -> list[web.AbstractRouteDef]:
    return [web.get("/static/{name:.*}", _static_file)]


async def _static_file(request: web.Request) -> web.FileResponse:
    found = _static_files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    return web.FileResponse(found)


@cache
def _static_files() -> Mapping[str, Path]:
    """By name; no other name is ever asked of the file system."""
    return {file.relative_to(STATIC).as_posix(): file for file in STATIC.rglob("*") if file.is_file()}


@cache
def static_url(name: str) -> str:
    """The address of a file of ours, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


# ---- headers ---------------------------------------------------------------------------------------------------------


def policy(scripts: str = NO_SCRIPT) -> str:
    """The Content-Security-Policy: nothing but files of our own, no frame, no form to elsewhere."""
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; {scripts}; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """The strictest headers for every answer that a browser may show; what a handler has set itself stays."""
    if response.headers.get("Content-Type") == "application/json":
        response.headers["X-Content-Type-Options"] = "nosniff"
        return
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        lives = "public, max-age=31536000, immutable" if "v" in request.query else "no-cache"
        response.headers.setdefault("Cache-Control", lives)


def keep_private(response: web.StreamResponse) -> None:
    """For pages about one person's business: kept by no cache and found by no search."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"


# ---- forms -----------------------------------------------------------------------------------------------------------


def is_same_origin(request: web.Request, base_url: str) -> bool:
    """Whether a form was sent from a page of ours.

    Every browser of the last years says so in Sec-Fetch-Site. Older ones say where from in Origin, which our own
    Referrer-Policy turns into "null"; then only the seal in the form remains, which no other site can read.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin", "null")
    return origin == "null" or origin in {str(URL(base_url).origin()), f"{request.scheme}://{request.host}"}


def seal_form(subject: str, keys: Sequence[bytes], at: datetime) -> str:
    """A value for a hidden field that shows that the form was ours, about this subject, and how old it is."""
    issued = str(int(at.timestamp()))
    return f"{issued}.{_form_mac(subject, issued, keys[0])}"


def is_sealed(seal: str, subject: str, keys: Sequence[bytes]) -> bool:
    issued, _, mac = seal.partition(".")
    return any(hmac.compare_digest(_form_mac(subject, issued, key).encode(), mac.encode()) for key in keys)


def is_fresh(seal: str, at: datetime) -> bool:
    """Of a sealed value: whether its form was shown not too long ago."""
    issued, _, _ = seal.partition(".")
    return at.timestamp() - int(issued) < FORM_LIVES.total_seconds()


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of a form of ours, which holds text alone. Raises HTTPException 400, 413 or 415 for anything else.

    PostgreSQL holds no NUL, and no reader shows one.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > LARGEST_FORM:
        raise web.HTTPRequestEntityTooLarge(LARGEST_FORM)
    try:
        form = await request.clone(client_max_size=LARGEST_FORM).post()
    except (ValueError, LookupError):  # bytes that are no text, or in a charset that nobody knows
        raise web.HTTPBadRequest from None
    return {name: value.replace("\0", "\ufffd") for name, value in form.items() if isinstance(value, str)}


def _form_mac(subject: str, issued: str, key: bytes) -> str:
    return hmac.new(key, f"form\0{subject}\0{issued}".encode(errors="replace"), hashlib.sha256).hexdigest()[:32]


# ---- error pages -----------------------------------------------------------------------------------------------------

WORDS = {
    400: ("That request makes no sense to us", "Go back, load the page again and try once more."),
    403: ("That is not allowed", "Nothing was changed. Open the page again from its own address and try once more."),
    404: ("There is nothing here", "The address may be mistyped, or what it led to is gone."),
    405: ("That does not work here", "This address does not take that kind of request."),
    413: ("That is too much text", "Nothing was changed. Shorten it and try again."),
    415: ("That is not what this form sends", "Nothing was changed. Load the page again and use its buttons."),
    429: ("Too many attempts", "Wait a minute, then try again."),
    500: ("Something went wrong on our side", "Nothing is lost. Try again; if it stays, tell whoever runs Gatebell."),
    503: ("Not now", "The database does not answer. Nothing was changed. Try again in a minute."),
}

KEPT = ("Allow", "Retry-After")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Values = Mapping[str, Any]
Frame = Callable[[web.Request], Awaitable[Values | None]]
FRAME = web.AppKey[Frame]("frame")  # what stands around pages of errors; None where nobody is signed in


def error_pages(is_page: Callable[[web.Request], bool]) -> Any:
    """A middleware that words errors for people wherever `is_page` says that a person looks."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400 or not is_page(request):
                raise
            around = request.app.get(FRAME)
            response = error_page(request, error.status, frame=await around(request) if around else None)
            response.headers.update({name: error.headers[name] for name in KEPT if name in error.headers})
            return response
        except Exception:
            if not is_page(request):
                raise
            log.exception("A page failed")
            return error_page(request, 500)

    return middleware


def reads_html(request: web.Request) -> bool:
    """A browser, on an address that is not meant for programs."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith(("/api/", "/mcp"))


def error_page(
    request: web.Request, status: int, title: str = "", words: str = "", frame: Values | None = None
) -> web.Response:
    """`frame` is the menu around it, for whoever is signed in."""
    known = WORDS.get(status) or (HTTPStatus(status).phrase, "Nothing was changed.")
    inside = not is_link(request)  # who has a link to one request may know no other page
    context = {"status": status, "title": title or known[0], "words": words or known[1], "inside": inside}
    template = "error_inside.html" if frame else "error.html"
    response = drawn(template, {**(frame or {}), **context}, status)
    if frame:
        response.headers["Content-Security-Policy"] = policy(OWN_SCRIPT)
    keep_private(response)
    return response


def is_link(request: web.Request) -> bool:
    """Whether it is the page behind a card's link, which is for who holds the link and nobody else."""
    return request.path.startswith("/d/")
