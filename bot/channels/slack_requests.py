"""Reading what Slack sends: is it signed, and what does it say."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.channels.slack_fields import APPS
from bot.channels.way_in import Doubt

Json = dict[str, Any]

LARGEST = 1024 * 1024
TOLERANCE = 300.0  # Slack: Verifying requests from Slack
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_CLICKS = frozenset({"block_actions", "view_submission"})
_OWN_WORDS = (None, "file_share", "thread_broadcast")
_MEND_SECRET = f"Copy it again: {APPS} → your app → Basic Information → App Credentials → Signing Secret."
_MEND_CLOCK = "Switch time synchronisation (NTP) on; Slack's requests count for five minutes."


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something was pressed or said."""

    place: str = ""
    message: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button or an entry of the picker. Without a choice, the whole request is wanted."""

    token: str
    choice: str


def is_signed(raw: bytes, stamp: str, signature: str, secret: bytes, at: float) -> bool:
    """Slack signs with the real time, so it is held against the real time, whatever the product's clock says."""
    if not secret or not _is_stamp(stamp) or abs(at - int(stamp)) > TOLERANCE:
        return False
    return _fits(raw, stamp, signature, secret)


def doubt_about(raw: bytes, stamp: str, signature: str, secret: bytes, at: float) -> Doubt | None:
    """What is wrong with the signature of a refused request; nothing where there is none, for that may be anybody."""
    if not _is_stamp(stamp) or not _SIGNATURE.fullmatch(signature):
        return None
    if _fits(raw, stamp, signature, secret):
        off = at - int(stamp)
        when = "old" if off > 0 else "ahead of its time"
        return Doubt(f"by this machine's clock the signature is {abs(off) / 60:.0f} minutes {when}", _MEND_CLOCK)
    return Doubt("SLACK_SIGNING_SECRET is wrong, Slack signs with another one", _MEND_SECRET)


def _is_stamp(stamp: str) -> bool:
    return stamp.isdecimal() and len(stamp) <= 12


def _fits(raw: bytes, stamp: str, signature: str, secret: bytes) -> bool:
    right = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode("utf-8", "surrogateescape"))


def parsed(raw: bytes, content_type: str) -> Json | None:
    """The request as an object: JSON, a form, or JSON in a form's `payload`."""
    try:
        text = raw.decode()
        if content_type == "application/json":
            body = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True))
            body = json.loads(form["payload"]) if "payload" in form and "command" not in form else form
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body else None


def is_whole(body: Json) -> bool:
    """Whether a click or a submitted window has what Slack promises of one; bolt and this program rely on it.

    https://docs.slack.dev/reference/interaction-payloads
    """
    match body:
        case {"type": "block_actions", "user": {"id": str()}, "actions": [{"action_id": str()}, *rest]}:
            return all(isinstance(each, dict) for each in rest)
        case {
            "type": "view_submission",
            "user": {"id": str()},
            "view": {"type": str(), "callback_id": str(), "state": dict()},
        }:
            return True
    return body.get("type") not in _CLICKS


async def bounded(request: web.Request) -> bytes:
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST, len(raw))
    return bytes(raw)


def pressed_in(action: Json) -> Pressed | None:
    """Nothing where a button only opened an address, or is not ours."""
    action_id, value = str(action.get("action_id") or ""), str(action.get("value") or "")
    if action_id == "review":
        return Pressed(value, "")
    if action_id.startswith("choice:"):
        return Pressed(value, action_id.removeprefix("choice:"))
    if action_id == "pick":
        chosen = str((action.get("selected_option") or {}).get("value") or "")
        return Pressed(str(action.get("block_id") or "").removeprefix("t:"), chosen) if chosen else None
    return None


def team_of(body: Json) -> str:
    """The workspace of a request; an organisation's where it names no workspace."""
    team = body.get("team")
    named = str(team.get("id") or "") if isinstance(team, dict) else str(body.get("team_id") or "")
    return named or organisation_of(body)


def organisation_of(body: Json) -> str:
    """The organisation to which the workspace of a request belongs."""
    enterprise = body.get("enterprise")
    return str((enterprise.get("id") if isinstance(enterprise, dict) else body.get("enterprise_id")) or "")


def user_of(body: Json) -> str:
    """Who pressed, typed or wrote."""
    user, event = body.get("user"), body.get("event")
    if isinstance(user, dict):
        return str(user.get("id") or "")
    return str((event.get("user") if isinstance(event, dict) else body.get("user_id")) or "")


def spot_of(body: Json) -> Spot:
    event = body.get("event")
    if isinstance(event, dict):
        return Spot(str(event.get("channel") or ""), thread=str(event.get("thread_ts") or ""))
    container = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id")
    # An ephemeral message cannot be updated.
    message = "" if container.get("is_ephemeral") else container.get("message_ts")
    return Spot(str(channel or ""), str(message or ""), _thread_alone(container, body.get("message") or {}))


def _thread_alone(container: Json, clicked: Json) -> str:
    """The thread of a message that stands nowhere else; who clicks in the channel may not have the thread open."""
    thread = str(container.get("thread_ts") or "")
    in_channel = thread == container.get("message_ts") or clicked.get("subtype") == "thread_broadcast"
    return "" if in_channel else thread


def is_click(body: Json) -> bool:
    return body.get("type") in _CLICKS


def is_said(event: Json) -> bool:
    """A person's own words to the bot, with a file or without: not an edit, not another bot."""
    if event.get("bot_id") or event.get("subtype") not in _OWN_WORDS or not isinstance(event.get("user"), str):
        return False
    kind = event.get("type")
    return kind == "app_mention" or (kind == "message" and event.get("channel_type") == "im")
