"""What the doctor asks about Slack: each line with its cause and its mend."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.channels.contract import CHECK_SECONDS, Check, DeliveryError, Reason
from bot.channels.slack_fields import APPS, FIELDS
from bot.channels.slack_web import Reply, Web

_MENDS: Mapping[str, str] = {each.name: each.mend for each in FIELDS}
SENDING = ("chat:write", "users:read", "users:read.email")
CHATTING = ("im:history",)


async def checks(settings: Mapping[str, str], sending: Web, listening: Web | None) -> Sequence[Check]:
    """`listening` is the Web API with the app-level token, where Socket Mode is used."""
    if not settings.get("SLACK_BOT_TOKEN"):
        return (Check("Bot token", False, "SLACK_BOT_TOKEN is empty.", _MENDS["SLACK_BOT_TOKEN"]),)
    token, way_in = await asyncio.gather(_token(sending), _way_in(settings, listening))
    return (*token, *way_in) if token[0].ok else token


async def _token(web: Web) -> Sequence[Check]:
    reply = await _asked(web, "auth.test")
    if isinstance(reply, DeliveryError):
        return (_refused("Bot token", "SLACK_BOT_TOKEN", reply),)
    granted = reply.headers.get("x-oauth-scopes")
    return (Check("Bot token", True), *(_scope_checks(granted) if granted is not None else ()))


async def _way_in(settings: Mapping[str, str], listening: Web | None) -> Sequence[Check]:
    """What has to be set for clicks to come in; whether they do, only clicks can tell."""
    if listening is None:
        return (_secret(settings),)
    reply = await _asked(listening, "apps.connections.open")
    if isinstance(reply, DeliveryError):
        return (_refused("Socket Mode", "SLACK_APP_TOKEN", reply),)
    return (Check("Socket Mode", True),)


def _secret(settings: Mapping[str, str]) -> Check:
    if settings.get("SLACK_SIGNING_SECRET"):
        return Check("Clicks", True, "SLACK_SIGNING_SECRET is set; whether it is right, only Slack's calls tell")
    with_address, without = _MENDS["SLACK_SIGNING_SECRET"], _MENDS["SLACK_APP_TOKEN"]
    cause = "Buttons cannot answer: neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set."
    return Check("Clicks", False, cause, f"With a public address: {with_address} Without one: {without}")


async def _asked(web: Web, method: str) -> Reply | DeliveryError:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await web.ask(method, {})
    except DeliveryError as error:
        return error
    except TimeoutError:
        return DeliveryError(Reason.TIMED_OUT, f"{method}: Slack did not answer within {CHECK_SECONDS:.0f} seconds")


def _refused(name: str, setting: str, error: DeliveryError) -> Check:
    """A token that Slack refuses is to be copied again; where Slack did not answer, the token may be right."""
    if error.reason.passes:
        mend = "Let this server reach Slack: look at SLACK_API_URL, and at the firewall and the proxy on the way."
        return Check(name, False, error.detail, mend)
    return Check(name, False, error.detail, _MENDS[setting])


def _scope_checks(granted: str) -> Sequence[Check]:
    scopes = set(granted.replace(" ", "").split(","))
    return (
        _scope_check("Scopes for messages", SENDING, scopes),
        _scope_check("Scopes for chat", CHATTING, scopes, needed_by_all=False),
    )


def _scope_check(name: str, needed: Sequence[str], granted: set[str], *, needed_by_all: bool = True) -> Check:
    """An app for messages and buttons alone is well without what only chat needs; its owner may want to know."""
    lacking = [scope for scope in needed if scope not in granted]
    if not lacking:
        return Check(name, True)
    return Check(
        name,
        not needed_by_all,
        f"The app lacks {', '.join(lacking)}.",
        f"{APPS} → your app → OAuth & Permissions → Bot Token Scopes, then install the app again.",
    )


def when_silent(base_url: str, *, socket: bool) -> str:
    """What an owner can do where no click comes in."""
    switch = f"{APPS} → your app → Interactivity & Shortcuts: switch Interactivity on"
    if socket:
        return f"{switch}; and under Socket Mode switch that on too."
    return (
        f"{switch}, give it the Request URL {base_url}/slack/events, and press Save Changes. That address must be one "
        "that Slack can call: where it is not, use Socket Mode."
    )
