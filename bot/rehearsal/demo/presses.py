"""What people do in the panes, sent to the server by their platform, signed as the platform signs."""

import json
from collections.abc import Mapping
from typing import Any

from bot.rehearsal.delivery import Delivery
from bot.rehearsal.demo.cast import ANA, in_teams
from bot.rehearsal.demo.runs import Runs, span
from bot.rehearsal.demo.stage import Stage
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Message
from bot.rehearsal.teams_card import CardButton

AWAY = {502, 503}  # what the front door and a server that stops answer


class Presses:
    """Each answers with what the platform would say to the person, "" for nothing. Raises LookupError."""

    def __init__(self, stage: Stage, runs: Runs) -> None:
        self._stage = stage
        self._runs = runs

    async def slack_click(self, message_id: str, action: str, option: str = "") -> str:
        conversation = self._stage.slack.dm(ANA.email)
        message = self._slack_message(message_id)
        label = next((each.label for each in message.elements if each.action_id == action), action)
        if option:
            pressed = await conversation.choose(option, menu=action, message=message)
            label = next(_labels(message, action, option), option)
        else:
            pressed = await conversation.click(action, message=message)
        return self._sent("slack", f"{ANA.first} pressed “{label}” in Slack", pressed.delivery, message_id)

    async def slack_submit(self, view: str, answers: Mapping[str, str]) -> str:
        modal = next((each for each in self._stage.slack.modals(ANA.email) if each.view.id == view), None)
        if modal is None:
            raise LookupError("this window is closed")
        submitted = await modal.fill({name: answer for name, answer in answers.items() if answer}).submit()
        self._stage.slack.changed()
        if submitted.delivery is None:
            return ""
        return self._sent("slack", f"{ANA.first} sent the window “{modal.title}” in Slack", submitted.delivery)

    async def slack_close(self, view: str) -> str:
        for modal in self._stage.slack.modals(ANA.email):
            if modal.view.id == view:
                await modal.close()
        return ""

    async def slack_say(self, text: str) -> str:
        for delivery in await self._stage.slack.dm(ANA.email).say(text):
            self._sent("slack", f"{ANA.first} wrote to the bot in Slack", delivery, stray=True)
        return ""

    async def teams_click(self, who: str, message_id: str, verb: str, chosen: Mapping[str, Any]) -> str:
        """`chosen` is what the card's renderer hands out: the action's own values and the inputs in one."""
        player = in_teams(who)
        chat = self._stage.teams.chat(player.email)
        post = next((each for each in chat.messages if each.id == message_id), None)
        if post is None:
            raise LookupError("this message is not there any more")
        button = _pressed(post.buttons(chat.owner), verb, chosen)
        known = {each["id"] for each in button.inputs}
        inputs = {name: value for name, value in chosen.items() if name in known}
        pressed = await chat.click(button.label, inputs, message=post)
        if pressed.delivery is None:
            return " ".join(pressed.blocked.values())
        words = self._sent("teams", f"{player.first} pressed “{button.label}” in Teams", pressed.delivery, message_id)
        return words or pressed.notice or pressed.error or ""

    async def teams_say(self, who: str, text: str) -> str:
        player = in_teams(who)
        delivery = await self._stage.teams.chat(player.email).say(text)
        return self._sent("teams", f"{player.first} wrote to the bot in Teams", delivery, stray=True)

    def _slack_message(self, message_id: str) -> Message:
        conversation = self._stage.slack.dm(ANA.email)
        for message in [*conversation.messages, *conversation.ephemerals]:
            if message.ts == message_id:
                return message
        raise LookupError("this message is not there any more")

    def _sent(self, channel: str, text: str, delivery: Delivery, thing: str = "", *, stray: bool = False) -> str:
        at = self._stage.slack.clock() - delivery.ack_ms / 1000
        if delivery.acknowledged:
            how = f"signed request, acknowledged in {span(delivery.ack_ms)}"
            self._runs.see("press", channel, text, how, at=at, thing=thing, stray=stray)
            return ""
        why = f"answered {delivery.status}" if delivery.status else "gave no answer in time"
        self._runs.see("fail", channel, text, f"the server {why}", at=at, thing=thing, stray=stray)
        if delivery.status in AWAY or delivery.reason.startswith("connection_failed"):
            return "The server is just coming back. Press again."
        return f"Your answer did not get through: the server {why}. Please press again."


def _labels(message: Message, action: str, option: str) -> Any:
    for element in message.elements:
        if element.action_id == action and element.options:
            yield str(element.option(option)["text"]["text"])


def _pressed(buttons: list[CardButton], verb: str, chosen: Mapping[str, Any]) -> CardButton:
    """The button whose own values are all among what was handed out."""
    for button in buttons:
        own: Json = button.raw.get("data") or {}
        asks = button.type in {"Action.Execute", "Action.Submit"}
        if asks and (button.verb or "") == verb and all(chosen.get(name) == value for name, value in own.items()):
            return button
    raise LookupError(f"the card has no button for {json.dumps(dict(chosen))[:200]}")
