"""One's own account: what one is called where, and the browsers that one is signed in on."""

from bot.admin.site import Moved, Page, Shown, Visit, page


@page("GET", "/admin/me")
async def look(visit: Visit) -> Shown:
    who = visit.who
    known = await visit.faces.operators.get(who.operator.id)
    sessions = await visit.faces.sessions.sessions(who.operator.id)
    return Shown("me.html", {"operator": known, "sessions": sessions})


@page("POST", "/admin/me/sessions/{id}/end")
async def end(visit: Visit) -> Moved:
    who, session = visit.who, visit.request.match_info["id"]
    ended = await visit.faces.sessions.end(session, who.operator.id, by=visit.by)
    if session == who.session:
        return Moved("/login")
    return Moved("/admin/me", "That browser is signed out." if ended else "That browser was signed out already.")


@page("POST", "/admin/me/sessions/end-others")
async def end_others(visit: Visit) -> Moved:
    who = visit.who
    gone = await visit.faces.sessions.end_all(who.operator.id, by=visit.by, but=who.session)
    words = "1 other browser is signed out." if gone == 1 else f"{gone} other browsers are signed out."
    return Moved("/admin/me", words if gone else "You are signed in nowhere else.")


PAGES: tuple[Page, ...] = (look, end, end_others)
