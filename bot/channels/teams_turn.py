"""One activity's turn: a click is answered at once, a message later, an installation is remembered."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ChannelAccount

from bot.channels import teams_answers as answers
from bot.channels.contract import TRY_AGAIN, Click, DeliveryError
from bot.channels.teams_activity import (
    channel_of,
    chosen_by_hand,
    event_of,
    has_bot,
    heard,
    place_of,
    subject_of,
    team_of,
)
from bot.channels.teams_card import CARD
from bot.channels.teams_chat import TeamsChat
from bot.channels.teams_conversations import Place
from bot.channels.teams_people import People
from bot.channels.teams_presence import Presence
from bot.store import StoreUnavailable
from renderers import adaptive_card

log = logging.getLogger(__name__)

CLICK = "adaptiveCard/action"
_MOST_NEWCOMERS = 20


class Turn(ActivityHandler):
    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._people = People(presence)

    # ---- clicks ------------------------------------------------------------------------------------------------------

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        activity = turn_context.activity
        if activity.name != CLICK:
            return InvokeResponse(status=200)
        return InvokeResponse(status=200, body=await self._clicked(activity))

    async def _clicked(self, activity: Activity) -> dict[str, Any]:
        action = chosen_by_hand(activity.value)
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
        return Click(token, choice, await self._people.person(activity), inputs) if token and choice else None

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
        place = place_of(activity)
        if place.is_room:
            place = await self._presence.chat_with(subject_of(activity))
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
        place = place_of(activity)
        await self._presence.welcome(place)
        if isinstance(activity.value, dict):
            click = await self._click(activity, activity.value)
            if click is not None:
                await self._submitted(activity, click)
            return
        text = heard(activity)
        if text or place.is_room:  # where Teams tells of it only if the bot was mentioned
            chat = TeamsChat(
                await self._people.person(activity),
                self._presence.connector,
                activity.service_url,
                activity.conversation.id,
                self._presence.settings.bot,
            )
            await self._presence.edge.talk.hear(text, chat)

    # ---- installations -----------------------------------------------------------------------------------------------

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        await self._added(turn_context.activity)

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        await self._removed(turn_context.activity)

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        activity = turn_context.activity
        channel, team = channel_of(activity), team_of(activity)
        match event_of(activity):
            case "channeldeleted":
                await self._presence.farewell(channel)
            case "teamdeleted" | "teamharddeleted":
                await self._presence.farewell("", team)
            case "channelrestored" if channel:
                await self._presence.restored(channel, team)
            case "teamrestored":
                await self._presence.restored("", team)
            case _:
                await super().on_conversation_update_activity(turn_context)

    async def on_members_added_activity(
        self, members_added: Sequence[ChannelAccount], turn_context: TurnContext
    ) -> None:
        activity = turn_context.activity
        if has_bot(members_added, activity):
            await self._added(activity)
        elif members_added:
            self._presence.edge.spawn(self._learn_newcomers(activity, members_added[:_MOST_NEWCOMERS]))

    async def on_members_removed_activity(
        self, members_removed: Sequence[ChannelAccount], turn_context: TurnContext
    ) -> None:
        if has_bot(members_removed, turn_context.activity):
            await self._removed(turn_context.activity)

    async def _added(self, activity: Activity) -> None:
        place = place_of(activity)
        await self._presence.welcome(place)
        self._presence.edge.spawn(self._learn_roster(place))

    async def _removed(self, activity: Activity) -> None:
        await self._presence.farewell(place_of(activity).id, team_of(activity))

    async def _learn_roster(self, place: Place) -> None:
        try:
            await self._presence.learn_roster(place)
        except DeliveryError as error:
            log.warning("Teams: the roster was not read: %s", error.detail)

    async def _learn_newcomers(self, activity: Activity, accounts: Sequence[ChannelAccount]) -> None:
        for account in accounts:
            await self._people.meet(activity, str(account.id))
