"""One activity's turn: a click is answered at once, a message later, an installation is remembered."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ChannelAccount

from bot.channels import teams_answers as answers
from bot.channels.contract import TRY_AGAIN, Click, DeliveryError, Person
from bot.channels.teams_card import CARD
from bot.channels.teams_chat import TeamsChat
from bot.channels.teams_conversations import Member, Place, PlaceKind, member_of, without_thread
from bot.channels.teams_presence import Presence
from bot.store import StoreUnavailable
from renderers import adaptive_card

log = logging.getLogger(__name__)

CLICK = "adaptiveCard/action"
_MOST_NEWCOMERS = 20
_LONGEST_QUESTION = 0.7


class Turn(ActivityHandler):
    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    # ---- clicks ------------------------------------------------------------------------------------------------------

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        activity = turn_context.activity
        if activity.name != CLICK:
            return InvokeResponse(status=200)
        return InvokeResponse(status=200, body=await self._clicked(activity))

    async def _clicked(self, activity: Activity) -> dict[str, Any]:
        action = _chosen_by_hand(activity.value)
        click = await self._click(activity, action) if action is not None else None
        if click is None:
            return answers.error(400, "BadRequest", "This is not a button of ours.")
        # Whoever is gone before the answer still gets it: a decision is not torn in the middle.
        answer = await asyncio.shield(asyncio.ensure_future(self._presence.edge.desk.answer(click)))
        return answers.answered(answer, click.token)

    async def _click(self, activity: Activity, action: dict[str, Any]) -> Click | None:
        try:
            token, choice, inputs = adaptive_card.read_action(action)
        except (KeyError, TypeError, ValueError):
            return None
        return Click(token, choice, await self._person(activity), inputs) if token and choice else None

    async def _submitted(self, activity: Activity, click: Click) -> None:
        """The same click from a client that knows no Action.Execute: what it gets back is a message of its own."""
        answer = await self._presence.edge.desk.answer(click)
        card = answers.settled(answer, click.token)
        try:
            if card is not None and activity.reply_to_id:
                await self._replace(activity, card)
            else:
                await self._tell(activity, answer.words)
        except DeliveryError as error:
            log.warning("Teams: a click was not answered: %s", error.detail)

    async def _replace(self, activity: Activity, card: dict[str, Any]) -> None:
        message = {
            "type": "message",
            "from": {"id": self._presence.settings.bot},
            "attachments": [{"contentType": CARD, "content": card}],
        }
        await self._presence.connector.put(
            activity.service_url, activity.conversation.id, activity.reply_to_id, message
        )

    async def _tell(self, activity: Activity, words: str) -> None:
        """To the person alone, in their own chat, never in the room where they clicked."""
        place = _place(activity)
        if place.is_room:
            place = await self._presence.chat_with(_subject(activity))
        message = {"type": "message", "from": {"id": self._presence.settings.bot}, "textFormat": "plain", "text": words}
        await self._presence.connector.post(place.service_url, place.id, message)

    # ---- messages ----------------------------------------------------------------------------------------------------

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        activity = turn_context.activity
        if not str(activity.from_property.id).startswith("28:"):  # two bots would talk for ever
            self._presence.edge.spawn(self._hear(activity))

    async def _hear(self, activity: Activity) -> None:
        """Teams was answered before, so a person hears here where nothing came of it."""
        try:
            await self._said(activity)
        except StoreUnavailable as error:
            log.warning("Teams: a message came to nothing, as the database is unavailable: %s", error)
            await self._ask_again(activity)

    async def _ask_again(self, activity: Activity) -> None:
        try:
            await self._tell(activity, TRY_AGAIN)
        except (DeliveryError, StoreUnavailable) as error:
            log.warning("Teams: a person was not asked to try again: %s", error)

    async def _said(self, activity: Activity) -> None:
        await self._presence.welcome(_place(activity))
        if isinstance(activity.value, dict):
            click = await self._click(activity, activity.value)
            if click is not None:
                await self._submitted(activity, click)
            return
        text = heard(activity)
        if text:
            chat = TeamsChat(
                await self._person(activity),
                self._presence.connector,
                activity.service_url,
                activity.conversation.id,
                self._presence.settings.bot,
            )
            await self._presence.edge.talk.hear(text, chat)

    # ---- who ---------------------------------------------------------------------------------------------------------

    async def _person(self, activity: Activity) -> Person:
        """With the address that the tenant's roster gives, remembered from then on."""
        account = activity.from_property
        member = await self._presence.conversations.member(_subject(activity))
        if member is None or not member.id:
            member = await self._met(activity, account) or member
        subject = member.subject if member else _subject(activity) or str(account.id)
        return Person(
            "teams", subject, str(account.name or (member.name if member else "")), member.email if member else ""
        )

    async def _met(self, activity: Activity, account: ChannelAccount) -> Member | None:
        """The roster's word, unless it takes so long that somebody waits for their click."""
        try:
            async with asyncio.timeout(_LONGEST_QUESTION):
                entry = await self._presence.connector.member(
                    activity.service_url, without_thread(activity.conversation.id), str(account.id)
                )
        except (DeliveryError, TimeoutError) as error:
            log.warning("Teams: the roster did not say who somebody is: %s", error)
            return None
        member = member_of(entry, self._presence.settings.tenant, activity.service_url)
        return await self._presence.conversations.learn(member) if member else None

    # ---- installations -----------------------------------------------------------------------------------------------

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        await self._added(turn_context.activity)

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        await self._removed(turn_context.activity)

    async def on_members_added_activity(
        self, members_added: Sequence[ChannelAccount], turn_context: TurnContext
    ) -> None:
        activity = turn_context.activity
        if _has_bot(members_added, activity):
            await self._added(activity)
        elif members_added:
            self._presence.edge.spawn(self._learn_newcomers(activity, members_added[:_MOST_NEWCOMERS]))

    async def on_members_removed_activity(
        self, members_removed: Sequence[ChannelAccount], turn_context: TurnContext
    ) -> None:
        if _has_bot(members_removed, turn_context.activity):
            await self._removed(turn_context.activity)

    async def _added(self, activity: Activity) -> None:
        place = _place(activity)
        await self._presence.welcome(place)
        self._presence.edge.spawn(self._learn_roster(place))

    async def _removed(self, activity: Activity) -> None:
        await self._presence.farewell(_place(activity).id, _team(activity))

    async def _learn_roster(self, place: Place) -> None:
        try:
            await self._presence.learn_roster(place)
        except DeliveryError as error:
            log.warning("Teams: the roster was not read: %s", error.detail)

    async def _learn_newcomers(self, activity: Activity, accounts: Sequence[ChannelAccount]) -> None:
        for account in accounts:
            await self._met(activity, account)


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


def _chosen_by_hand(value: Any) -> dict[str, Any] | None:
    """The data of a button that a person pressed; what a client asks on its own decides nothing."""
    match value:
        case {"action": {"type": "Action.Execute", "verb": "answer", "data": dict(data)}}:
            return data if value.get("trigger") in {None, "manual"} else None
    return None


def _place(activity: Activity) -> Place:
    said, conversation = activity.conversation, without_thread(str(activity.conversation.id))
    try:
        kind = PlaceKind(said.conversation_type)
    except ValueError:
        kind = PlaceKind.GROUP if said.is_group else PlaceKind.PERSONAL
    service_url = activity.service_url.rstrip("/") + "/"
    match kind:
        case PlaceKind.PERSONAL:
            return Place(conversation, kind, service_url, owner=_subject(activity))
        case PlaceKind.CHANNEL:
            chosen = _dig(activity.channel_data, "settings", "selectedChannel", "id")
            return Place(str(chosen or conversation), kind, service_url, team=_team(activity))
        case PlaceKind.GROUP:
            return Place(conversation, kind, service_url)


def _subject(activity: Activity) -> str:
    return str(activity.from_property.aad_object_id or "").lower()


def _team(activity: Activity) -> str:
    return str(_dig(activity.channel_data, "team", "id") or "")


def _has_bot(members: Sequence[ChannelAccount], activity: Activity) -> bool:
    return any(member.id == _id(activity.recipient) for member in members)


def _id(account: ChannelAccount | None) -> str:
    return str(account.id) if account is not None else ""


def _dig(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
