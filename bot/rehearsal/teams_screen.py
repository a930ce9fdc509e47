"""A Teams conversation as people see it, and what they can do in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bot.rehearsal.delivery import Delivery
from bot.rehearsal.platform import Json
from bot.rehearsal.teams_card import CardButton, answers
from bot.rehearsal.teams_rules import card_problem
from bot.rehearsal.teams_state import Posted, Scope, TeamsPerson, Thread

if TYPE_CHECKING:
    from bot.rehearsal.teams import TeamsTenant

T = TypeVar("T")
CARD_ANSWER = "application/vnd.microsoft.card.adaptive"
WORDS_ANSWER = "application/vnd.microsoft.activity.message"
TYPING_SECONDS = 3.0
TROUBLE = "Something went wrong. Please try again."
UNREACHABLE = "Unable to reach app. Please try again."


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came of a click; no delivery means that the client held it back because of its inputs."""

    delivery: Delivery | None
    blocked: Mapping[str, str] = field(default_factory=dict)
    card: Json | None = None
    notice: str | None = None
    error: str | None = None

    @property
    def status(self) -> int | None:
        return None if self.delivery is None else self.delivery.status

    @property
    def body(self) -> Any:
        return None if self.delivery is None else self.delivery.body


class Chat:
    def __init__(self, tenant: "TeamsTenant", thread: Thread, owner: TeamsPerson | None) -> None:
        self._tenant = tenant
        self.thread = thread
        self.owner = owner

    @property
    def id(self) -> str:
        return self.thread.id

    @property
    def messages(self) -> list[Posted]:
        """Everything that lies here, the people's messages too."""
        return self.thread.posts

    @property
    def activities(self) -> list[Json]:
        """The bot's activities as they are now."""
        return [post.activity for post in self.thread.posts if post.by_bot]

    @property
    def last(self) -> Posted:
        for post in reversed(self.thread.posts):
            if post.by_bot:
                return post
        raise LookupError("the bot has said nothing here")

    @property
    def cards(self) -> list[Json]:
        """The bot's cards as the owner sees them, oldest first."""
        found = [post.card_for(self.owner) for post in self.thread.posts if post.by_bot]
        return [card for card in found if card is not None]

    @property
    def last_card(self) -> Json:
        return self.cards[-1]

    @property
    def buttons(self) -> list[CardButton]:
        """Those of the newest card that has some."""
        for post in reversed(self.thread.posts):
            if post.card is not None:
                return post.buttons(self.owner)
        return []

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.buttons]

    @property
    def typing(self) -> list[float]:
        """When the bot showed that it types."""
        return self.thread.typing

    @property
    def is_typing(self) -> bool:
        return bool(self.typing) and self._tenant.clock() - self.typing[-1] <= TYPING_SECONDS

    def card_for(self, who: str | TeamsPerson) -> Json | None:
        """The newest card as that person sees it."""
        person = self._tenant.state.person(who)
        return next((post.card_for(person) for post in reversed(self.thread.posts) if post.card), None)

    def shown_text(self, who: str | TeamsPerson | None = None) -> str:
        person = self.owner if who is None else self._tenant.state.person(who)
        return "\n\n".join(post.shown_text(person) for post in self.thread.posts)

    async def wait_for(self, wanted: "str | Callable[[Chat], T]", within: float = 5.0) -> "T | bool":
        """Words that stand somewhere here, or the first truthy answer of the function."""
        if isinstance(wanted, str):
            return await self._tenant.until(lambda: wanted in self.shown_text(), within, repr(wanted))
        return await self._tenant.until(lambda: wanted(self), within)

    async def install(self, *, by: str | TeamsPerson | None = None) -> Delivery:
        """Somebody adds the app here; gives back how the app took the installation's activity."""
        self.thread.installed = True
        person = self._person(by)
        await self._tenant.send(self._tenant.activities.membership(self.thread, person, added=True))
        return await self._installation("add", person)

    async def remove(self, *, by: str | TeamsPerson | None = None) -> Delivery:
        self.thread.installed = False
        person = self._person(by)
        if self.thread.scope is not Scope.PERSONAL:
            await self._tenant.send(self._tenant.activities.membership(self.thread, person, added=False))
        return await self._installation("remove", person)

    async def upgrade(self, *, by: str | TeamsPerson | None = None) -> Delivery:
        """A new version of the app, as the bot that stays hears of it."""
        return await self._installation("add-upgrade", self._person(by))

    async def leave_by_upgrade(self, *, by: str | TeamsPerson | None = None) -> Delivery:
        """A new version of the app that no longer has the bot."""
        self.thread.installed = False
        return await self._installation("remove-upgrade", self._person(by))

    async def delete(self, *, by: str | TeamsPerson) -> Delivery:
        """An owner of the team deletes this channel."""
        return await self._happen("channelDeleted", by)

    async def restore(self, *, by: str | TeamsPerson) -> Delivery:
        return await self._happen("channelRestored", by)

    async def delete_team(self, *, by: str | TeamsPerson) -> Delivery:
        return await self._happen("teamDeleted", by)

    async def restore_team(self, *, by: str | TeamsPerson) -> Delivery:
        return await self._happen("teamRestored", by)

    async def _happen(self, event: str, by: str | TeamsPerson) -> Delivery:
        for thread in self._tenant.state.threads.values():
            if thread is self.thread or (event.startswith("team") and thread.team_id == self.thread.team_id):
                thread.deleted = event.endswith("Deleted")
        self._tenant.changed()
        return await self._tenant.send(self._tenant.activities.happened(self.thread, self._person(by), event))

    def block(self) -> None:
        """The person blocks the bot; nothing is told."""
        self.thread.blocked = True

    def unblock(self) -> None:
        self.thread.blocked = False

    async def _installation(self, action: str, person: TeamsPerson) -> Delivery:
        self._tenant.changed()
        return await self._tenant.send(self._tenant.activities.installation(self.thread, person, action))

    async def say(self, text: str, *, by: str | TeamsPerson | None = None, reply_to: Posted | None = None) -> Delivery:
        """Outside a personal chat the bot is mentioned, as it would not hear otherwise."""
        activity = self._tenant.activities.message(self.thread, self._person(by), text, reply_to)
        self._lay_down(activity)
        return await self._tenant.send(activity)

    def _lay_down(self, activity: Json) -> None:
        self.thread.posts.append(Posted(activity["id"], activity, by_bot=False))
        self._tenant.changed()

    async def click(
        self,
        label: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        by: str | TeamsPerson | None = None,
        message: Posted | None = None,
    ) -> Pressed:
        """Presses the newest button with this title or verb; whatever it does in Teams happens."""
        post, button, person = self._find(label, by, message)
        match button.type:
            case "Action.Execute":
                return await self._execute(post, button, person, inputs or {})
            case "Action.Submit":
                return await self._submit(post, button, button.raw, person, inputs or {})
            case other:
                raise LookupError(f"{label!r} is an {other}, which asks the app nothing")

    async def submit_click(
        self,
        label: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        by: str | TeamsPerson | None = None,
        message: Posted | None = None,
    ) -> Pressed:
        """The same click in a client that knows no Action.Execute and takes its fallback."""
        post, button, person = self._find(label, by, message)
        action = button.raw if button.type == "Action.Submit" else button.raw.get("fallback")
        if not isinstance(action, dict) or action.get("type") != "Action.Submit":
            raise LookupError(f"{label!r} has no Action.Submit to fall back to")
        return await self._submit(post, button, action, person, inputs or {})

    def open_url(self, label: str, *, message: Posted | None = None) -> str:
        """The address that the button opens."""
        _, button, _ = self._find(label, self.thread.members[0], message)
        if button.url is None:
            raise LookupError(f"{label!r} opens nothing")
        return button.url

    def invoke(self, label: str, *, by: str | TeamsPerson | None = None, message: Posted | None = None) -> Json:
        """The click as an activity that was not sent: change it and give it to `tenant.send` or `tenant.deliver`."""
        post, button, person = self._find(label, by, message)
        return self._tenant.activities.execute(self.thread, person, post, button.raw, button.raw.get("data", {}))

    async def refresh(self, *, by: str | TeamsPerson | None = None, message: Posted | None = None) -> Pressed:
        """Opens the card again, so that the client asks for its newest state."""
        person = self._person(by)
        post = message or next(each for each in reversed(self.thread.posts) if each.card)
        action = ((post.card or {}).get("refresh") or {}).get("action")
        if action is None:
            raise LookupError("the card does not ask to be refreshed")
        sent = self._tenant.activities.refresh(self.thread, person, post, action)
        return self._taken(post, person, await self._tenant.send(sent))

    async def _execute(
        self, post: Posted, button: CardButton, person: TeamsPerson, inputs: Mapping[str, Any]
    ) -> Pressed:
        values, blocked = answers(button, inputs)
        if blocked:
            return Pressed(None, blocked)
        merged = {**button.raw.get("data", {}), **values}
        activity = self._tenant.activities.execute(self.thread, person, post, button.raw, merged)
        return self._taken(post, person, await self._tenant.send(activity))

    async def _submit(
        self, post: Posted, button: CardButton, action: Json, person: TeamsPerson, inputs: Mapping[str, Any]
    ) -> Pressed:
        values, blocked = answers(button, inputs)
        if blocked:
            return Pressed(None, blocked)
        merged = {**(action.get("data") or {}), **values}
        activity = self._tenant.activities.submit(self.thread, person, post, merged)
        return Pressed(await self._tenant.send(activity))

    def _taken(self, post: Posted, person: TeamsPerson, delivery: Delivery) -> Pressed:
        """What the client makes of an invoke's answer: a card takes the old one's place for the person who clicked."""
        if delivery.status != 200:
            return Pressed(delivery, error=UNREACHABLE)
        body = delivery.body if isinstance(delivery.body, dict) else {}
        match (body.get("statusCode"), body.get("type"), body.get("value")):
            case (200, str(kind), dict(card)) if kind == CARD_ANSWER and card_problem(card) is None:
                post.own[person.id] = card
                self._tenant.changed()
                return Pressed(delivery, card=card)
            case (200, str(kind), str(words)) if kind == WORDS_ANSWER:
                return Pressed(delivery, notice=words)
            case (400 | 500, "application/vnd.microsoft.error", {"message": str(words)}):
                return Pressed(delivery, error=words)
        return Pressed(delivery, error=TROUBLE)

    def _person(self, who: str | TeamsPerson | None) -> TeamsPerson:
        if who is not None:
            return self._tenant.state.person(who)
        if self.owner is None:
            raise LookupError("outside a personal chat say who does it: by=…")
        return self.owner

    def _find(
        self, label: str, by: str | TeamsPerson | None, message: Posted | None
    ) -> tuple[Posted, CardButton, TeamsPerson]:
        person = self._person(by)
        offered = []
        for post in [message] if message else list(reversed(self.thread.posts)):
            # A button that only opens a card often has the title of the one inside that sends it.
            for button in sorted(post.buttons(person), key=lambda each: each.type == "Action.ShowCard"):
                if label in {button.label, button.verb}:
                    return post, button, person
                offered.append(button.label)
        raise LookupError(f"{label!r} is not offered here; there is {offered}")
