"""General → Notifications: one card per channel, drawn from the fields that the channel itself declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.admin import preview
from bot.admin.entries import Entry, changes_of, entries_of, flaws_of, saved_at
from bot.admin.pages.settings import said_of
from bot.admin.pages.trial import PAGES as TRIAL
from bot.admin.setup_aids import aids_of
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.admin.web import OWN_SCRIPT
from bot.channels.contract import CALLER_CHANNEL, Channel, Check
from bot.dispatch.health import ChannelHealth, Condition
from bot.doctor import way_back
from bot.doctor.examination import Part, masked
from bot.doctor.round_trip import mend_of
from bot.events.registry import CLASSES
from bot.logs import Mask
from bot.settings import Settings, SettingsFault
from interactions.model import Role

HOME = "/admin/notifications"
# Of our own origin, so that the page around it knows its height; nothing in it runs, and it loads nothing.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-same-origin"
)
ORDER = "order."
ON = "event."


@dataclass(frozen=True, slots=True)
class State:
    """How a channel is: a word, a tone of the style sheet, and what to know or do."""

    word: str
    tone: str
    words: str = ""
    mend: str = ""
    since: float | None = None


@dataclass(frozen=True, slots=True)
class ChannelCard:
    name: str
    title: str
    state: State
    entries: Sequence[Entry]
    ready: bool
    guide: str
    open: bool
    answers: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Listed:
    type: str
    title: str
    meaning: str
    on: bool


@page("GET", HOME, Role.ADMIN)
async def look(visit: Visit) -> Shown:
    return await _shown(visit)


@page("POST", HOME + "/channel/{name}", Role.ADMIN)
async def save_channel(visit: Visit) -> Shown | Moved:
    channel = _channel(visit)
    changes = changes_of(channel.fields, visit.faces.settings.now, visit.form)
    return await _saved(visit, changes, channel.name)


@page("POST", HOME + "/rules", Role.ADMIN)
async def save_rules(visit: Visit) -> Shown | Moved:
    settings = visit.faces.settings.now
    said = {
        "CHAIN": ",".join(filter(None, (visit.form.get(f"{ORDER}{place}", "") for place in range(len(_names(visit)))))),
        "COOLDOWN_SECONDS": visit.form.get("COOLDOWN_SECONDS", "").strip(),
        "EVENTS_DISABLED": ",".join(_switched_off(settings, visit.form)),
    }
    changes = {
        name: value or None for name, value in said.items() if not settings.locked(name) and value != settings[name]
    }
    return await _saved(visit, changes, "rules")


@page("GET", HOME + "/preview/mail", Role.ADMIN)
async def mail_preview(visit: Visit) -> web.Response:
    """The mail as it is sent, in a page of its own that can do nothing."""
    faces = visit.faces
    card = preview.card_of(preview.sample_of(visit.query.get("sample", "")), faces.clock.now())
    text = preview.mail(card, faces.settings.now.base_url).html
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@page("GET", HOME + "/teams-app.zip", Role.ADMIN)
async def teams_package(visit: Visit) -> web.Response | Moved:
    from teams_manifest import TeamsApp, Unfit, package

    try:
        content = package(TeamsApp.of(visit.faces.settings.now))
    except Unfit as unfit:
        return Moved(f"{HOME}#teams", " ".join(str(flaw) for flaw in unfit.flaws), bad=True)
    headers = {"Content-Disposition": 'attachment; filename="gatebell-teams.zip"', "Cache-Control": "no-store"}
    return web.Response(body=content, content_type="application/zip", headers=headers)


# ---- saving -----------------------------------------------------------------------------------------------------


async def _saved(visit: Visit, changes: Mapping[str, str | None], part: str) -> Shown | Moved:
    if not changes:
        return Moved(f"{HOME}#{part}", "Nothing was changed.")
    try:
        later = await visit.faces.settings.save(changes, visit.by)
    except SettingsFault as fault:
        return await _shown(visit, part, flaws_of(fault), status=422)
    return Moved(f"{HOME}#{part}", said_of(later))


def _switched_off(settings: Settings, form: Mapping[str, str]) -> list[str]:
    """The listed types whose box is empty, and those that were switched off by hand and are in no list."""
    listed = [each.type for each in CLASSES]
    others = sorted(settings.events_disabled - set(listed))
    return [*(type_ for type_ in listed if ON + type_ not in form), *others]


def _channel(visit: Visit) -> Channel:
    found = visit.faces.channels().get(visit.request.match_info["name"])
    if found is None or found.name == CALLER_CHANNEL:
        raise web.HTTPNotFound
    return found


# ---- what is shown ----------------------------------------------------------------------------------------------


async def _shown(visit: Visit, part: str = "", flaws: Mapping[str, str] | None = None, status: int = 200) -> Shown:
    faces, settings = visit.faces, visit.faces.settings.now
    sample = preview.sample_of(visit.query.get("sample", ""))
    card = preview.card_of(sample, faces.clock.now())
    values = {
        "cards": await _cards(visit, part, flaws or {}),
        "aids": await aids_of(settings, faces.store),
        "flaws": flaws or {},
        "part": part,
        "rules": _rules(settings, _titles(visit)),
        "classes": [
            Listed(each.type, each.title, each.meaning, each.type not in settings.events_disabled) for each in CLASSES
        ],
        "samples": [(each.id, each.title, each.id == sample.id) for each in preview.SAMPLES],
        "sample": sample.id,
        "slack_blocks": preview.slack(card),
        "slack_bar": preview.bar(card),
        "teams_card": preview.teams(card),
        "mail_subject": preview.mail(card, settings.base_url).subject,
    }
    return Shown("notifications.html", values, status, f"{OWN_SCRIPT}; frame-src 'self'")


async def _cards(visit: Visit, part: str, flaws: Mapping[str, str]) -> list[ChannelCard]:
    faces, settings = visit.faces, visit.faces.settings.now
    times, health = await saved_at(faces.store), faces.dispatcher.health()
    cards = []
    for name in _names(visit):
        channel = faces.channels()[name]
        typed = visit.form if part == name else {}
        entries = entries_of(channel.fields, settings, times, flaws if part == name else {}, typed)
        state = _state(channel, settings, health.get(name, ChannelHealth(name)), faces.mask)
        ready = not channel.missing()
        answers = masked(Part("", await way_back.checks(faces.store, channel, faces.clock.now())), faces.mask).checks
        guide = f"guides/{name}.html"
        cards.append(ChannelCard(name, channel.title, _with(state, answers), entries, ready, guide, not ready, answers))
    return cards


def _with(state: State, answers: Sequence[Check]) -> State:
    """A channel that takes our cards and whose answers do not come back is only half of one."""
    if state.tone == "bad" or all(check.ok for check in answers):
        return state
    return State("Answers do not come back", "bad", state.words)


def _state(channel: Channel, settings: Settings, health: ChannelHealth, mask: Mask) -> State:
    missing = channel.missing()
    if missing:
        mends = [each.mend for each in channel.fields if each.name in missing]
        return State("Not set up", "off", f"Missing: {', '.join(missing)}.", mends[0] if mends else "")
    since = health.since.timestamp() if health.since else None
    match health.condition:
        case Condition.BROKEN:
            return State("Broken", "bad", mask.text(_answer(health)), mend_of(health.reason), since)
        case Condition.FAILING:
            return State("Not answering", "bad", mask.text(_answer(health)), mend_of(health.reason), since)
    if channel.name not in settings.chain:
        return State("Ready", "over", "It is not in the chain, so nobody is told here by itself.")
    return State("Ready", "good")


def _answer(health: ChannelHealth) -> str:
    return f"The platform's last answer: {health.detail or health.reason}."


def _names(visit: Visit) -> list[str]:
    return [name for name, each in visit.faces.channels().items() if name != CALLER_CHANNEL and each.fields]


def _titles(visit: Visit) -> list[tuple[str, str]]:
    channels = visit.faces.channels()
    return [(name, channels[name].title) for name in _names(visit)]


def _rules(settings: Settings, titles: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    chain = [name for name in settings["CHAIN"].split(",") if name]
    places = [(place, chain[place] if place < len(chain) else "") for place in range(len(titles))]
    return {
        "titles": titles,
        "places": places,
        "cooldown": settings["COOLDOWN_SECONDS"],
        "locked": {name: settings.locked(name) for name in ("CHAIN", "COOLDOWN_SECONDS", "EVENTS_DISABLED")},
    }


PAGES: tuple[Page, ...] = (look, save_channel, save_rules, mail_preview, teams_package, *TRIAL)
