"""The activities that Teams sends to a bot, field by field."""

import html
import uuid
from datetime import UTC, datetime

from bot.rehearsal.platform import Json
from bot.rehearsal.teams_state import Posted, Scope, TeamsPerson, TeamsState, Thread

CLIENT = {"locale": "en-US", "country": "US", "platform": "Web", "timezone": "Europe/Berlin", "type": "clientInfo"}


class Activities:
    def __init__(self, state: TeamsState) -> None:
        self.state = state

    def _common(self, kind: str, thread: Thread, person: TeamsPerson) -> Json:
        app = self.state.app
        return {
            "type": kind,
            "id": f"f:{uuid.uuid4()}",
            "timestamp": f"{datetime.fromtimestamp(self.state.clock(), UTC):%FT%T.%f}"[:-3] + "Z",
            "serviceUrl": self.state.service_url,
            "channelId": "msteams",
            "from": {"id": person.id, "name": person.name, "aadObjectId": person.aad_object_id},
            "conversation": self._conversation(thread),
            "recipient": {"id": app.bot_id, "name": app.name},
            "channelData": {"tenant": {"id": app.tenant_id}},
        }

    def _conversation(self, thread: Thread) -> Json:
        account: Json = {"conversationType": str(thread.scope), "tenantId": self.state.app.tenant_id, "id": thread.id}
        if thread.scope is not Scope.PERSONAL:
            account |= {"isGroup": True}
        if thread.scope is Scope.CHANNEL:
            account |= {"name": thread.name}
        return account

    def installation(self, thread: Thread, person: TeamsPerson, action: str) -> Json:
        """`action` is add, remove, add-upgrade or remove-upgrade."""
        activity = self._common("installationUpdate", thread, person)
        activity["from"].pop("name")
        activity |= {"locale": "en-US", "entities": [{"type": "clientInfo", "locale": "en-US"}], "action": action}
        activity["channelData"] |= {"settings": {"selectedChannel": {"id": thread.id}}, "source": {"name": "message"}}
        if thread.scope is Scope.CHANNEL:
            activity["channelData"] |= {"channel": {"id": thread.id}, "team": _team(thread)}
        return activity

    def membership(self, thread: Thread, person: TeamsPerson, *, added: bool) -> Json:
        """The bot came or went; personal chats name the person as well. A team tells of its going as a whole."""
        activity = self._common("conversationUpdate", thread, person)
        activity["from"].pop("name")
        members = [{"id": self.state.app.bot_id}]
        if thread.scope is Scope.PERSONAL:
            members.append({"id": person.id, "aadObjectId": person.aad_object_id})
        activity["membersAdded" if added else "membersRemoved"] = members
        if thread.scope is not Scope.CHANNEL:
            return activity
        if not added:
            return self._of_team(activity, thread, "teamMemberRemoved")
        channel = {"settings": {"selectedChannel": {"id": thread.id}}, "team": _team(thread)}
        activity["channelData"] |= {**channel, "eventType": "teamMemberAdded"}
        return activity

    def newcomer(self, thread: Thread, person: TeamsPerson) -> Json:
        """A person came to the team or group."""
        activity = self._common("conversationUpdate", thread, person)
        activity["membersAdded"] = [{"id": person.id, "aadObjectId": person.aad_object_id}]
        return self._of_team(activity, thread, "teamMemberAdded") if thread.scope is Scope.CHANNEL else activity

    def happened(self, thread: Thread, person: TeamsPerson, event: str) -> Json:
        """What became of a channel or a team, such as channelDeleted or teamRestored."""
        activity = self._common("conversationUpdate", thread, person)
        if event.startswith("channel"):
            activity["channelData"]["channel"] = {"id": thread.id, "name": thread.name}
        return self._of_team(activity, thread, event)

    def _of_team(self, activity: Json, thread: Thread, event: str) -> Json:
        """Whatever does not begin in a chosen channel bears the team's id as that of the conversation."""
        activity["conversation"] |= {"id": thread.team_id}
        activity["channelData"] |= {"team": _team(thread), "eventType": event}
        return activity

    def message(self, thread: Thread, person: TeamsPerson, text: str, reply_to: Posted | None) -> Json:
        activity = self._spoken("message", thread, person)
        mention = f"<at>{self.state.app.name}</at> " if thread.scope is not Scope.PERSONAL else ""
        activity |= {"textFormat": "plain", "text": f"{mention}{text}"}
        content = f"<div><div>{html.escape(text)}</div>\n</div>"
        activity["attachments"] = [{"contentType": "text/html", "content": content}]
        if mention:
            bot = {"id": self.state.app.bot_id, "name": self.state.app.name}
            activity["entities"].append({"type": "mention", "mentioned": bot, "text": mention.strip()})
        if reply_to is not None:
            activity["replyToId"] = reply_to.id
        return activity

    def submit(self, thread: Thread, person: TeamsPerson, post: Posted, value: Json) -> Json:
        activity = self._on_card("message", thread, person, post)
        activity["value"] = value
        return activity

    def execute(self, thread: Thread, person: TeamsPerson, post: Posted, action: Json, data: Json) -> Json:
        activity = self._on_card("invoke", thread, person, post)
        kept: Json = {key: action[key] for key in ("title", "verb") if key in action}
        sent = {"type": "Action.Execute", **kept, "id": action.get("id", ""), "data": data}
        activity["name"] = "adaptiveCard/action"
        activity["value"] = {"action": sent, "trigger": "manual"}
        return activity

    def refresh(self, thread: Thread, person: TeamsPerson, post: Posted, action: Json) -> Json:
        """What a client asks on its own when it shows a card with `refresh`."""
        activity = self.execute(thread, person, post, action, action.get("data", {}))
        del activity["value"]["trigger"]
        return activity

    def _spoken(self, kind: str, thread: Thread, person: TeamsPerson) -> Json:
        activity = self._common(kind, thread, person)
        activity |= {"localTimestamp": activity["timestamp"], "locale": "en-US", "entities": [dict(CLIENT)]}
        if kind == "message":
            activity["id"] = self.state.new_activity_id()
        if thread.scope is Scope.CHANNEL:
            activity["channelData"] |= {"channel": {"id": thread.id}, "team": _team(thread)}
        return activity

    def _on_card(self, kind: str, thread: Thread, person: TeamsPerson, post: Posted) -> Json:
        activity = self._spoken(kind, thread, person)
        root = post.activity.get("replyToId", post.id)
        if thread.scope is Scope.CHANNEL:
            activity["conversation"]["id"] = f"{thread.id};messageid={root}"
        activity["channelData"] |= {"source": {"name": "message"}, "legacy": {"replyToId": f"1:{post.id}"}}
        return {**activity, "replyToId": post.id}


def _team(thread: Thread) -> Json:
    return {"aadGroupId": thread.aad_group_id, "name": thread.team, "id": thread.team_id}
