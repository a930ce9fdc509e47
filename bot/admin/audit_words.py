"""The audit log in the words of people: what each action is called, where it was done, and what its detail says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.admin.rows import Line

ADMIN = "admin"
PLACES = {ADMIN: "on these pages", "link": "on the page behind the link", "api": "over the API"}
REFUSED = {
    "ended": "it had ended already",
    "expired": "it had expired",
    "not_asked": "they were not asked",
    "role": "a viewer does not decide",
    "own_request": "it is their own request",
    "unknown_choice": "there is no such choice",
    "input": "what had to be written was missing or too long",
    "voted": "they had approved it already",
    "changed": "it had changed since it was shown",
    "token": "the button is none of ours, or is no longer valid",
    "link elsewhere": "the link was opened in another browser than the one that asked for it",
    "link used": "the link had been used already",
    "link over": "the link was too old, or none of ours",
}
OURS = {
    "cli": "the command line",
    "demo": "the demo",
    "gatebell": "Gatebell",
    "file": "whoever changed the settings' file",
    "retention": "Gatebell, by its retention",
    "setup": "the set-up",
    "system": "Gatebell",
}
ACTIONS: Mapping[str, Mapping[str, str]] = {
    "Requests": {
        "interaction.decided": "Decided a request",
        "interaction.approved_once": "Approved a request that needs more approvals",
        "interaction.consumed": "Used an approval",
        "interaction.withdrawn": "Withdrew a request",
        "interaction.expired": "Closed a request: its time was over",
        "interaction.undeliverable": "Closed a request: nobody could be reached",
        "click.refused": "Was refused an answer",
        "consume.refused": "Was refused the use of an approval",
        "delivery.sent_again": "Sent a copy again",
        "notice.sent": "Sent a notice",
    },
    "Signing in": {
        "session.opened": "Signed in",
        "session.asked": "Asked for a sign-in link",
        "session.link_printed": "Printed a sign-in link",
        "session.refused": "Was refused at the sign-in",
        "session.closed": "Signed out",
        "session.revoked": "Signed somebody out",
    },
    "People and keys": {
        "operator.added": "Added an operator",
        "operator.changed": "Changed an operator",
        "operator.removed": "Removed an operator",
        "operator.linked": "Linked an account",
        "operator.unlinked": "Unlinked an account",
        "operator.welcomed": "Welcomed an operator",
        "key.created": "Made an API key",
        "key.revoked": "Revoked an API key",
        "key.refused": "Was refused for wrong API keys",
        "call.refused": "Was refused a call",
    },
    "Settings and tests": {
        "settings.saved": "Saved settings",
        "settings.sealed_anew": "Sealed the settings anew",
        "threshold.added": "Added a threshold",
        "threshold.changed": "Changed a threshold",
        "threshold.removed": "Removed a threshold",
        "setup.tested": "Tested a channel in the set-up",
        "test.sent": "Sent a test notification",
        "test.asked": "Began a round trip",
    },
    "Records": {
        "records.removed": "Removed what was over",
        "audit.anchored": "Anchored this log",
        "audit.accepted": "Accepted this log as it was",
    },
}
WORDS = {action: words for group in ACTIONS.values() for action, words in group.items()}
_BECAUSE = ("why", "because")
_ASKED = ("interaction.", "click.", "consume.", "test.asked")

Detail = Mapping[str, JsonValue]
Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """An entry as people read it. `action` is what the exported log calls it; `link` leads to what it was done to."""

    seq: int
    at: datetime
    who: str
    on_behalf: str
    action: str
    what: str
    where: str
    detail: str
    subject: str
    link: str


def said(line: Line, titles: Titles) -> Said:
    """`titles` are the channels' names for people, by name."""
    return Said(
        seq=line.seq,
        at=line.at,
        who=who(line.actor, titles),
        on_behalf=line.on_behalf,
        action=line.action,
        what=WORDS.get(line.action) or line.action.replace(".", " ").replace("_", " ").capitalize(),
        where=where(line, titles),
        detail=detail(line, titles),
        subject=titles.get(line.subject, line.subject),
        link=f"/admin/requests/{line.subject}" if line.subject and line.action.startswith(_ASKED) else "",
    )


def who(actor: str, titles: Titles) -> str:
    """Somebody nobody knows is called by their account, a part of Gatebell by what it is."""
    platform, _, account = actor.partition(":")
    if account and platform in titles:
        return f"{titles[platform]} account {account}"
    return OURS.get(actor) or titles.get(actor, actor)


def ours(typed: str) -> Sequence[str]:
    """What the log itself calls those parts of Gatebell whose words hold what was typed."""
    return [actor for actor, words in OURS.items() if typed.casefold() in words.casefold()]


def where(line: Line, titles: Titles) -> str:
    """Where it was done; a sign-in is from an address."""
    if not line.place:
        return ""
    if line.action.startswith("session."):
        return f"from {line.place}"
    return PLACES.get(line.place) or f"on {titles.get(line.place, line.place)}"


def detail(line: Line, titles: Titles) -> str:
    """What else is known, in words; "" where that is nothing."""
    parts = _DETAILS.get(line.action, _named)(line.detail, titles)
    return ": ".join(filter(None, (", ".join(filter(None, parts)), _because(line.detail))))


def _named(known: Detail, _: Titles) -> Sequence[str]:
    """Of what has no words of its own, the names and values."""
    rest = {name: _value(value) for name, value in known.items() if name not in _BECAUSE}
    return [f"{name.replace('_', ' ')}: {value}" for name, value in rest.items() if value]


def _because(known: Detail) -> str:
    why = next((str(known[name]).rstrip(".") for name in _BECAUSE if known.get(name)), "")
    return REFUSED.get(why, why)


def _value(value: JsonValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(filter(None, map(_value, value)))
        case dict():
            return ", ".join(_named(value, {}))
        case None:
            return ""
        case _:
            return str(value)


def _choice(known: Detail, _: Titles) -> Sequence[str]:
    choice = str(known.get("choice", "")).replace("_", " ")
    return (f"“{choice}”" if choice else "", _digest(known))


def _of_digest(known: Detail, _: Titles) -> Sequence[str]:
    return (_digest(known),)


def _digest(known: Detail) -> str:
    digest = str(known.get("digest", ""))
    return f"digest {digest[:12]}…" if digest else ""


def _kind(known: Detail, _: Titles) -> Sequence[str]:
    return (f"a {str(known['kind']).replace('_', ' ')}" if "kind" in known else "",)


def _person(known: Detail, _: Titles) -> Sequence[str]:
    return (_value(known.get("name")), f"role {known['role']}" if "role" in known else "")


def _account(known: Detail, titles: Titles) -> Sequence[str]:
    platform = str(known.get("platform", ""))
    return (f"{_value(known.get('account'))} on {titles.get(platform, platform)}",)


def _key(known: Detail, _: Titles) -> Sequence[str]:
    scopes = _value(known.get("scopes"))
    return (f"“{_value(known.get('name'))}”", f"for {scopes}" if scopes else "")


def _tries(known: Detail, _: Titles) -> Sequence[str]:
    return (_count(known.get("times"), "time"),)


def _settings(known: Detail, _: Titles) -> Sequence[str]:
    return (_value(known.get("names")),)


def _browser(known: Detail, _: Titles) -> Sequence[str]:
    browser = _value(known.get("browser"))
    return (f"with {browser}" if browser else "",)


def _sessions(known: Detail, _: Titles) -> Sequence[str]:
    return (_count(known.get("sessions"), "browser"),)


def _threshold(known: Detail, _: Titles) -> Sequence[str]:
    limit, tool, user, window, room = (_value(known.get(name)) for name in ("limit", "tool", "user", "window", "room"))
    return (
        f"{limit} calls of {tool or 'any tool'} by {user or 'any user'} in {window}",
        f"told in {room}" if room else "",
        "" if known.get("on") else "switched off",
    )


def _notice(known: Detail, titles: Titles) -> Sequence[str]:
    to, channel = _value(known.get("to")), str(known.get("channel", ""))
    return (f"to {to}" if to else "", f"on {titles.get(channel, channel)}" if channel else "")


def _removed(known: Detail, _: Titles) -> Sequence[str]:
    age = _value(known.get("older_than_days")).removesuffix(".0")
    return (_count(known.get("count"), "record"), f"older than {age} days" if age else "")


def _entries(known: Detail, _: Titles) -> Sequence[str]:
    return (f"{_count(known.get('entries'), 'entry', 'entries')} as they stood",)


def _copies(known: Detail, _: Titles) -> Sequence[str]:
    return (f"delivery {_value(known.get('delivery'))}", f"as {_value(known.get('as'))}")


def _count(count: JsonValue, one: str, more: str = "") -> str:
    return f"{count} {one}" if count == 1 else f"{count} {more or f'{one}s'}"


_DETAILS: Mapping[str, Callable[[Detail, Titles], Sequence[str]]] = {
    "interaction.decided": _choice,
    "interaction.approved_once": _choice,
    "interaction.consumed": _of_digest,
    "interaction.withdrawn": _kind,
    "interaction.expired": _kind,
    "interaction.undeliverable": _kind,
    "click.refused": _choice,
    "consume.refused": _of_digest,
    "delivery.sent_again": _copies,
    "notice.sent": _notice,
    "session.opened": _browser,
    "session.refused": _browser,
    "session.revoked": _sessions,
    "operator.added": _person,
    "operator.changed": _person,
    "operator.linked": _account,
    "operator.unlinked": _account,
    "key.created": _key,
    "key.revoked": _key,
    "key.refused": _tries,
    "settings.saved": _settings,
    "threshold.added": _threshold,
    "threshold.changed": _threshold,
    "threshold.removed": _threshold,
    "records.removed": _removed,
    "audit.anchored": _entries,
}
