"""A person's own messages: known words are answered here, everything else by the owner's agent."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from bot import signing
from bot.channels.contract import Chat, DeliveryError, Person
from bot.conversations.agent import Agent, Endpoint, Message, Question, Reply, Silent
from bot.conversations.commands import Command, command_of, help_words
from bot.conversations.turns import Turns
from bot.dispatch.notice import Ask, Audience, Fault, Opened
from bot.store import StoreUnavailable
from interactions.model import Actor, Requester
from interactions.registry import Registry
from interactions.text import clip, code, literal, one_line

log = logging.getLogger(__name__)

LONGEST = 8000
PRODUCER = "agent"

Recognise = Callable[[Person], Awaitable[Actor | None]]
MayCall = Callable[[str], Awaitable[object]]
"""Raises ValueError for an address that the owner does not let us call."""


class Requests(Protocol):
    """What a conversation needs of dispatch."""

    async def ask(self, ask: Ask) -> Opened: ...

    async def show_pending(self, operator_id: str, channel: str) -> int: ...


class Conversation:
    """The talk of every channel. `status` says how the installation does; `endpoint` says where the agent is now."""

    def __init__(
        self,
        *,
        recognise: Recognise,
        requests: Requests,
        status: Callable[[], Awaitable[str]],
        agent: Agent,
        endpoint: Callable[[], Endpoint | None],
        kinds: Registry,
        may_call: MayCall,
        now: Callable[[], datetime],
    ) -> None:
        self._recognise = recognise
        self._requests = requests
        self._status = status
        self._agent = agent
        self._endpoint = endpoint
        self._kinds = kinds
        self._may_call = may_call
        self._now = now
        self._turns = Turns()

    async def hear(self, text: str, chat: Chat) -> None:
        """Returns when the answer is said: edges do not wait for it where their platform is in a hurry."""
        try:
            await self._hear(text.strip(), chat)
        except StoreUnavailable:
            await _say(chat, "I cannot look that up right now. Please try again in a minute.")

    async def _hear(self, text: str, chat: Chat) -> None:
        command = command_of(text)
        if command is Command.HELP or not text:
            await _say(chat, help_words(self._endpoint() is not None))
        elif command:
            await self._obey(command, chat)
        else:
            await self._pass_on(text, chat)

    async def _obey(self, command: Command, chat: Chat) -> None:
        actor = await self._known(chat)
        if actor is None:
            return
        if command is Command.STATUS:
            await _say(chat, await self._status())
        else:
            await _say(chat, _waiting(await self._requests.show_pending(actor.id, chat.person.platform)))

    async def _pass_on(self, text: str, chat: Chat) -> None:
        """To the agent, one message of a person after the other. Clicks never stand in this line."""
        async with self._turns.turn(_conversation(chat.person)) as mine:
            if not mine:
                await _say(chat, "Your agent still works on your earlier messages. Please send this again later.")
                return
            actor = await self._known(chat)
            endpoint = self._endpoint()
            if actor is None:
                return
            if endpoint is None:
                await _say(chat, help_words(has_agent=False))
            elif len(text) > LONGEST:
                await _say(
                    chat, f"That is too long for one message: {LONGEST:,} characters are the most I can pass on."
                )
            else:
                await self._ask_agent(endpoint, text, actor, chat)

    async def _ask_agent(self, endpoint: Endpoint, text: str, actor: Actor, chat: Chat) -> None:
        message = Message(text, chat.person, actor, _conversation(chat.person), self._now())
        async with chat.typing():
            reply = await self._agent.ask(endpoint, message)
            words = reply.words if isinstance(reply, Silent) else reply.markdown
            if words:
                await _say(chat, words)  # here, so that the answer takes the place of the sign that it is coming
        if isinstance(reply, Reply) and reply.interaction:
            await self._open(reply.interaction, actor, chat)

    async def _open(self, asked: Question, actor: Actor, chat: Chat) -> None:
        """The agent's question, put to the person who wrote to it and to nobody else."""
        named = asked.payload.get("agent")
        agent = clip(one_line(named), 300) if isinstance(named, str) else ""
        try:
            if asked.callback_url:
                await self._may_call(asked.callback_url)
            await self._requests.ask(
                Ask(
                    question=self._kinds.question(asked.kind, asked.payload),
                    audience=Audience((actor.id,), channel=chat.person.platform),
                    requester=Requester(agent=agent or "Your agent", session=_conversation(chat.person)),
                    expires_in=asked.expires_in,
                    reason=asked.reason,
                    callback_url=asked.callback_url,
                    producer=PRODUCER,
                    idempotency_key=f"{_conversation(chat.person)}:{key}" if (key := asked.idempotency_key) else "",
                    fingerprint=_fingerprint(asked) if asked.idempotency_key else "",
                )
            )
        except (Fault, ValueError) as error:
            wrong = literal(clip(_wrong(error), 300))
            await _say(chat, f"Your agent asked something that cannot be shown: {wrong}. Tell the owner of this bot.")

    async def _known(self, chat: Chat) -> Actor | None:
        """The operator; anybody else is told what to hand to an admin."""
        actor = await self._recognise(chat.person)
        if actor and actor.active:
            return actor
        await _say(chat, _stranger(chat.person))
        return None


async def _say(chat: Chat, markdown: str) -> None:
    try:
        await chat.say(markdown)
    except DeliveryError as error:
        log.warning("an answer did not reach a person on %s: %s", chat.person.platform, error)


def _conversation(person: Person) -> str:
    return f"{person.platform}:{person.subject}"


def _fingerprint(asked: Question) -> str:
    return signing.fingerprint(asked.model_dump(mode="json", exclude={"idempotency_key"}))


def _waiting(count: int) -> str:
    match count:
        case 0:
            return "Nothing waits for you."
        case 1:
            return "You have 1 open request, shown below."
        case _:
            return f"You have {count} open requests, shown below."


def _stranger(person: Person) -> str:
    address = f" ({literal(person.email)})" if person.email else ""
    return (
        "Hello! I do not know you yet, so there is nothing that I may show you or pass on. "
        f"Ask an admin to add you as an operator, and give them this: {code(_conversation(person))}{address}"
    )


def _wrong(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(('payload', *map(str, first['loc'])))}: {first['msg']}"
    return str(error)
