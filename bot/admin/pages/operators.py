"""Operators: who may be asked and who runs this; what platforms call them, and where they are signed in."""

from collections import Counter
from collections.abc import Mapping

from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import KnowsPeople
from bot.dispatch.notice import Audience, Conflict, Fault, Unfit, Unknown
from bot.operators import Operator
from interactions.card import Card
from interactions.model import Role

LIST = "/admin/operators"
MEANING = {
    Role.ADMIN: "also sets things up",
    Role.OPERATOR: "decides when asked",
    Role.VIEWER: "looks, decides nothing",
}


@page("GET", LIST, Role.ADMIN)
async def look(visit: Visit) -> Shown:
    return await _list(visit)


@page("POST", LIST, Role.ADMIN)
async def add(visit: Visit) -> Shown | Moved:
    form, faces = visit.form, visit.faces
    try:
        added = await faces.operators.add(form.get("email", ""), form.get("name", ""), _role(form), by=visit.by)
    except (Conflict, Unfit) as fault:
        return await _list(visit, _sentence(fault))
    faces.people_changed()
    said = f"{added.name} was added as {article(added.role)}."
    return Moved(LIST, f"{said} {await _welcomed(visit, added)}" if form.get("welcome") else said)


@page("GET", LIST + "/{id}", Role.ADMIN)
async def one(visit: Visit) -> Shown:
    operator = await _of(visit)
    channels = visit.faces.channels().items()
    platforms = [(name, each.title, each.account) for name, each in channels if isinstance(each, KnowsPeople)]
    sessions = await visit.faces.sessions.sessions(operator.id)
    values = {"operator": operator, "roles": MEANING, "sessions": sessions, "platforms": platforms}
    return Shown("operator.html", values)


@page("POST", LIST + "/{id}", Role.ADMIN)
async def change(visit: Visit) -> Moved:
    """What stands as it was shown stays as it is: somebody else may have changed it since."""
    operator, form = await _of(visit), visit.form
    name = None if form.get("name") == form.get("was.name") else form.get("name")
    role = None if form.get("role") == form.get("was.role") else _role(form)
    if name is None and role is None:
        return _back(operator, "Nothing was changed.")
    try:
        await visit.faces.operators.change(operator.id, name=name, role=role, by=visit.by)
    except Conflict as fault:
        return _back(operator, _sentence(fault), bad=True)
    visit.faces.people_changed()
    return _back(operator, "Saved.")


@page("POST", LIST + "/{id}/remove", Role.ADMIN)
async def remove(visit: Visit) -> Moved:
    operator = await _of(visit)
    if operator.id == visit.who.operator.id:
        return _back(operator, "You cannot remove yourself. Another admin can.", bad=True)
    try:
        await visit.faces.operators.remove(operator.id, by=visit.by)
    except Conflict as fault:
        return _back(operator, _sentence(fault), bad=True)
    visit.faces.people_changed()
    return Moved(LIST, f"{operator.name} is removed: decides nothing, is told nothing, and is signed out everywhere.")


@page("POST", LIST + "/{id}/link", Role.ADMIN)
async def link(visit: Visit) -> Moved:
    operator = await _of(visit)
    platform, account = visit.form.get("platform", ""), visit.form.get("account", "").strip()
    try:
        linked = await visit.faces.operators.link(operator.id, platform, account, by=visit.by)
    except Unfit as fault:
        return _back(operator, _sentence(fault), bad=True)
    visit.faces.people_changed()
    return _back(operator, f"{linked} is {operator.name} from now on.")


@page("POST", LIST + "/{id}/unlink", Role.ADMIN)
async def unlink(visit: Visit) -> Moved:
    operator = await _of(visit)
    platform, account = visit.form.get("platform", ""), visit.form.get("account", "")
    await visit.faces.operators.unlink(operator.id, platform, account, by=visit.by)
    visit.faces.people_changed()
    return _back(operator, f"{account} is not linked any more.")


@page("POST", LIST + "/{id}/welcome", Role.ADMIN)
async def welcome(visit: Visit) -> Moved:
    operator = await _of(visit)
    return _back(operator, await _welcomed(visit, operator))


@page("POST", LIST + "/{id}/sessions/{session}/end", Role.ADMIN)
async def end(visit: Visit) -> Moved:
    operator = await _of(visit)
    await visit.faces.sessions.end(visit.request.match_info["session"], operator.id, by=visit.by)
    return _back(operator, "That browser is signed out.")


@page("POST", LIST + "/{id}/sessions/end-all", Role.ADMIN)
async def end_all(visit: Visit) -> Moved:
    operator = await _of(visit)
    await visit.faces.sessions.end_all(operator.id, by=visit.by)
    return _back(operator, f"{operator.name} is signed out everywhere.")


PAGES: tuple[Page, ...] = (look, add, one, change, remove, link, unlink, welcome, end, end_all)


async def _list(visit: Visit, wrong: str = "") -> Shown:
    everybody = await visit.faces.operators.everybody()
    browsers = Counter(each.operator_id for each in await visit.faces.sessions.sessions())
    values = {"everybody": everybody, "browsers": browsers, "roles": MEANING, "wrong": wrong, "typed": visit.form}
    return Shown("operators.html", values, 422 if wrong else 200)


async def _of(visit: Visit) -> Operator:
    """Whom the address names. Raises Unknown, also for somebody removed."""
    operator = await visit.faces.operators.get(visit.request.match_info["id"])
    if not operator.active:
        raise Unknown(f"{operator.email} is no operator any more", "id")
    return operator


async def _welcomed(visit: Visit, operator: Operator) -> str:
    """Send the welcome message; what became of that, in words."""
    faces = visit.faces
    try:
        await faces.dispatcher.show(welcome_card(operator, faces.settings.now.base_url), Audience((operator.email,)))
    except Fault as fault:
        return f"No welcome could be sent: {fault.words}."
    await faces.ledger.write(faces.clock.now(), visit.by, "operator.welcomed", operator.email)
    return "A welcome is on its way."


def welcome_card(operator: Operator, base_url: str) -> Card:
    decides = "Requests for your decision come here" if operator.role.decides else "Notices come here"
    return Card(
        title="Welcome to Gatebell",
        text=f"You are {article(operator.role)} here. {decides}, where you read this. "
        "You need no password: the sign-in page sends you a link the same way.",
        facts=(("Your address", operator.email),),
        link=f"{base_url}/login",
        link_label="Go to the sign-in page",
    )


def article(role: Role) -> str:
    """The role with its article."""
    return f"{'a' if role is Role.VIEWER else 'an'} {role}"


def _role(form: Mapping[str, str]) -> Role:
    """What was chosen. Whatever is not a role is the least of them."""
    chosen = form.get("role", Role.OPERATOR)
    return Role(chosen) if chosen in set(Role) else Role.VIEWER


def _sentence(fault: Fault) -> str:
    return f"{fault.words[:1].upper()}{fault.words[1:]}."


def _back(operator: Operator, said: str, *, bad: bool = False) -> Moved:
    return Moved(f"{LIST}/{operator.id}", said, bad)
