"""What an activity of Teams says: where it happened, who did it, and what was written or pressed."""

from collections.abc import Sequence
from typing import Any

from botbuilder.schema import Activity, ChannelAccount

from bot.channels.teams_conversations import Place, PlaceKind, without_thread
from renderers import adaptive_card


def heard(activity: Activity) -> str:
    """What a person wrote, without the mention of the bot that Teams puts in front of it."""
    text = activity.text if isinstance(activity.text, str) else ""
    for entity in activity.entities or []:
        said = entity.additional_properties
        mentioned = said.get("mentioned")
        ours = isinstance(mentioned, dict) and mentioned.get("id") == _id(activity.recipient)
        if entity.type == "mention" and ours and isinstance(said.get("text"), str) and said["text"]:
            text = text.replace(said["text"], "")
    return text.replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ").strip()


def chosen_by_hand(value: Any) -> dict[str, Any] | None:
    """The data of a button that a person pressed; what a client asks on its own decides nothing."""
    match value:
        case {"action": {"type": "Action.Execute", "verb": adaptive_card.VERB, "data": dict(data)}}:
            return data if value.get("trigger") in (None, "manual") else None
    return None


def place_of(activity: Activity) -> Place:
    said, conversation = activity.conversation, without_thread(str(activity.conversation.id))
    try:
        kind = PlaceKind(said.conversation_type)
    except ValueError:
        kind = PlaceKind.GROUP if said.is_group else PlaceKind.PERSONAL
    service_url = activity.service_url.rstrip("/") + "/"
    match kind:
        case PlaceKind.PERSONAL:
            return Place(conversation, kind, service_url, owner=subject_of(activity))
        case PlaceKind.CHANNEL:
            chosen = dig(activity.channel_data, "settings", "selectedChannel", "id")
            return Place(str(chosen or conversation), kind, service_url, team=team_of(activity))
        case PlaceKind.GROUP:
            return Place(conversation, kind, service_url)


def subject_of(activity: Activity) -> str:
    return str(activity.from_property.aad_object_id or "").lower()


def event_of(activity: Activity) -> str:
    """What happened to a channel or a team. Microsoft's pages write these words in two ways."""
    return str(dig(activity.channel_data, "eventType") or "").lower()


def channel_of(activity: Activity) -> str:
    """The channel that something happened to; the conversation is the team's then."""
    return str(dig(activity.channel_data, "channel", "id") or "")


def team_of(activity: Activity) -> str:
    return str(dig(activity.channel_data, "team", "id") or "")


def has_bot(members: Sequence[ChannelAccount], activity: Activity) -> bool:
    return any(member.id == _id(activity.recipient) for member in members)


def _id(account: ChannelAccount | None) -> str:
    return str(account.id) if account is not None else ""


def dig(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
