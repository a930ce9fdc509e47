"""Slack's Web API, the methods that a notifying bot calls, with their documented refusals."""

import copy
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Message
from bot.rehearsal.slack_rules import TEXT_CUT_AT, blocks_problem, view_problem
from bot.rehearsal.slack_shapes import (
    completed,
    completed_attachment,
    described,
    described_room,
    described_view,
    profile,
)
from bot.rehearsal.slack_state import Person, Room, SlackState, View

BURST = 5
ANY_OF = {
    "users.lookupByEmail": ("users:read.email",),
    "users.info": ("users:read",),
    "bots.info": ("users:read",),
    "conversations.open": ("im:write", "mpim:write", "channels:manage", "groups:write"),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.list": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.delete": ("chat:write",),
    "assistant.threads.setStatus": ("chat:write", "assistant:write"),
}
# The methods that read JSON; every other one finds no arguments in it.
JSON_METHODS = frozenset(
    [
        "api.test",
        "auth.test",
        "apps.connections.open",
        "assistant.threads.setStatus",
        "chat.delete",
        "chat.postEphemeral",
        "chat.postMessage",
        "chat.update",
        "conversations.open",
        "views.open",
        "views.push",
        "views.update",
    ]
)
JSON_ARGUMENTS = ("blocks", "attachments", "view", "metadata", "loading_messages")


class RefusedError(Exception):
    """`ok: false`, with Slack's code."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.answer: Json = {"ok": False, "error": code, **more}


class TooFastError(Exception):
    """HTTP 429."""


@dataclass(slots=True)
class Pace:
    """One message a second and conversation, with a short burst."""

    burst: int = BURST
    tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, room: str) -> None:
        now = time.monotonic()
        left, at = self.tokens.get(room, (float(self.burst), now))
        left = min(float(self.burst), left + now - at)
        if left < 1:
            self.tokens[room] = (left, now)
            raise TooFastError
        self.tokens[room] = (left - 1, now)


class SlackApi:
    """Answers one call; raises `RefusedError` or `TooFastError`."""

    def __init__(self, state: SlackState, limits: bool, socket_url: Callable[[], str]) -> None:
        self.state = state
        self.limits = limits
        self._pace = Pace()
        self._socket_url = socket_url
        self._methods: dict[str, Callable[[Json], Json]] = {
            "api.test": lambda given: {"args": given},
            "auth.test": self._auth_test,
            "apps.connections.open": lambda _: {"url": self._socket_url()},
            "users.lookupByEmail": self._lookup,
            "users.info": self._user,
            "bots.info": self._bot,
            "conversations.open": self._open,
            "conversations.info": self._info,
            "conversations.list": self._list,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._whisper,
            "views.open": self._open_view,
            "views.push": self._open_view,
            "views.update": self._update_view,
            "assistant.threads.setStatus": self._set_status,
        }

    def call(self, method: str, token: str, given: Json) -> Json:
        if method not in self._methods:
            raise RefusedError("unknown_method", req_method=method)
        if method != "api.test":
            self._check_token(method, token)
        return {"ok": True, **self._methods[method](_decoded(given))}

    def _check_token(self, method: str, token: str) -> None:
        app = self.state.app
        if not token:
            raise RefusedError("not_authed")
        if token not in {app.bot_token, app.app_token}:
            raise RefusedError("invalid_auth")
        if (token == app.app_token) != (method == "apps.connections.open"):
            raise RefusedError("not_allowed_token_type")
        needed = ANY_OF.get(method, ())
        if needed and not set(needed) & set(app.scopes):
            raise RefusedError("missing_scope", needed=",".join(needed), provided=",".join(app.scopes))

    def _auth_test(self, _: Json) -> Json:
        app = self.state.app
        return {
            "url": f"https://{app.team_domain}.slack.com/",
            "team": app.team_domain.title(),
            "user": app.bot_name,
            "team_id": app.team_id,
            "user_id": app.bot_user_id,
            "bot_id": app.bot_id,
            "is_enterprise_install": False,
        }

    def _lookup(self, given: Json) -> Json:
        person = self.state.by_email(given.get("email", ""))
        if person is None or person.id in self.state.deactivated:
            raise RefusedError("users_not_found")
        return {"user": self._profile(person)}

    def _user(self, given: Json) -> Json:
        person = self.state.people.get(given.get("user", ""))
        if person is None:
            raise RefusedError("user_not_found")
        return {"user": self._profile(person)}

    def _bot(self, given: Json) -> Json:
        app = self.state.app
        if given.get("bot") != app.bot_id:
            raise RefusedError("bot_not_found")
        bot = {"id": app.bot_id, "app_id": app.app_id, "user_id": app.bot_user_id, "name": app.bot_name}
        return {"bot": {**bot, "deleted": False, "updated": int(self.state.clock())}}

    def _profile(self, person: Person) -> Json:
        gone = person.id in self.state.deactivated
        return {**profile(person, self.state.app, self.state.clock()), "deleted": gone}

    def _open(self, given: Json) -> Json:
        ids = [each for each in str(given.get("users", "")).split(",") if each]
        if not ids and given.get("channel"):
            return {"channel": {"id": self._room(given).id}}
        if len(ids) != 1 or ids[0] not in self.state.people:
            raise RefusedError("user_not_found" if len(ids) == 1 else "not_supported_here")
        room = self.state.direct(self.state.people[ids[0]])
        return {"channel": {"id": room.id}, "no_op": bool(room.messages), "already_open": bool(room.messages)}

    def _info(self, given: Json) -> Json:
        return {"channel": described_room(self._room(given), self.state.app)}

    def _list(self, given: Json) -> Json:
        rooms = [described_room(room, self.state.app) for room in self.state.rooms.values() if not room.is_im]
        return {"channels": rooms, "response_metadata": {"next_cursor": ""}}

    def _room(self, given: Json, *, posting: bool = False) -> Room:
        room = self.state.room(str(given.get("channel") or ""))
        if room is None:
            raise RefusedError("channel_not_found")
        if posting and not room.with_bot and "chat:write.public" not in self.state.app.scopes:
            raise RefusedError("not_in_channel")
        return room

    def content(self, given: Json) -> tuple[str, list[Json], list[Json]]:
        blocks, attachments = given.get("blocks") or [], given.get("attachments") or []
        groups = [("blocks", blocks), *(("attachments", each.get("blocks") or []) for each in attachments)]
        for where, group in groups:
            if problem := blocks_problem(group):
                code = problem[0].replace("invalid_blocks", f"invalid_{where}")
                raise RefusedError(code, response_metadata={"messages": [f"[ERROR] {problem[1]}"]})
        text = str(given.get("text") or "")[:TEXT_CUT_AT]
        if not text and not blocks and not attachments:
            raise RefusedError("no_text")
        return text, completed(blocks), [completed_attachment(each) for each in attachments]

    def _post(self, given: Json) -> Json:
        room = self._room(given, posting=True)
        text, blocks, attachments = self.content(given)
        self._take_turn(room)
        thread = given.get("thread_ts")
        if thread and room.message(thread) is None:
            raise RefusedError("thread_not_found") if not room.is_im else RefusedError("message_not_found")
        message = Message(self.state.new_ts(), self.state.app.bot_user_id, text, blocks, attachments, thread)
        message.broadcast = bool(thread and given.get("reply_broadcast"))
        message.metadata = given.get("metadata")
        room.messages.append(message)
        room.status = ""
        return {"channel": room.id, "ts": message.ts, "message": described(message, self.state.app)}

    def _take_turn(self, room: Room) -> None:
        if self.limits:
            self._pace.take(room.id)

    def _holding(self, given: Json) -> Room:
        """The conversation of a message that lies there already; a person's id names none."""
        if given.get("channel") in self.state.people:
            raise RefusedError("channel_not_found")
        return self._room(given)

    def _update(self, given: Json) -> Json:
        room = self._holding(given)
        message = room.message(str(given.get("ts", "")))
        if message is None:
            raise RefusedError("message_not_found")
        if not message.from_bot:
            raise RefusedError("cant_update_message")
        text, blocks, attachments = self.content(given)
        message.text = text
        message.blocks = blocks
        if "attachments" in given or "blocks" in given:
            message.attachments = attachments
        message.edited += 1
        return {"channel": room.id, "ts": message.ts, "text": text, "message": described(message, self.state.app)}

    def _delete(self, given: Json) -> Json:
        room = self._holding(given)
        message = room.message(str(given.get("ts", "")))
        if message is None:
            raise RefusedError("message_not_found")
        if not message.from_bot:
            raise RefusedError("cant_delete_message")
        room.messages.remove(message)
        return {"channel": room.id, "ts": message.ts}

    def _whisper(self, given: Json) -> Json:
        room = self._room(given, posting=True)
        user = str(given.get("user") or "")
        if user not in room.members:
            raise RefusedError("user_not_in_channel")
        text, blocks, attachments = self.content(given)
        self._take_turn(room)
        thread = given.get("thread_ts")
        message = Message(self.state.new_ts(), self.state.app.bot_user_id, text, blocks, attachments, thread)
        message.ephemeral_for = user
        room.ephemerals[user].append(message)
        return {"message_ts": message.ts}

    def _checked_view(self, given: Json) -> Json:
        if problem := view_problem(given.get("view")):
            raise RefusedError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {problem}"]})
        view: Json = copy.deepcopy(given["view"])
        return {**view, "blocks": completed(view["blocks"])}

    def _open_view(self, given: Json) -> Json:
        trigger_id = str(given.get("trigger_id") or "")
        trigger = self.state.triggers.get(trigger_id)
        if trigger is None:
            raise RefusedError("invalid_trigger_id")
        if trigger.used:
            raise RefusedError("exchanged_trigger_id")
        if trigger.is_over:
            raise RefusedError("expired_trigger_id")
        content = self._checked_view(given)
        trigger.used = True
        view = View(self.state.new_id("V"), trigger.user, content, secrets.token_hex(6), trigger_id)
        self.state.views[view.id] = view
        return {"view": described_view(view, self.state.app)}

    def _update_view(self, given: Json) -> Json:
        view = self.state.views.get(str(given.get("view_id") or ""))
        if view is None or not view.open:
            raise RefusedError("not_found")
        if given.get("hash") and given["hash"] != view.hash:
            raise RefusedError("hash_conflict")
        self.show(view, self._checked_view(given))
        return {"view": described_view(view, self.state.app)}

    def show(self, view: View, content: Json) -> None:
        view.content = content
        view.hash = secrets.token_hex(6)
        view.errors = {}

    def updated_view(self, view: View, content: Json) -> None:
        """The view that an app gave in its answer to a submission."""
        self.show(view, self._checked_view({"view": content}))

    def _set_status(self, given: Json) -> Json:
        room = self.state.room(str(given.get("channel_id") or ""))
        if room is None:
            raise RefusedError("channel_not_found")
        if not given.get("thread_ts"):
            raise RefusedError("invalid_arguments")
        if room.message(str(given["thread_ts"])) is None:
            raise RefusedError("invalid_thread_ts")
        room.status = str(given.get("status") or "")
        room.status_at = self.state.clock()
        room.statuses.append(room.status)
        return {}


def _decoded(given: Json) -> Json:
    """Forms carry structures as JSON text."""
    return {key: _loads(key, value) if key in JSON_ARGUMENTS else value for key, value in given.items()}


def _loads(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise RefusedError("invalid_blocks_format" if key == "blocks" else "invalid_arguments") from None
