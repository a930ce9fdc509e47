"""The requests that Slack makes of an app, field by field."""

import secrets
import uuid
from typing import Any

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Element, Message
from bot.rehearsal.slack_shapes import described, described_view
from bot.rehearsal.slack_state import Person, Room, SlackState, View
from bot.rehearsal.slack_text import escape


class Payloads:
    def __init__(self, state: SlackState) -> None:
        self.state = state

    def _common(self, kind: str, person: Person) -> Json:
        app = self.state.app
        return {
            "type": kind,
            "user": {
                "id": person.id, "username": person.username, "name": person.username, "team_id": person.team,
            },
            "api_app_id": app.app_id,
            "token": app.verification_token,
            "team": {"id": app.team_id, "domain": app.team_domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }  # fmt: skip

    def block_actions(
        self, room: Room, message: Message, element: Element, person: Person, chosen: Json | None = None
    ) -> Json:
        payload = self._common("block_actions", person)
        payload["container"] = self._container(room, message, element)
        payload["trigger_id"] = self.state.new_trigger(person.id)
        payload["channel"] = {"id": room.id, "name": room.name}
        if message.ephemeral_for is None:
            payload["message"] = described(message, self.state.app)
        payload["state"] = {"values": message.values.get(person.id, {})}
        payload["response_url"] = self.state.new_response_url(room, person.id, message)
        payload["actions"] = [self._action(element, chosen)]
        return payload

    def _container(self, room: Room, message: Message, element: Element) -> Json:
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": room.id,
            "is_ephemeral": message.ephemeral_for is not None,
        }
        if element.attachment is not None:
            container |= {"type": "message_attachment", "attachment_id": element.attachment, "is_app_unfurl": False}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        return container

    def _action(self, element: Element, chosen: Json | None) -> Json:
        action: Json = {"action_id": element.action_id, "block_id": element.block_id}
        if element.type == "button":
            action |= _kept(element.raw, "text", "value", "style", "url")
        else:
            action |= {"selected_option": chosen, **_kept(element.raw, "placeholder", "initial_option")}
        return {**action, "type": element.type, "action_ts": self.state.new_ts()}

    def view_submission(self, view: View, person: Person) -> Json:
        payload = self._common("view_submission", person)
        payload["trigger_id"] = self.state.new_trigger(person.id)
        return {**payload, "view": described_view(view, self.state.app), "response_urls": []}

    def view_closed(self, view: View, person: Person, cleared: bool) -> Json:
        payload = self._common("view_closed", person)
        return {**payload, "view": described_view(view, self.state.app), "is_cleared": cleared}

    def command(self, room: Room, person: Person, command: str, text: str) -> dict[str, str]:
        app = self.state.app
        return {
            "token": app.verification_token,
            "team_id": app.team_id,
            "team_domain": app.team_domain,
            "channel_id": room.id,
            "channel_name": room.name,
            "user_id": person.id,
            "user_name": person.username,
            "command": command,
            "text": text,
            "api_app_id": app.app_id,
            "is_enterprise_install": "false",
            "response_url": self.state.new_response_url(room, person.id, None),
            "trigger_id": self.state.new_trigger(person.id),
        }

    def message_event(self, room: Room, message: Message, person: Person, kind: str = "message") -> Json:
        return self.event_callback(self.said(room, message, person, kind), f"4-{secrets.token_hex(6)}")

    def message_changed(self, room: Room, message: Message, person: Person, before: Json) -> Json:
        event = {
            "type": "message",
            "subtype": "message_changed",
            "message": self.said(room, message, person, "message"),
            "previous_message": before,
            "channel": room.id,
            "hidden": True,
            "ts": self.state.new_ts(),
            "event_ts": self.state.new_ts(),
            "channel_type": "im" if room.is_im else "channel",
        }
        return self.event_callback(event, f"4-{secrets.token_hex(6)}")

    def said(self, room: Room, message: Message, person: Person, kind: str) -> Json:
        """A person's message as it stands now."""
        text = escape(message.text) if kind == "message" else message.text
        event: Json = {
            "client_msg_id": str(uuid.uuid4()),
            "type": kind,
            "text": text,
            "user": person.id,
            "ts": message.ts,
            "team": person.team,
            "blocks": [_rich_text(message.text)],
            "channel": room.id,
            "event_ts": message.ts,
        }
        if kind == "message":
            event["channel_type"] = "im" if room.is_im else "channel"
        if message.thread_ts:
            event["thread_ts"] = message.thread_ts
        if message.edited:
            event["edited"] = {"user": person.id, "ts": self.state.new_ts()}
        return event

    def event_callback(self, event: Json, context: str) -> Json:
        app = self.state.app
        bot = {
            "enterprise_id": None, "team_id": app.team_id, "user_id": app.bot_user_id, "is_bot": True,
            "is_enterprise_install": False,
        }  # fmt: skip
        return {
            "token": app.verification_token,
            "team_id": app.team_id,
            "context_team_id": app.team_id,
            "context_enterprise_id": None,
            "api_app_id": app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.state.new_id("Ev"),
            "event_time": int(self.state.clock()),
            "authorizations": [bot],
            "is_ext_shared_channel": False,
            "event_context": context,
        }

    def url_verification(self, challenge: str) -> Json:
        return {"token": self.state.app.verification_token, "challenge": challenge, "type": "url_verification"}


def _kept(raw: Json, *keys: str) -> Json:
    return {key: raw[key] for key in keys if key in raw}


def _rich_text(text: str) -> Json:
    section: dict[str, Any] = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": secrets.token_urlsafe(4), "elements": [section]}
