"""Pages as data: who may see them, what they show, what their forms do. One wrapper does what every page needs.

A GET view returns `Shown` (a template and its values); a POST view does something and returns `Moved` (303, with words
for the next page) or `Shown` again with what is wrong. Sessions, roles, forms that are ours, and headers are done here.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from bot.admin.access import LONGEST, RANK, Access, Visitor
from bot.admin.held import HeldSecrets
from bot.admin.web import (
    FRAME,
    OWN_SCRIPT,
    drawn,
    error_page,
    is_fresh,
    is_link,
    is_same_origin,
    is_sealed,
    keep_private,
    policy,
    read_form,
    seal_form,
)
from bot.audit.anchor import Anchor
from bot.audit.ledger import Ledger
from bot.channels.contract import Channel
from bot.clock import Clock
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.notice import Unknown
from bot.keys import Keys
from bot.links import Links
from bot.logs import Mask
from bot.metrics import Metrics
from bot.operators import Operators
from bot.settings import Settings
from bot.store import Store, StoreUnavailable
from bot.thresholds import Thresholds
from bot.tries import whence
from interactions.model import Actor, Role
from interactions.registry import Registry
from interactions.text import clip

COOKIE = "gatebell_session"
SAID = "gatebell_said"
LEAVE = "/logout"
LONGEST_SAID = 400  # characters of any kind, so that the cookie stays below 4096 bytes and is not dropped
SESSION_SECONDS = int(LONGEST.total_seconds())


class SettingsPort(Protocol):
    """The settings that hold now, and the way to change them."""

    @property
    def now(self) -> Settings: ...

    async def save(self, changes: Mapping[str, str | None], by: str) -> Sequence[str]:
        """Save, reload everywhere, and audit the names; returns those that count only after a restart.

        None or "" takes a setting out. Raises bot.settings.SettingsFault; then nothing is saved and the old ones go on.
        """
        ...


@dataclass(frozen=True, slots=True)
class Faces:
    """What pages may use; made once by the composition root.

    `spawn` runs work that a request does not wait for.
    """

    dispatcher: Dispatcher
    store: Store
    operators: Operators
    keys: Keys
    thresholds: Thresholds
    ledger: Ledger
    anchor: Anchor
    kinds: Registry
    clock: Clock
    metrics: Metrics
    mask: Mask
    settings: SettingsPort
    sessions: Access
    links: Links
    channels: Callable[[], Mapping[str, Channel]]
    form_keys: Sequence[bytes]
    people_changed: Callable[[], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    held: HeldSecrets = field(default_factory=HeldSecrets)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a page. `form` holds a POST's fields; `query` the address's."""

    request: web.Request
    faces: Faces
    visitor: Visitor | None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def address(self) -> str:
        """Where it comes from, as tries are counted and the audit log names it."""
        return whence(self.request.remote, ",".join(self.request.headers.getall("X-Forwarded-For", ())))

    @property
    def who(self) -> Visitor:
        """The visitor of a page that only signed-in people reach."""
        if self.visitor is None:
            raise web.HTTPForbidden
        return self.visitor

    @property
    def by(self) -> str:
        """The audit log's actor."""
        return f"operator:{self.who.operator.id}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A template with its values. `sources` is what the page may load beside styles and pictures of ours."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    sources: str = OWN_SCRIPT


@dataclass(frozen=True, slots=True)
class Moved:
    """On to another page, with words that are said there once."""

    to: str
    said: str = ""
    bad: bool = False


View = Callable[[Visit], Awaitable[Shown | Moved | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Page:
    """`role` is the least that may come here; None means that nobody has to be signed in."""

    method: str
    path: str
    role: Role | None
    view: View


def page(method: str, path: str, role: Role | None = Role.VIEWER) -> Callable[[View], Page]:
    """Makes a page of a view."""

    def made(view: View) -> Page:
        return Page(method, path, role, view)

    return made


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the sidebar."""

    title: str
    path: str
    role: Role = Role.VIEWER


SIDEBAR: tuple[tuple[str, tuple[Link, ...]], ...] = (
    (
        "",
        (
            Link("Overview", "/admin"),
            Link("Requests", "/admin/requests"),
            Link("Events", "/admin/events"),
            Link("Deliveries", "/admin/deliveries"),
            Link("Audit", "/admin/audit", Role.ADMIN),
        ),
    ),
    ("Throughput", (Link("Threshold settings", "/admin/throughput/thresholds", Role.ADMIN),)),
    (
        "General",
        (
            Link("Notifications", "/admin/notifications", Role.ADMIN),
            Link("Operators", "/admin/operators", Role.ADMIN),
            Link("API keys", "/admin/keys", Role.ADMIN),
            Link("Settings", "/admin/settings", Role.ADMIN),
            Link("Health", "/admin/health", Role.OPERATOR),
        ),
    ),
)


STRANGER = Visitor(Actor("", "", "", Role.VIEWER), "")  # somebody who was signed in before the database went away


def prepare(application: web.Application, faces: Faces) -> None:
    """What templates of pages use beside their values, and what stands around pages of errors."""

    async def around(request: web.Request) -> Mapping[str, Any] | None:
        cookie = request.cookies.get(COOKIE, "")
        if not cookie or is_link(request):
            return None
        try:
            visitor = await faces.sessions.visitor(cookie)
        except StoreUnavailable:
            visitor = STRANGER
        return frame(request, faces, visitor) if visitor else None

    application[FRAME] = around


def routes(pages: Sequence[Page], faces: Faces) -> list[web.RouteDef]:
    return [web.route(each.method, each.path, _handler(each, faces)) for each in pages]


def _handler(page: Page, faces: Faces) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not all(each.isprintable() for each in request.match_info.values()):
            raise web.HTTPNotFound  # nothing of ours is called so, and PostgreSQL takes no NUL
        visitor = await faces.sessions.visitor(request.cookies.get(COOKIE, ""))
        try:
            return await visited(request, visitor)
        except Unknown as fault:
            words = f"{fault.words[:1].upper()}{fault.words[1:]}."
            return error_page(request, 404, "There is nothing here", words, _around(request, faces, visitor))

    async def visited(request: web.Request, visitor: Visitor | None) -> web.StreamResponse:
        refused = _refused(page, request, faces, visitor)
        if refused is not None:
            return refused
        form = await _form(request, faces, visitor) if request.method == "POST" else {}
        if isinstance(form, web.StreamResponse):
            return form
        outcome = await page.view(Visit(request, faces, visitor, form))
        return _answer(outcome, request, faces, visitor)

    return handle


def _refused(page: Page, request: web.Request, faces: Faces, visitor: Visitor | None) -> web.StreamResponse | None:
    if page.role is None:
        return None
    if visitor is None:
        return _to_sign_in(page, request, faces)
    if not visitor.may(page.role):
        words = f"This page is for the role {page.role}. Yours is {visitor.operator.role}; an admin can change that."
        return error_page(request, 403, "This page is not for your role", words, _around(request, faces, visitor))
    return None


def _to_sign_in(page: Page, request: web.Request, faces: Faces) -> web.StreamResponse:
    """Back to the page that was asked for; of a form that was sent too late, its sender is told that it is lost."""
    if page.method == "GET":
        sign_in = str(URL("/login").with_query({"next": str(request.rel_url)}))
        return _leave_for(sign_in) if "HX-Request" in request.headers else move(sign_in)
    is_lost = page.path != LEAVE and is_same_origin(request, faces.settings.now.base_url)
    words = "You are not signed in any more, so nothing was changed. Sign in, and do it once more."
    return _answer(Moved("/login", words if is_lost else "", bad=True), request, faces, None)


async def _form(request: web.Request, faces: Faces, visitor: Visitor | None) -> Mapping[str, str] | web.StreamResponse:
    """The fields of a form of ours; anything else is refused before the view sees it."""
    if not is_same_origin(request, faces.settings.now.base_url):
        return error_page(request, 403, frame=_around(request, faces, visitor))
    form = await read_form(request)
    seal = form.pop("seal", "")
    if not is_sealed(seal, subject(visitor), faces.form_keys) or not is_fresh(seal, faces.clock.now()):
        words = "This page was open for a long time, or you signed in again. Open it once more; nothing was changed."
        return error_page(request, 403, "This form is too old", words, _around(request, faces, visitor))
    return form


def subject(visitor: Visitor | None) -> str:
    """What a form is sealed for: this session and no other."""
    return f"session {visitor.session}" if visitor else "nobody"


def _answer(
    outcome: Shown | Moved | web.StreamResponse, request: web.Request, faces: Faces, visitor: Visitor | None
) -> web.StreamResponse:
    match outcome:
        case Moved():
            moved = move(outcome.to)
            if outcome.said:
                said = f"{'bad' if outcome.bad else 'good'}|{clip(outcome.said, LONGEST_SAID)}"
                seal = seal_form(said, faces.form_keys, faces.clock.now())
                set_cookie(moved, SAID, f"{seal}|{said}".encode().hex(), faces, 60)
            return moved
        case Shown():
            return _shown(outcome, request, faces, visitor)
        case _:
            return outcome


def _shown(shown: Shown, request: web.Request, faces: Faces, visitor: Visitor | None) -> web.StreamResponse:
    said, bad = _said(request, faces)
    values = {**shown.values, **frame(request, faces, visitor), "said": said, "said_bad": bad}
    response = drawn(shown.template, values, shown.status)
    response.headers["Content-Security-Policy"] = policy(shown.sources)
    keep_private(response)
    if said:
        response.del_cookie(SAID)
    return response


def frame(request: web.Request, faces: Faces, visitor: Visitor | None) -> Mapping[str, Any]:
    """What stands around every page, whatever it shows."""
    return {
        "visitor": visitor,
        "sidebar": _sidebar(visitor),
        "here": request.path,
        "seal": seal_form(subject(visitor), faces.form_keys, faces.clock.now()),
        "said": "",
        "said_bad": False,
        "now": faces.clock.now(),
    }


def _sidebar(visitor: Visitor | None) -> Sequence[tuple[str, Sequence[Link]]]:
    """The groups of links that lead somewhere for this visitor."""
    rank = RANK[visitor.operator.role] if visitor else -1
    groups = ((name, tuple(link for link in links if RANK[link.role] <= rank)) for name, links in SIDEBAR)
    return tuple((name, links) for name, links in groups if links)


def _around(request: web.Request, faces: Faces, visitor: Visitor | None) -> Mapping[str, Any] | None:
    return frame(request, faces, visitor) if visitor else None


def _said(request: web.Request, faces: Faces) -> tuple[str, bool]:
    """What the page before wanted to say; only if it was one of ours."""
    try:
        seal, _, said = bytes.fromhex(request.cookies.get(SAID, "")).decode().partition("|")
    except ValueError:
        return "", False
    tone, _, words = said.partition("|")
    return (words, tone == "bad") if words and is_sealed(seal, said, faces.form_keys) else ("", False)


def _leave_for(to: str) -> web.StreamResponse:
    """To a script that asks for a part of a page: the whole page is left for another one."""
    response = web.Response(headers={"HX-Redirect": to})
    keep_private(response)
    return response


def move(to: str) -> web.StreamResponse:
    """See another page; `to` is an address of ours."""
    response = web.Response(status=303, headers={"Location": to})
    keep_private(response)
    return response


def set_cookie(response: web.StreamResponse, name: str, value: str, faces: Faces, seconds: int) -> None:
    """HttpOnly, SameSite=Lax, and Secure where people reach us over https."""
    secure = faces.settings.now.base_url.startswith("https://")
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=secure, path="/")
