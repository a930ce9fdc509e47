from datetime import datetime
from typing import ClassVar

from pydantic import Field

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import Named, Short
from interactions.text import code, literal


class Redaction(Context):
    count: int = Field(default=1, ge=1)
    kinds: tuple[Named, ...] = Field(default=(), max_length=50, description="Such as e-mail address or IBAN.")
    tool: Short = ""
    agent: Short = ""
    user: Short = ""


class PiiRedactionWarning:
    type: ClassVar[str] = "pii.redaction_warning"
    title: ClassVar[str] = "Personal data redacted"
    meaning: ClassVar[str] = "Personal data was found in a call and taken out before it went on."
    context: ClassVar[ContextClass] = Redaction

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Redaction, event)
        pieces = f"{told.count:,} pieces" if told.count > 1 else "One piece"
        were = "were" if told.count > 1 else "was"
        kinds = f" ({literal(', '.join(told.kinds))})" if told.kinds else ""
        where = f" from a call of {code(told.tool)}" if told.tool else ""
        story = Story(
            title=f"Personal data redacted{f' in {told.tool}' if told.tool else ''}",
            happened=f"{pieces} of personal data{kinds} {were} taken out{where}.",
            matters="It went no further, but it should not have been there.",
            do="Find out why the data was sent, and whether other calls carry it too.",
            resolved="No more personal data turns up there. There is nothing to do.",
            facts=(
                ("Found", ", ".join(told.kinds)),
                ("Count", f"{told.count:,}"),
                ("Tool", told.tool),
                ("Agent", told.agent),
                ("User", told.user),
            ),
        )
        return Notice(event, card_of(event, story, told, at))
