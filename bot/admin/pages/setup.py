"""The first run: an admin, the public address, one channel, a test. It can be left and taken up again at any step."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from bot.admin.access import LinkState, Purpose
from bot.admin.checkup import patient_of
from bot.admin.entries import NEW, Entry, Refused, entries_of, saved_at
from bot.admin.first_run import STEPS, left_out, offers
from bot.admin.pages.login import browser_of, signed_in
from bot.admin.saving import save_form
from bot.admin.setup_aids import WAYS, Way, aids_of, way_of
from bot.admin.site import Faces, Moved, Page, Shown, Visit, page
from bot.channels.contract import Channel, Check, Field, IsCalled
from bot.dispatch.notice import Audience, Conflict, Fault, Unfit, Unknown
from bot.doctor.examination import Part, examine_address, masked, questioned
from bot.doctor.round_trip import mend_of
from bot.operators import Operator, valid
from bot.store import Row
from interactions.card import Card
from interactions.model import Actor, Role

PATIENCE = 6.0  # seconds to wait for a test's answer before the page says that it is still under way
LOOK = 0.1
TESTED = "setup.tested"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The channel of this step, with its guide."""

    name: str
    title: str
    ready: bool
    guide: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a channel answered to the test; `words` say why it did not take it, `clicks` whether it brings any."""

    channel: str
    title: str
    took_ms: float
    words: str
    clicks: bool


@page("GET", "/setup", role=None)
async def begin(visit: Visit) -> Shown | Moved:
    """Wherever one left off."""
    if visit.visitor:
        return Moved(f"/setup/{await _next(visit.faces)}" if visit.visitor.may(Role.ADMIN) else "/admin")
    if await visit.faces.operators.first_admin():
        return Moved("/login?next=/setup")
    return Shown("setup_closed.html", {"used": False})


# ---- the admin ----------------------------------------------------------------------------------------------------


@page("GET", "/setup/{secret}", role=None)
async def first(visit: Visit) -> Shown | Moved:
    state = await _link_state(visit)
    if state is LinkState.GOOD:
        return Shown("setup_admin.html", {"wrong": "", "typed": {}})
    return Moved("/setup") if visit.visitor else _closed()


@page("POST", "/setup/{secret}", role=None)
async def become_admin(visit: Visit) -> Shown | web.StreamResponse:
    faces, form = visit.faces, visit.form
    try:
        email = valid(form.get("email", ""))
    except Unfit as fault:
        wrong = f"{fault.words[:1].upper()}{fault.words[1:]}."
        return Shown("setup_admin.html", {"wrong": wrong, "typed": form}, 422)
    if await _link_state(visit) is not LinkState.GOOD:
        return _closed()
    browser = browser_of(visit)
    if await faces.sessions.claim(visit.request.match_info["secret"], Purpose.SETUP, browser) is not LinkState.GOOD:
        return _closed()
    added = await _admin(faces, email, form.get("name", ""))
    faces.people_changed()
    admin = Actor(added.id, added.name, added.email, added.role)
    return signed_in(visit, await faces.sessions.open(admin, browser), "/setup/address")


async def _admin(faces: Faces, email: str, name: str) -> Operator:
    """Somebody new, or somebody who became an operator meanwhile because the settings name them."""
    try:
        return await faces.operators.add(email, name, Role.ADMIN, by="setup")
    except Conflict:
        if (known := await faces.operators.by_email(email)) is None:
            raise
        return await faces.operators.change(known.id, name=name, role=Role.ADMIN, by="setup")


async def _link_state(visit: Visit) -> LinkState:
    """Links of the first run are worth nothing once there is an admin."""
    if await visit.faces.operators.first_admin():
        return LinkState.USED
    return await visit.faces.sessions.state(visit.request.match_info["secret"], Purpose.SETUP)


def _closed() -> Shown:
    return Shown("setup_closed.html", {"used": True}, 403)


# ---- the address ---------------------------------------------------------------------------------------------------


@page("GET", "/setup/address", Role.ADMIN)
async def address(visit: Visit) -> Shown:
    return await _address(visit)


@page("POST", "/setup/address", Role.ADMIN)
async def save_address(visit: Visit) -> Shown:
    """Saves what was written, and then looks whether it leads here: what is not there yet may come later."""
    faces = visit.faces
    outcome = await save_form(visit, _fields(faces, "BASE_URL"))
    if isinstance(outcome, Refused):
        return await _address(visit, outcome)
    return await _address(visit, seen=await examine_address(patient_of(faces)))


async def _address(visit: Visit, refused: Refused = NEW, seen: Part | None = None) -> Shown:
    now = visit.faces.settings.now
    fields = _fields(visit.faces, "BASE_URL")
    entries = entries_of(fields, now, await saved_at(visit.faces.store), refused)
    values = await _step(visit, "address", entries=entries, flaws=refused.flaws, seen=seen, address=now.base_url)
    return Shown("setup_address.html", values, 422 if refused.flaws else 200)


# ---- the channel ---------------------------------------------------------------------------------------------------


@page("GET", "/setup/channel", Role.ADMIN)
async def channels(visit: Visit) -> Shown:
    return Shown("setup_channels.html", await _step(visit, "channel", offers=offers(visit.faces)))


@page("GET", "/setup/channel/{name}", Role.ADMIN)
async def channel(visit: Visit) -> Shown:
    return await _channel(visit)


@page("POST", "/setup/channel/{name}", Role.ADMIN)
async def save_channel(visit: Visit) -> Shown | Moved:
    name, settings = _named(visit).name, visit.faces.settings
    outcome = await save_form(visit, _named(visit).fields)
    if isinstance(outcome, Refused):
        return await _channel(visit, outcome)
    way = await _way(visit)
    needed = (way.own,) if way and not settings.now[way.own] else ()
    missing = (*visit.faces.channels()[name].missing(), *needed)
    if missing:
        return Moved(_address_of(name, way), f"Saved. Still missing: {', '.join(missing)}.", bad=True)
    return Moved("/setup/test", f"{await _in_chain(visit, name)} Now see whether it works.")


async def _in_chain(visit: Visit, name: str) -> str:
    """Puts the channel at the end of the chain if it is not in it: who sets it up wants to be told there."""
    settings = visit.faces.settings
    listed = [each for each in settings.now["CHAIN"].split(",") if each]
    if name in settings.now.chain:
        return "Saved."
    if name in listed:
        return "Saved, but nobody is told there: it is switched off under Settings."
    if settings.now.locked("CHAIN"):
        return f"Saved, but nobody is told there until {name} is added to CHAIN, which is set in the environment."
    await settings.save({"CHAIN": ",".join((*listed, name))}, visit.by)
    return "Saved, and put at the end of the chain, so that people are told there."


async def _channel(visit: Visit, refused: Refused = NEW) -> Shown:
    chosen, now = _named(visit), visit.faces.settings.now
    entries = entries_of(chosen.fields, now, await saved_at(visit.faces.store), refused)
    way, ways = await _way(visit), WAYS.get(chosen.name, ())
    first, more = parted(of_way(entries, way, ways))
    values = await _step(
        visit,
        "channel",
        card=Chosen(chosen.name, chosen.title, not chosen.missing(), f"guides/{chosen.name}.html"),
        ways=[(each.title, each.words, _address_of(chosen.name, each), each == way) for each in ways],
        way=way.name if way else "",
        action=_address_of(chosen.name, way),
        first=first,
        more=more,
        flaws=refused.flaws,
        labels={each.name: each.name for each in (*first, *more)},
        aids=await aids_of(now, visit.faces.store),
        address_page="/setup/address",
    )
    return Shown("setup_channel.html", values, 422 if refused.flaws else 200)


async def _way(visit: Visit) -> Way | None:
    """How this channel is being set up; None where there is one way alone."""
    settings = visit.faces.settings.now
    public = bool((await aids_of(settings, visit.faces.store)).slack_http)
    return way_of(_named(visit).name, settings, visit.query.get("way", ""), public)


def _address_of(channel: str, way: Way | None) -> str:
    return f"/setup/channel/{channel}{f'?way={way.name}' if way else ''}"


def of_way(entries: Sequence[Entry], way: Way | None, ways: Sequence[Way]) -> Sequence[Entry]:
    """What this way needs, without what another one does."""
    if way is None:
        return entries
    others = {each.own for each in ways if each != way}
    return [
        replace(each, required=each.required or each.name == way.own) for each in entries if each.name not in others
    ]


def parted(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """What a channel cannot do without, and all that its order puts before that; then what may stay as it is."""
    needed = [place for place, each in enumerate(entries) if each.required or each.secret or each.wrong]
    cut = max(needed, default=-1) + 1
    return entries[:cut], entries[cut:]


def _named(visit: Visit) -> Channel:
    name = visit.request.match_info["name"]
    found = offers(visit.faces).get(name)
    if found is None:
        raise Unknown(f"there is no channel {name}", "channel")
    return found


# ---- the test ----------------------------------------------------------------------------------------------------


@page("GET", "/setup/test", Role.ADMIN)
async def try_out(visit: Visit) -> Shown:
    ref = visit.query.get("ref", "")
    attempts = await _attempts(visit.faces, ref) if ref else []
    last = attempts[-1] if attempts else None
    tried = _answered(last, visit.faces) if last else None
    wrong = await _wrong(visit.faces, last) if last and last["reason"] else ()
    ready = offers(visit.faces, ready=True)
    return Shown("setup_test.html", await _step(visit, "test", ready=ready, ref=ref, tried=tried, wrong=wrong))


async def _wrong(faces: Faces, refused: Row) -> Sequence[Check]:
    """What the channel finds out about itself; where that is nothing, what is usually to be done."""
    channel = faces.channels().get(refused["channel"])
    found = Part("", tuple(each for each in await questioned(channel) if not each.ok)) if channel else Part("", ())
    usual = Check("What to do", False, "", mend_of(refused["reason"]))
    return masked(found, faces.mask).checks or (usual,)


@page("POST", "/setup/test", Role.ADMIN)
async def send_test(visit: Visit) -> Moved:
    faces, who, name = visit.faces, visit.who.operator, visit.form.get("channel", "")
    if name not in offers(faces, ready=True):
        return Moved("/setup/test", "That channel is not set up yet.", bad=True)
    card = Card(title="A test from Gatebell", text=f"If you can read this, {who.name}, this channel works.")
    try:
        ref = await faces.dispatcher.show(card, Audience((who.email,), channel=name))
    except Fault as fault:
        return Moved("/setup/test", f"Nothing was sent: {fault.words}.", bad=True)
    await faces.ledger.write(faces.clock.now(), visit.by, TESTED, name)
    await _tried(faces, ref)
    return Moved(f"/setup/test?ref={ref}")


def _answered(attempt: Row, faces: Faces) -> Tried:
    """What the platform said may hold a secret of ours; nobody sees it."""
    channel = faces.channels().get(attempt["channel"])
    title = channel.title if channel else attempt["channel"]
    words = faces.mask.text(attempt["detail"] or attempt["reason"])
    return Tried(attempt["channel"], title, attempt["took_ms"], words, isinstance(channel, IsCalled))


async def _tried(faces: Faces, ref: str) -> None:
    """Returns once the channel has answered, or when that takes too long for somebody who waits."""
    for _ in range(int(PATIENCE / LOOK)):
        if await _attempts(faces, ref):
            return
        await asyncio.sleep(LOOK)


async def _attempts(faces: Faces, ref: str) -> Sequence[Row]:
    sql = (
        "SELECT attempt.channel, attempt.reason, attempt.detail, attempt.took_ms FROM attempt"
        " JOIN delivery ON delivery.id = attempt.delivery_id WHERE delivery.ref = :ref ORDER BY attempt.at, attempt.id"
    )
    return await faces.store.read(lambda tx: tx.rows(sql, {"ref": ref}))


# ---- the end ----------------------------------------------------------------------------------------------------


@page("GET", "/setup/done", Role.ADMIN)
async def done(visit: Visit) -> Shown:
    return Shown("setup_done.html", await _step(visit, "done"))


PAGES: tuple[Page, ...] = (
    begin,
    address,
    save_address,
    channels,
    channel,
    save_channel,
    try_out,
    send_test,
    done,
    first,
    become_admin,
)


async def _next(faces: Faces) -> str:
    return next((step.name for step in await left_out(faces)), "done")


async def _step(visit: Visit, here: str, **values: object) -> dict[str, object]:
    return {"steps": STEPS, "step": here, "left_out": await left_out(visit.faces), **values}


def _fields(faces: Faces, *names: str) -> list[Field]:
    return [each for each in faces.settings.now.fields if each.name in names]
