"""API keys: what programs sign in with. A key is shown once, when it is made."""

from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.dispatch.notice import Unfit
from bot.keys import MEANING, NewKey
from interactions.model import Role

LIST = "/admin/keys"


@page("GET", LIST, Role.ADMIN)
async def look(visit: Visit) -> Shown:
    return await _list(visit)


@page("POST", LIST, Role.ADMIN)
async def create(visit: Visit) -> Shown:
    """Answers with the page itself, not by sending on to it: the key is kept nowhere, so it can be shown only here."""
    scopes = [scope for scope in MEANING if visit.form.get(f"scope.{scope}")]
    owner = visit.form.get("operator") or None
    try:
        made = await visit.faces.keys.create(visit.form.get("name", ""), scopes, by=visit.by, operator_id=owner)
    except Unfit as fault:
        return await _list(visit, wrong=fault)
    return await _list(visit, made=made)


@page("POST", LIST + "/{id}/revoke", Role.ADMIN)
async def revoke(visit: Visit) -> Moved:
    revoked = await visit.faces.keys.revoke(visit.request.match_info["id"], by=visit.by)
    return Moved(LIST, f"The key {revoked.name} is revoked. Whoever still uses it is refused from now on.")


PAGES: tuple[Page, ...] = (look, create, revoke)


async def _list(visit: Visit, made: NewKey | None = None, wrong: Unfit | None = None) -> Shown:
    everybody = await visit.faces.operators.everybody(removed=True)
    values = {
        "keys": sorted(await visit.faces.keys.list(), key=lambda each: (each.revoked_at is not None, each.id)),
        "people": [each for each in everybody if each.active],
        "names": {each.id: each.name for each in everybody},
        "scopes": MEANING,
        "made": made,
        "wrong": f"{wrong.words[:1].upper()}{wrong.words[1:]}." if wrong else "",
        "wrong_field": wrong.field if wrong else "",
        "typed": visit.form if wrong else {},
    }
    return Shown("keys.html", values, 422 if wrong else 200)
