"""Throughput → Threshold settings: how often somebody may call a tool before a room is told."""

from collections.abc import Mapping
from dataclasses import replace

from bot.admin.entries import WAS
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.dispatch.notice import Conflict, Unfit
from bot.thresholds import LONGEST, PERIODS, Draft, Threshold
from interactions.model import Role

LIST = "/admin/throughput/thresholds"
TYPE = "throughput.threshold"
NEW = Draft(window="1h")


@page("GET", LIST, Role.ADMIN)
async def look(visit: Visit) -> Shown:
    return await _list(visit, NEW)


@page("POST", LIST, Role.ADMIN)
async def add(visit: Visit) -> Shown | Moved:
    draft = draft_of(visit.form)
    try:
        added = await visit.faces.thresholds.add(draft, by=visit.by)
    except (Conflict, Unfit) as fault:
        return await _list(visit, draft, fault)
    return Moved(LIST, f"Set: {added.words}. It holds from now on.")


@page("GET", LIST + "/{id}", Role.ADMIN)
async def one(visit: Visit) -> Shown:
    found = await _of(visit)
    return _one(found, _draft(found), _said(found))


@page("POST", LIST + "/{id}", Role.ADMIN)
async def change(visit: Visit) -> Shown | Moved:
    """What stands as it was shown stays as it is: somebody else may have changed it since."""
    found, form = await _of(visit), visit.form
    now = _said(found)
    was = {name: form.get(WAS + name, value) for name, value in now.items()}
    said = {
        name: value if form.get(name, "") == form.get(WAS + name) else form.get(name, "") for name, value in now.items()
    }
    draft = draft_of(said)
    try:
        changed = await visit.faces.thresholds.change(found.id, draft, by=visit.by)
    except (Conflict, Unfit) as fault:
        return _one(found, draft_of(form), was, fault)
    return Moved(LIST, f"Saved: {changed.words}. It holds from now on.")


@page("POST", LIST + "/{id}/switch", Role.ADMIN)
async def switch(visit: Visit) -> Moved:
    """To what the button said, so that a second press does not turn it back."""
    found, on = await _of(visit), visit.form.get("on") == "on"
    await visit.faces.thresholds.change(found.id, replace(_draft(found), on=on), by=visit.by)
    return Moved(LIST, f"Switched {'on' if on else 'off'}: {found.words}.")


@page("POST", LIST + "/{id}/remove", Role.ADMIN)
async def remove(visit: Visit) -> Moved:
    removed = await visit.faces.thresholds.remove((await _of(visit)).id, by=visit.by)
    return Moved(LIST, f"Removed: {removed.words}.")


PAGES: tuple[Page, ...] = (look, add, one, change, switch, remove)


def draft_of(form: Mapping[str, str]) -> Draft:
    """What was typed; a limit that is no number becomes one that is refused."""
    typed = form.get("limit", "").replace(",", "").strip()
    return Draft(
        user=form.get("user", ""),
        tool=form.get("tool", ""),
        window=form.get("window", ""),
        limit=int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 12 else 0,
        room=form.get("room", ""),
        on=form.get("on") == "on",
    )


def _said(found: Threshold) -> Mapping[str, str]:
    """As its form says it."""
    return {
        "user": found.user,
        "tool": found.tool,
        "window": found.window,
        "limit": str(found.limit),
        "room": found.room,
        "on": "on" if found.on else "",
    }


def _draft(found: Threshold) -> Draft:
    return Draft(found.user, found.tool, found.window, found.limit, found.room, found.on)


async def _of(visit: Visit) -> Threshold:
    return await visit.faces.thresholds.get(visit.request.match_info["id"])


async def _list(visit: Visit, draft: Draft, fault: Conflict | Unfit | None = None) -> Shown:
    values = {
        "thresholds": await visit.faces.thresholds.list(),
        "switched_off": TYPE in visit.faces.settings.now.events_disabled,
        **_form(draft, fault),
    }
    return Shown("thresholds.html", values, 422 if fault else 200)


def _one(found: Threshold, draft: Draft, was: Mapping[str, str], fault: Conflict | Unfit | None = None) -> Shown:
    values = {"threshold": found, "was": was, **_form(draft, fault)}
    return Shown("threshold.html", values, 422 if fault else 200)


def _form(draft: Draft, fault: Conflict | Unfit | None) -> dict[str, object]:
    words = f"{fault.words[:1].upper()}{fault.words[1:]}." if fault else ""
    return {
        "draft": draft,
        "wrong": words,
        "wrong_field": fault.field if fault else "",
        "periods": PERIODS,
        "longest": LONGEST,
    }
