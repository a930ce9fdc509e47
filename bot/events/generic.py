from datetime import datetime
from typing import ClassVar

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import TITLE, Story, card_of
from interactions.text import clip, one_line


class Generic:
    """Whatever has no class of its own: what the producer said is all that there is to say."""

    type: ClassVar[str] = "*"
    title: ClassVar[str] = "Any other event"
    meaning: ClassVar[str] = "Types that have no class of their own. The summary is the title."
    context: ClassVar[ContextClass] = Context

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Context, event)
        said = one_line(event.summary) or clip(one_line(event.type), TITLE)
        story = Story(
            title=clip(said, TITLE),
            happened="",
            matters="",
            do="",
            resolved="There is nothing to do.",
            facts=(("Event", clip(one_line(event.type), TITLE)),),
        )
        return Notice(event, card_of(event, story, told, at))
