"""A Slack conversation as people see it, and what they can do in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bot.rehearsal.delivery import Delivery
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_message import Element, Message
from bot.rehearsal.slack_modal import Modal
from bot.rehearsal.slack_state import Person, Room

if TYPE_CHECKING:
    from bot.rehearsal.slack import SlackWorkspace

T = TypeVar("T")
STATUS_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came of a click: the app's answer, and the modal that it opened with the click's trigger."""

    workspace: "SlackWorkspace"
    delivery: Delivery
    trigger_id: str
    url: str | None = None

    @property
    def status(self) -> int | None:
        return self.delivery.status

    @property
    def body(self) -> Any:
        return self.delivery.body

    @property
    def ack_ms(self) -> float:
        return self.delivery.ack_ms

    @property
    def acknowledged(self) -> bool:
        return self.delivery.acknowledged

    @property
    def modal(self) -> Modal | None:
        views = self.workspace.state.views.values()
        return next((Modal(self.workspace, view) for view in views if view.trigger_id == self.trigger_id), None)

    async def wait_for_modal(self, within: float = 3.0) -> Modal:
        """An app may acknowledge first and open the modal within the next three seconds."""
        return await self.workspace.until(lambda: self.modal, within, "a modal")


class Conversation:
    def __init__(self, workspace: "SlackWorkspace", room: Room, owner: Person | None) -> None:
        self._workspace = workspace
        self.room = room
        self.owner = owner

    @property
    def id(self) -> str:
        return self.room.id

    @property
    def messages(self) -> list[Message]:
        return self.room.messages

    @property
    def last(self) -> Message:
        """The bot's latest message."""
        for message in reversed(self.messages):
            if message.from_bot:
                return message
        raise LookupError("the bot has said nothing here")

    @property
    def ephemerals(self) -> list[Message]:
        """What only the owner of this direct message sees."""
        return self.private(self._person(None))

    def private(self, who: str | Person) -> list[Message]:
        """What only that person sees here, oldest first."""
        return self.room.ephemerals[self._workspace.state.person(who).id]

    @property
    def status(self) -> str:
        """ "is thinking…" under the message box; Slack takes it away after two minutes."""
        stale = self._workspace.clock() - self.room.status_at > STATUS_SECONDS
        return "" if stale else self.room.status

    @property
    def statuses(self) -> list[str]:
        return self.room.statuses

    def shown_text(self) -> str:
        return "\n\n".join(message.shown_text() for message in self.messages)

    async def wait_for(self, wanted: "str | Callable[[Conversation], T]", within: float = 5.0) -> "T | bool":
        """Words that stand somewhere here, or the first truthy answer of the function."""
        if isinstance(wanted, str):
            return await self._workspace.until(lambda: wanted in self.shown_text(), within, repr(wanted))
        return await self._workspace.until(lambda: wanted(self), within)

    async def click(self, label: str, *, by: str | Person | None = None, message: Message | None = None) -> Pressed:
        """Presses the newest button with this label or action id; `by` may be anybody, so that forgery is possible."""
        payload = self.payload(label, by=by, message=message)
        action = payload["actions"][0]
        return await self._press(payload, action.get("url"))

    async def choose(
        self, option: str, *, menu: str | None = None, by: str | Person | None = None, message: Message | None = None
    ) -> Pressed:
        """Chooses an entry of the newest menu that has it."""
        person = self._person(by)
        found, element = self._find(lambda each: _offers(each, option, menu), person, message, option)
        chosen = element.option(option)
        state = found.values.setdefault(person.id, {}).setdefault(element.block_id, {})
        state[element.action_id] = {"type": element.type, "selected_option": chosen}
        payload = self._workspace.payloads.block_actions(self.room, found, element, person, chosen)
        return await self._press(payload, None)

    def payload(self, label: str, *, by: str | Person | None = None, message: Message | None = None) -> Json:
        """The click as a request that was not sent: change it and give it to `workspace.interact`."""
        person = self._person(by)
        found, element = self._find(lambda each: _is_button(each, label), person, message, label)
        return self._workspace.payloads.block_actions(self.room, found, element, person)

    async def _press(self, payload: Json, url: str | None) -> Pressed:
        delivery = await self._workspace.interact(payload)
        return Pressed(self._workspace, delivery, payload["trigger_id"], url)

    async def say(self, text: str, *, by: str | Person | None = None, thread: Message | None = None) -> list[Delivery]:
        """What the app was told; nothing where it may not read along."""
        person = self._person(by)
        message = Message(self._workspace.state.new_ts(), person.id, text, from_bot=False)
        message.thread_ts = None if thread is None else thread.thread_ts or thread.ts
        self.room.messages.append(message)
        self._workspace.changed()
        events = [
            self._workspace.payloads.message_event(self.room, message, person, kind) for kind in self._heard(text)
        ]
        return [await self._workspace.push.event(event) for event in events]

    async def edit(self, message: Message, text: str, *, by: str | Person | None = None) -> list[Delivery]:
        """A mention is told anew, with an event of its own, whether it stood there before the change or not."""
        person = self._person(by)
        before = self._workspace.payloads.said(self.room, message, person, "message")
        message.text = text
        message.edited += 1
        self._workspace.changed()
        payloads, heard = self._workspace.payloads, self._heard(text)
        changed = [payloads.message_changed(self.room, message, person, before)] if "message" in heard else []
        mentions = [payloads.message_event(self.room, message, person, "app_mention")] if "app_mention" in heard else []
        return [await self._workspace.push.event(event) for event in (*mentions, *changed)]

    def _heard(self, text: str) -> list[str]:
        app = self._workspace.state.app
        if self.room.is_im:
            return ["message"] if "im:history" in app.scopes else []
        mentioned = f"<@{app.bot_user_id}>" in text and "app_mentions:read" in app.scopes
        return ["app_mention"] * mentioned + ["message"] * ("channels:history" in app.scopes)

    async def command(self, command: str, text: str = "", *, by: str | Person | None = None) -> Pressed:
        """A slash command; what the app answers at once is shown here."""
        person = self._person(by)
        form = self._workspace.payloads.command(self.room, person, command, text)
        delivery = await self._workspace.push.command(form)
        answer = delivery.body if isinstance(delivery.body, dict) else {"text": delivery.body or ""}
        if delivery.acknowledged and (answer.get("text") or answer.get("blocks")):
            self._workspace.respond(self.room, person.id, None, answer)
        return Pressed(self._workspace, delivery, form["trigger_id"])

    def _person(self, who: str | Person | None) -> Person:
        if who is not None:
            return self._workspace.state.person(who)
        if self.owner is None:
            raise LookupError("in a channel say who does it: by=…")
        return self.owner

    def _find(
        self, fits: Callable[[Element], bool], person: Person, message: Message | None, wanted: str
    ) -> tuple[Message, Element]:
        seen = [message] if message else [*self.messages, *self.room.ephemerals[person.id]]
        newest_first = sorted(seen, key=lambda each: float(each.ts), reverse=True)
        for candidate in newest_first:
            for element in candidate.elements:
                if fits(element):
                    return candidate, element
        offered = [element.label for each in newest_first for element in each.elements]
        raise LookupError(f"{wanted!r} is not offered here; there is {offered}")


def _is_button(element: Element, label: str) -> bool:
    return element.type == "button" and label in {element.label, element.action_id}


def _offers(element: Element, option: str, menu: str | None) -> bool:
    if menu is not None and menu not in {element.label, element.action_id, element.block_id}:
        return False
    return any(option in {each["text"]["text"], each.get("value")} for each in _options(element))


def _options(element: Element) -> list[Json]:
    return [element.option(label) for label in element.options]
