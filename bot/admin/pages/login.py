"""Signing in: a link that comes by chat or mail, good once, soon over, and only in the browser that asked for it."""

import re
import secrets

from aiohttp import web
from yarl import URL

from bot.admin.access import LINK_LIVES, Browser, LinkState, Purpose
from bot.admin.site import COOKIE, LEAVE, SESSION_SECONDS, Faces, Moved, Page, Shown, Visit, move, page, set_cookie
from bot.dispatch.notice import Audience, Unfit
from bot.operators import valid
from interactions.card import Card
from interactions.model import Role

ASKED = "gatebell_asked"
HOME = "/admin"
_OURS = re.compile(r"/(?:admin|setup)(?:[/?][\x21-\x5b\x5d-\x7e]*)?")

WHY = {
    LinkState.ELSEWHERE: (
        "This link belongs to another browser",
        "It works only in the browser that asked for it. Ask for a link here, and open it here.",
    ),
    LinkState.USED: ("This link was used already", "Each link signs somebody in once. Ask for another one."),
    LinkState.OVER: ("This link is over", "Links are good for 15 minutes. Ask for another one."),
}


@page("GET", "/login", role=None)
async def ask(visit: Visit) -> Shown | Moved:
    to = safe_next(visit.query.get("next", ""))
    if not visit.visitor and not await visit.faces.operators.first_admin():
        return Moved("/setup")  # nobody could be sent a link: the one that the server printed leads in
    return Moved(to) if visit.visitor else Shown("login.html", {"next": to, "email": "", "wrong": ""})


@page("POST", "/login", role=None)
async def send(visit: Visit) -> Shown | Moved | web.StreamResponse:
    to, written = safe_next(visit.form.get("next", "")), visit.form.get("email", "")
    try:
        email = valid(written)
    except Unfit as fault:
        return _asked_again(to, written, f"{fault.words[:1].upper()}{fault.words[1:]}.", 422)
    wait = await visit.faces.sessions.tried(visit.address, email)
    if wait is not None:
        minutes = int(wait // 60) + 1
        words = (
            f"That was asked for too often. Wait {minutes} {'minute' if minutes == 1 else 'minutes'}, then try again."
        )
        return _asked_again(to, written, words, 429)
    browser = visit.request.cookies.get(ASKED, "") or secrets.token_urlsafe(32)
    visit.faces.spawn(send_link(visit.faces, email, browser, to, visit.address))
    sent = move("/login/sent")
    set_cookie(sent, ASKED, browser, visit.faces, int(LINK_LIVES.total_seconds()))
    return sent


@page("GET", "/login/sent", role=None)
async def sent(visit: Visit) -> Shown:
    return Shown("login_sent.html")


@page("GET", "/login/{secret}", role=None)
async def look(visit: Visit) -> Shown | Moved:
    """Whatever opens links in mails before people do uses none up: only the button below signs in."""
    to = safe_next(visit.query.get("next", ""))
    secret = visit.request.match_info["secret"]
    state = await visit.faces.sessions.state(secret, Purpose.SIGN_IN, visit.request.cookies.get(ASKED, ""))
    if state is LinkState.GOOD:
        return Shown("login_link.html", {"next": to})
    return Moved(to) if visit.visitor and state is LinkState.USED else _refused(state, to)


@page("POST", "/login/{secret}", role=None)
async def use(visit: Visit) -> Shown | web.StreamResponse:
    to = safe_next(visit.form.get("next", ""))
    got = await visit.faces.sessions.use(visit.request.match_info["secret"], browser_of(visit))
    return _refused(got, to) if isinstance(got, LinkState) else signed_in(visit, got, to)


@page("POST", LEAVE, role=Role.VIEWER)
async def leave(visit: Visit) -> web.StreamResponse:
    who = visit.who
    await visit.faces.sessions.end(who.session, who.operator.id, by=visit.by, action="session.closed")
    gone = move("/login")
    gone.del_cookie(COOKIE, path="/")
    return gone


PAGES: tuple[Page, ...] = (ask, send, sent, look, use, leave)


def safe_next(to: str) -> str:
    """An address of our own pages, or else the first of them: whoever sends a link here chooses no other server."""
    return to if _OURS.fullmatch(to) else HOME


def browser_of(visit: Visit) -> Browser:
    request = visit.request
    return Browser(request.cookies.get(ASKED, ""), request.headers.get("User-Agent", ""), visit.address)


def signed_in(visit: Visit, secret: str, to: str) -> web.StreamResponse:
    """On to the page, with the new session in a cookie. The one that was there before, if any, is not taken over."""
    response = move(to)
    set_cookie(response, COOKIE, secret, visit.faces, SESSION_SECONDS)
    response.del_cookie(ASKED, path="/")
    return response


async def send_link(faces: Faces, email: str, browser: str, to: str, address: str) -> None:
    """Beside the request, so that its answer takes as long for people we do not know as for those we do."""
    at = faces.clock.now()
    operator = await faces.operators.by_email(email)
    if operator is None or not operator.active:
        await faces.ledger.write(at, "nobody", "session.refused", email, address, {"why": "nobody by this address"})
        return
    await faces.ledger.write(at, f"operator:{operator.id}", "session.asked", email, address)
    secret = await faces.sessions.link(operator.id, Purpose.SIGN_IN, LINK_LIVES, browser)
    link = faces.links.seal(link_to(faces.settings.now.base_url, secret, to))
    await faces.dispatcher.show(_link_card(link), Audience((email,)))


def link_to(base_url: str, secret: str, to: str = HOME) -> str:
    url = URL(base_url) / "login" / secret
    return str(url.with_query({"next": to}) if to != HOME else url)


def _link_card(link: str) -> Card:
    return Card(
        title="Sign in to Gatebell",
        text="Open this in the browser that you asked from. It works once, for 15 minutes. "
        "If you did not ask for it, do nothing: without your browser it is worth nothing.",
        link=link,
        link_label="Sign in",
    )


def _asked_again(to: str, email: str, wrong: str, status: int) -> Shown:
    return Shown("login.html", {"next": to, "email": email[:254], "wrong": wrong}, status)


def _refused(state: LinkState, to: str) -> Shown:
    title, words = WHY[state]
    return Shown("login_refused.html", {"title": title, "words": words, "next": to}, 403)
