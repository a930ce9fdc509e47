"""How each channel is, by its own real answers; and a short pause for one that lets everybody wait."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.channels.contract import Reason

HANGS_IN_A_ROW = 5
PAUSE = timedelta(seconds=10)


class Condition(StrEnum):
    READY = "ready"
    FAILING = "failing"  # it does not answer, or answers nonsense; tried again by itself
    BROKEN = "broken"  # it refuses our credentials; somebody has to mend it


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """The condition since a moment. `hangs` counts time-outs in a row; `paused_until` spares others the next.

    It is not `kept` where the database was away when it turned.
    """

    channel: str
    condition: Condition = Condition.READY
    since: datetime | None = None
    reason: str = ""
    detail: str = ""
    hangs: int = 0
    paused_until: datetime | None = None
    kept: bool = True

    @property
    def well(self) -> bool:
        return self.condition is Condition.READY and not self.hangs and self.kept

    def paused(self, at: datetime) -> bool:
        return self.paused_until is not None and at < self.paused_until


def after_success(health: ChannelHealth, at: datetime) -> ChannelHealth:
    if health.well:
        return health
    return ChannelHealth(health.channel, since=at)


def after_refusal(health: ChannelHealth, reason: Reason, detail: str, at: datetime) -> ChannelHealth:
    """What one refusal says about the channel: most say something about the reader or the card alone."""
    if reason.breaks_channel:
        return _turned(health, Condition.BROKEN, reason, detail, at)
    if not reason.is_outage:
        return health
    hangs = health.hangs + 1 if reason is Reason.TIMED_OUT else 0
    paused = at + PAUSE if hangs >= HANGS_IN_A_ROW else None
    turned = health if health.condition is Condition.BROKEN else _turned(health, Condition.FAILING, reason, detail, at)
    return replace(turned, hangs=hangs, paused_until=paused)


def _turned(health: ChannelHealth, to: Condition, reason: Reason, detail: str, at: datetime) -> ChannelHealth:
    since = health.since if health.condition is to else at
    return replace(health, condition=to, since=since, reason=str(reason), detail=detail)


class HealthBoard:
    """The present health of every channel in this process."""

    def __init__(self) -> None:
        self._by_channel: dict[str, ChannelHealth] = {}

    def of(self, channel: str) -> ChannelHealth:
        return self._by_channel.get(channel, ChannelHealth(channel))

    def all(self) -> Mapping[str, ChannelHealth]:
        return dict(self._by_channel)

    def put(self, health: ChannelHealth) -> bool:
        """Keep it; true if the condition has turned, so that it is worth a row and perhaps a word to the admin."""
        before = self.of(health.channel)
        self._by_channel[health.channel] = replace(health, kept=True)
        return before.condition is not health.condition or not before.kept

    def unkept(self, channel: str) -> None:
        """Its turn could not be written down, so it is one again with the next answer."""
        self._by_channel[channel] = replace(self.of(channel), kept=False)
