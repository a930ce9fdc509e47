from datetime import datetime
from typing import ClassVar

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import ErrorText, Short
from interactions.text import code, literal


class Anomaly(Context):
    finding: ErrorText
    user: Short = ""
    agent: Short = ""
    tool: Short = ""
    expected: ErrorText = ""
    observed: ErrorText = ""


class AuditAnomaly:
    type: ClassVar[str] = "audit.anomaly"
    title: ClassVar[str] = "Unusual entry in the audit log"
    meaning: ClassVar[str] = "Something in an audit log does not look like what usually happens."
    context: ClassVar[ContextClass] = Anomaly

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Anomaly, event, finding=event.summary)
        who = f" by {literal(told.user or told.agent)}" if told.user or told.agent else ""
        where = f" with {code(told.tool)}" if told.tool else ""
        story = Story(
            title=f"Unusual: {told.finding}",
            happened=f"The audit log shows something unusual{who}{where}: {literal(told.finding)}",
            matters="It may be a mistake, a stolen account, or an agent that does what nobody asked for.",
            do=f"Ask {literal(told.user)} whether this was intended."
            if told.user
            else "Find out who did this, and why.",
            resolved="The audit log looks as usual again. There is nothing to do.",
            facts=(
                ("User", told.user),
                ("Agent", told.agent),
                ("Tool", told.tool),
                ("Expected", told.expected),
                ("Observed", told.observed),
            ),
        )
        return Notice(event, card_of(event, story, told, at))
