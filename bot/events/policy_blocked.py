from datetime import datetime
from typing import ClassVar

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import ErrorText, Named, Short
from interactions.text import code, literal


class Block(Context):
    policy: Named
    agent: Short = ""
    tool: Short = ""
    user: Short = ""
    reason: ErrorText = ""


class PolicyBlocked:
    type: ClassVar[str] = "policy.blocked"
    title: ClassVar[str] = "Policy blocked a call"
    meaning: ClassVar[str] = "A policy stopped a call. It stays stopped; nobody is asked."
    context: ClassVar[ContextClass] = Block

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Block, event)
        who = literal(told.agent or told.user) or "somebody"
        called = f" from calling {code(told.tool)}" if told.tool else ""
        because = f": {literal(told.reason)}" if told.reason else "."
        story = Story(
            title=f"Policy {told.policy} blocked {told.tool or told.agent or 'a call'}",
            happened=f"The policy {code(told.policy)} stopped {who}{called}{because}",
            matters="Nothing was done.",
            do="If such calls are wanted, change the policy; if not, there is nothing to do.",
            resolved=f"The policy {code(told.policy)} no longer stops {who}{called}.",
            facts=(("Policy", told.policy), ("Agent", told.agent), ("Tool", told.tool), ("User", told.user)),
        )
        return Notice(event, card_of(event, story, told, at))
