"""What Slack says of its people, conversations, messages and views when asked or when it tells an app."""

import copy
import secrets

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Message
from bot.rehearsal.slack_rules import elements_of
from bot.rehearsal.slack_state import Person, Room, SlackApp, View


def profile(person: Person, app: SlackApp, now: float) -> Json:
    profile = {"real_name": person.name, "display_name": person.name.split()[0], "team": person.team}
    if "users:read.email" in app.scopes:
        profile["email"] = person.email
    return {
        "id": person.id, "team_id": person.team, "name": person.username, "deleted": False,
        "real_name": person.name, "tz": person.tz, "tz_label": "", "tz_offset": 0, "profile": profile,
        "is_admin": False, "is_owner": False, "is_restricted": False, "is_ultra_restricted": False,
        "is_bot": False, "is_app_user": False, "is_email_confirmed": True, "updated": int(now),
    }  # fmt: skip


def described_room(room: Room, app: SlackApp) -> Json:
    common = {"id": room.id, "created": 0, "is_im": room.is_im, "context_team_id": app.team_id}
    if room.is_im:
        return {**common, "user": room.members[0], "is_org_shared": False}
    return {
        **common, "name": room.name, "name_normalized": room.name, "is_channel": True, "is_group": False,
        "is_private": False, "is_archived": False, "is_member": room.with_bot, "num_members": len(room.members),
    }  # fmt: skip


def described(message: Message, app: SlackApp) -> Json:
    """The message as Slack gives it back and as it lies in a click."""
    shape: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    shape["team"] = app.team_id
    if message.from_bot:
        shape |= {"bot_id": app.bot_id, "app_id": app.app_id}
    if message.blocks:
        shape["blocks"] = copy.deepcopy(message.blocks)
    if message.attachments:
        shape["attachments"] = [
            {"id": place, "fallback": "[no preview available]", **copy.deepcopy(each)}
            for place, each in enumerate(message.attachments, 1)
        ]
    if message.thread_ts:
        shape["thread_ts"] = message.thread_ts
    if message.broadcast:
        shape["subtype"] = "thread_broadcast"
    if message.metadata:
        shape["metadata"] = message.metadata
    if message.edited:
        shape["edited"] = {"user": message.user, "ts": message.ts}
    return shape


def described_view(view: View, app: SlackApp) -> Json:
    return {
        "id": view.id, "team_id": app.team_id, "app_id": app.app_id, "app_installed_team_id": app.team_id,
        "bot_id": app.bot_id, "private_metadata": "", "callback_id": "", "clear_on_close": False,
        "notify_on_close": False, "external_id": "", "close": None, "submit": None, "previous_view_id": None,
        **copy.deepcopy(view.content), "hash": view.hash, "root_view_id": view.id,
        "state": {"values": copy.deepcopy(view.filled)},
    }  # fmt: skip


def completed_attachment(attachment: Json) -> Json:
    blocks = attachment.get("blocks")
    return {**attachment, "blocks": completed(blocks)} if blocks else attachment


def completed(blocks: list[Json]) -> list[Json]:
    """Slack gives every block and every element an id where the sender gave none."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            if block["type"] != "rich_text":
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks
