"""A stage of the pipeline: what a reporter counted is held against the threshold that is set for it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.dispatch.notice import Audience, Dropped, Notice, NotTold, Phase
from bot.events.throughput_threshold import Crossing, ThroughputThreshold, crossing_of
from bot.thresholds.threshold import Threshold, holding
from bot.thresholds.thresholds import Thresholds

Stage = Callable[[Notice], Awaitable[Notice | Dropped]]


def above_threshold(thresholds: Thresholds) -> Stage:
    """Holds back what is below; whatever nothing is set for is told as it was reported."""

    async def stage(notice: Notice) -> Notice | Dropped:
        if notice.event.type != ThroughputThreshold.type:
            return notice
        crossing = crossing_of(notice.event)
        found = holding(await thresholds.list(), crossing.user, crossing.tool, crossing.window)
        return notice if found is None else judged(notice, crossing, found)

    return stage


def judged(notice: Notice, crossing: Crossing, threshold: Threshold) -> Notice | Dropped:
    """Told with the limit that is set, in the room that is set. The end of a trouble is never held back."""
    if notice.event.phase is Phase.FIRING and crossing.count < threshold.limit:
        return Dropped(NotTold.BELOW_THRESHOLD, f"below the threshold of {threshold.words}")
    limited = replace(notice.event, context={**notice.event.context, "limit": threshold.limit})
    said = ThroughputThreshold().notice(limited).card
    card = replace(notice.card, text=said.text, facts=said.facts)
    return notice._replace(card=card, audience=Audience(room=threshold.room))
