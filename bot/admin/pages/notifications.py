"""General → Notifications: one card per channel, drawn from the fields that the channel itself declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.admin import preview
from bot.admin.entries import NEW, WAS, Entry, Refused, entries_of, saved_at
from bot.admin.pages.trial import PAGES as TRIAL
from bot.admin.saving import Saved, save_changes, save_form
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
from bot.settings import Settings
from interactions.model import Role

HOME = "/admin/notifications"
# Of our own origin, so that the page around it knows its height; nothing in it runs, and it loads nothing.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-same-origin"
)
RULES = "rules"
RULE_LABELS = {"CHAIN": "The chain", "COOLDOWN_SECONDS": "The cooldown", "EVENTS_DISABLED": "The list of events"}
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
    return await _after(visit, await save_form(visit, channel.fields), channel.name)


@page("POST", HOME + "/rules", Role.ADMIN)
async def save_rules(visit: Visit) -> Shown | Moved:
    settings = visit.faces.settings.now
    said = {
        "CHAIN": ",".join(filter(None, (visit.form.get(f"{ORDER}{place}", "") for place in range(len(_names(visit)))))),
        "COOLDOWN_SECONDS": visit.form.get("COOLDOWN_SECONDS", "").strip(),
        "EVENTS_DISABLED": ",".join(_switched_off(settings, visit.form)),
    }
    changes = {
        name: value or None
        for name, value in said.items()
        if not settings.locked(name) and value not in (settings[name], visit.form.get(WAS + name))
    }
    return await _after(visit, await save_changes(visit, changes), RULES)


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


async def _after(visit: Visit, outcome: Saved | Refused, part: str) -> Shown | Moved:
    if isinstance(outcome, Refused):
        return await _shown(visit, part, outcome)
    return Moved(f"{HOME}#{part}", outcome.words)


def _switched_off(settings: Settings, form: Mapping[str, str]) -> list[str]:
    """The listed types whose box is empty, and those that were switched off by hand and are in no list.

    A box that stands as it was shown says nothing: somebody else may have switched that type since.
    """
    off, shown, listed = settings.events_disabled, form.get(WAS + "EVENTS_DISABLED"), [each.type for each in CLASSES]
    was = off if shown is None else set(shown.split(","))
    touched = {type_ for type_ in listed if (type_ in was) is (ON + type_ in form)}
    now = off.difference(touched).union(type_ for type_ in touched if ON + type_ not in form)
    return [*(type_ for type_ in listed if type_ in now), *sorted(now.difference(listed))]


def _channel(visit: Visit) -> Channel:
    found = visit.faces.channels().get(visit.request.match_info["name"])
    if found is None or found.name == CALLER_CHANNEL:
        raise web.HTTPNotFound
    return found


# ---- what is shown ----------------------------------------------------------------------------------------------


async def _shown(visit: Visit, part: str = "", refused: Refused = NEW) -> Shown:
    faces, settings = visit.faces, visit.faces.settings.now
    sample = preview.sample_of(visit.query.get("sample", ""))
    card = preview.card_of(sample, faces.clock.now())
    rules = refused.sent if part == RULES else {}
    is_chosen = rules and not settings.locked("EVENTS_DISABLED")
    off = _switched_off(settings, rules) if is_chosen else settings.events_disabled
    cards = await _cards(visit, part, refused)
    values = {
        "cards": cards,
        "aids": await aids_of(settings, faces.store),
        "flaws": refused.flaws,
        "labels": RULE_LABELS | {entry.name: entry.name for channel in cards for entry in channel.entries},
        "part": part,
        "rules": _rules(settings, _titles(visit), rules),
        "classes": [Listed(each.type, each.title, each.meaning, each.type not in off) for each in CLASSES],
        "samples": [(each.id, each.title, each.id == sample.id) for each in preview.SAMPLES],
        "sample": sample.id,
        "slack_blocks": preview.slack(card),
        "slack_bar": preview.bar(card),
        "teams_card": preview.teams(card),
        "mail_subject": preview.mail(card, settings.base_url).subject,
    }
    status = 422 if refused.flaws else 200
    return Shown("notifications.html", values, status, f"{OWN_SCRIPT}; frame-src 'self'")


async def _cards(visit: Visit, part: str, refused: Refused) -> list[ChannelCard]:
    faces, settings = visit.faces, visit.faces.settings.now
    times, health = await saved_at(faces.store), faces.dispatcher.health()
    cards = []
    for name in _names(visit):
        channel = faces.channels()[name]
        entries = entries_of(channel.fields, settings, times, refused if part == name else NEW)
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


def _rules(settings: Settings, titles: Sequence[tuple[str, str]], sent: Mapping[str, str]) -> Mapping[str, object]:
    """As they hold, or as they were `sent` and could not be saved."""
    chain = dict(enumerate(name for name in settings["CHAIN"].split(",") if name))
    places = [(place, sent.get(f"{ORDER}{place}", chain.get(place, ""))) for place in range(len(titles))]
    was = {
        "CHAIN": ",".join(chain[place] for place in range(len(titles)) if place in chain),
        "COOLDOWN_SECONDS": settings["COOLDOWN_SECONDS"],
        "EVENTS_DISABLED": ",".join(sorted(settings.events_disabled)),
    }
    return {
        "titles": titles,
        "was": {name: sent.get(WAS + name, value) for name, value in was.items()},
        "places": places,
        "cooldown": sent.get("COOLDOWN_SECONDS", settings["COOLDOWN_SECONDS"]),
        "locked": {name: settings.locked(name) for name in ("CHAIN", "COOLDOWN_SECONDS", "EVENTS_DISABLED")},
    }


PAGES: tuple[Page, ...] = (look, save_channel, save_rules, mail_preview, teams_package, *TRIAL)
