"""The manifest from which Slack makes the app: what it may do, and why, and where Slack calls."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

APPS = "https://api.slack.com/apps"
COLOUR = "#14548F"
DESCRIPTION = "Asks you in Slack when a gateway, an agent or a monitor needs a person."
LONG_DESCRIPTION = (
    "Gatebell rings you when a gateway, an agent or a monitor needs a person: an action was blocked, an agent wants to "
    "write, something broke. Decide with one click; the caller learns of it at once, and every copy of the message "
    "shows what was decided and by whom. It is run by your own organisation, and no server of others stands between it "
    "and Slack."
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One right: what it is for, what is lost without it, and the event of Slack's that comes with it."""

    scope: str
    purpose: str
    without: str
    event: str = ""


MINIMAL = (
    Grant(
        "chat:write",
        "Sends messages to people and to rooms that the bot was invited to, and brings them up to date.",
        "Nothing can be sent.",
    ),
    Grant(
        "users:read",
        "Sees who clicked, and that the person is a member of your workspace and neither guest nor bot.",
        "Nobody's click counts until an admin has tied their Slack id to them.",
    ),
    Grant(
        "users:read.email",
        "Finds a person by e-mail address, and knows an operator by it when they click.",
        "Nobody is found by e-mail address, so no direct message is sent.",
    ),
)
GRANTS = (
    *MINIMAL,
    Grant(
        "im:history",
        "Hears what people write to the bot in its own direct messages; other conversations stay closed to it.",
        "Buttons work, but nobody can write to the bot.",
        event="message.im",
    ),
    Grant(
        "app_mentions:read",
        "Hears what is said to the bot by name in rooms that it was invited to.",
        "In rooms the bot does not answer.",
        event="app_mention",
    ),
    Grant(
        "commands",
        "Brings the command /gatebell with help, pending and status, in every conversation.",
        "There is no /gatebell; the same words work in the bot's direct messages.",
    ),
)


class Unreachable(Exception):
    """Slack cannot call this address."""


@dataclass(frozen=True, slots=True)
class SlackApp:
    """`base_url` is where Slack calls; with `socket_mode` it may be empty. `minimal`: messages and buttons only."""

    base_url: str = ""
    socket_mode: bool = False
    minimal: bool = False
    name: str = "Gatebell"


def grants_of(app: SlackApp) -> tuple[Grant, ...]:
    return MINIMAL if app.minimal else GRANTS


def slack_manifest(app: SlackApp) -> dict[str, Any]:
    """Raises Unreachable, and ValueError for a name that Slack does not take."""
    if not 1 <= len(app.name) <= 35:
        raise ValueError(f"A Slack app's name has 1 to 35 characters, and {app.name!r} has {len(app.name)}.")
    url = {} if app.socket_mode else {"request_url": f"{_callable(app.base_url)}/slack/events"}
    grants = grants_of(app)
    events = [grant.event for grant in grants if grant.event]
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": app.name,
            "description": DESCRIPTION,
            "long_description": LONG_DESCRIPTION,
            "background_color": COLOUR,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": "message.im" not in events,
            },
            "bot_user": {"display_name": app.name, "always_online": True},
            **({} if app.minimal else {"slash_commands": [_command(url)]}),
        },
        "oauth_config": {"scopes": {"bot": [grant.scope for grant in grants]}},
        "settings": {
            **({"event_subscriptions": {**url, "bot_events": events}} if events else {}),
            "interactivity": {"is_enabled": True, **url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": app.socket_mode,
            # A rotated token would have to be fetched anew every twelve hours.
            "token_rotation_enabled": False,
        },
    }


def creation_link(manifest: dict[str, Any]) -> str:
    """Opens Slack's page for a new app with everything filled in."""
    compact = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    return f"{APPS}?new_app=1&manifest_json={quote(compact, safe='')}"


def _command(url: dict[str, str]) -> dict[str, Any]:
    return {
        "command": "/gatebell",
        "description": "See what waits for you",
        "usage_hint": "help | pending | status",
        "should_escape": False,
        **({"url": url["request_url"]} if url else {}),
    }


def _callable(base_url: str) -> str:
    try:
        parts = urlsplit(base_url.strip())
        host = parts.hostname or ""
    except ValueError:
        raise Unreachable("is no address") from None
    if parts.scheme != "https" or not host or parts.query or parts.fragment:
        raise Unreachable(f"is {base_url!r}, and Slack calls https:// addresses alone")
    if _is_private(host):
        raise Unreachable(f"is {base_url!r}, which only this machine or network can reach")
    return base_url.strip().rstrip("/")


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
