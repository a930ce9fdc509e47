"""Slack's settings, and what is said about a value that cannot be right."""

import re

from yarl import URL

from bot.channels.contract import Field

API_URL = "https://slack.com/api/"
APPS = "https://api.slack.com/apps"


def _bot_token(value: str) -> str:
    value = _secret(value)
    if value.startswith("xapp-"):
        raise ValueError("This is an app-level token: it belongs in SLACK_APP_TOKEN. The bot token begins with xoxb-.")
    if value.startswith("xoxp-"):
        raise ValueError("This is a user's token. The bot token begins with xoxb-.")
    if not value.startswith("xoxb-"):
        raise ValueError("A bot token begins with xoxb-.")
    return value


def _app_token(value: str) -> str:
    value = _secret(value)
    if not value.startswith("xapp-"):
        raise ValueError("An app-level token begins with xapp-; it is not the bot token.")
    return value


def _signing_secret(value: str) -> str:
    value = _secret(value)
    if value.startswith(("xoxb-", "xoxp-", "xapp-")):
        raise ValueError("This is a token. The signing secret is 32 characters of 0-9 and a-f.")
    if len(value) < 16:
        raise ValueError("This is too short for a signing secret, which is 32 characters of 0-9 and a-f.")
    return value


def _secret(value: str) -> str:
    value = value.strip()
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError(
            "There is a space or a strange character in it: copy it again, from the first to the last sign."
        )
    return value


def _channel(value: str) -> str:
    value = value.strip()
    if not re.fullmatch(r"#?[^\s#@<>,]{1,80}", value):
        raise ValueError("A channel is its id, such as C0123456789, or its name with a #, such as #alerts.")
    return value


def _api_url(value: str) -> str:
    try:
        url = URL(value.strip())
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.fragment:
        raise ValueError(f"This is no address. Slack's own is {API_URL}.")
    if url.scheme == "http" and url.host not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError("The bot token would travel unencrypted: the address must begin with https://.")
    return f"{str(url).rstrip('/')}/"


FIELDS = (
    Field(
        "SLACK_BOT_TOKEN",
        "Bot User OAuth Token: sends messages and finds people by e-mail address",
        secret=True,
        required=True,
        aliases=("MCP_ALERT_SLACK_TOKEN",),
        check=_bot_token,
        mend=f"{APPS} → your app → OAuth & Permissions → Bot User OAuth Token (xoxb-…).",
        channel="slack",
    ),
    Field(
        "SLACK_SIGNING_SECRET",
        "Signing Secret: proves that clicks and messages come from Slack",
        secret=True,
        check=_signing_secret,
        mend=f"{APPS} → your app → Basic Information → App Credentials → Signing Secret.",
        channel="slack",
    ),
    Field(
        "SLACK_APP_TOKEN",
        "App-level token for Socket Mode: clicks without a public address",
        secret=True,
        check=_app_token,
        mend=f"{APPS} → your app → Basic Information → App-Level Tokens, with connections:write (xapp-…).",
        channel="slack",
    ),
    Field(
        "SLACK_CHANNEL",
        "The room for notices that are meant for a room",
        aliases=("MCP_ALERT_SLACK_CHANNEL",),
        check=_channel,
        mend="Open the channel's details and copy its id; invite the bot with /invite.",
        channel="slack",
        room=True,
    ),
    Field(
        "SLACK_API_URL",
        "Slack's Web API; another one for government clouds and rehearsals",
        default=API_URL,
        check=_api_url,
        mend=f"Leave it empty for {API_URL}.",
        channel="slack",
    ),
)
