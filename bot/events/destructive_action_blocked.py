from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from bot.dispatch.notice import LONGEST_LIFE, Ask, Audience, Event, Notice, Phase
from bot.events.contract import Context, ContextClass, read
from bot.events.story import TEXT, Story, card_of, text_of
from bot.events.words import Named, Short
from interactions.kinds.blocked_action import BlockedAction
from interactions.kinds.words import Arguments, Prose, json_payload
from interactions.model import ReasonRule, Requester
from interactions.text import clip, code, literal


class DecisionWanted(BaseModel):
    """How a person is asked whether the call stays blocked. `expires_in` is in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operators: tuple[Named, ...] = Field(default=(), max_length=50)
    expires_in: float | None = Field(default=None, gt=0, le=LONGEST_LIFE, allow_inf_nan=False)
    approvals: int = Field(default=1, ge=1, le=20)
    reason: ReasonRule = ReasonRule.NONE
    callback_url: str = Field(default="", max_length=2000, pattern=r"^(https?://.+)?$")


class Attempt(Context):
    agent: Named
    tool: Named
    user: Short = ""
    policy: Short = ""
    reason: Prose = ""
    arguments: Arguments = None
    ask: bool = False
    decision: DecisionWanted | None = None


class DestructiveActionBlocked:
    type: ClassVar[str] = "destructive_action.blocked"
    title: ClassVar[str] = "Destructive action blocked"
    meaning: ClassVar[str] = (
        "An agent tried something that destroys and was stopped. "
        'With "ask": true or a "decision" in its context a person decides whether it stays stopped.'
    )
    context: ClassVar[ContextClass] = Attempt

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Attempt, event)
        if (told.ask or told.decision) and event.phase is Phase.FIRING:
            return _question(event, told, told.decision or DecisionWanted())
        agent, tool = literal(told.agent), code(told.tool)
        story = Story(
            title=f"{told.agent} was blocked from {told.tool}",
            happened=f"{agent} tried to call {tool}, which destroys, and was stopped.",
            matters="Nothing was done.",
            do=told.reason or "If this was not expected, look at what the agent was asked to do.",
            resolved=f"{agent} no longer tries to call {tool}. There is nothing to do.",
            facts=(("Agent", told.agent), ("User", told.user), ("Tool", told.tool), ("Policy", told.policy)),
            payload=json_payload(told.arguments),
        )
        return Notice(event, card_of(event, story, told, at))


def _question(event: Event, told: Attempt, wanted: DecisionWanted) -> Notice:
    question = BlockedAction(
        agent=told.agent,
        tool=told.tool,
        user=told.user,
        arguments=told.arguments,
        policy=told.policy,
        reason=clip(text_of(event, told.reason), TEXT),
    )
    audience = Audience(wanted.operators)
    ask = Ask(
        question=question,
        audience=audience,
        # Whoever the agent worked for does not approve what it was stopped from doing for them.
        requester=Requester(email=told.user if "@" in told.user else "", agent=told.agent),
        expires_in=wanted.expires_in,
        approvals=wanted.approvals,
        reason=wanted.reason,
        callback_url=wanted.callback_url,
        producer=event.producer,
    )
    return Notice(event, question.card(), audience, ask)
