"""What dispatch works with, made once by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.channels.contract import Channel, Reader
from bot.clock import Clock
from bot.dispatch.cooldown import Cooldown
from bot.dispatch.health import HealthBoard
from bot.dispatch.pacing import Pacing
from bot.dispatch.stamps import Stamps
from bot.store import Store


class Readers(Protocol):
    async def reader(self, operator_id: str) -> Reader | None:
        """How an operator can be reached now; None for somebody who is gone."""
        ...


class Observer(Protocol):
    """What is counted. Nothing in here may fail or wait."""

    def attempted(self, channel: str, reason: str, seconds: float) -> None: ...

    def gave_up(self, channel: str) -> None: ...

    def broken(self, channel: str, *, broken: bool) -> None: ...

    def shown(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """`mask` takes secrets out of what a platform said: it may repeat what was sent to it."""

    store: Store
    channels: Callable[[], Mapping[str, Channel]]
    readers: Readers
    clock: Clock
    stamps: Stamps
    pacing: Pacing
    cooldown: Cooldown
    board: HealthBoard
    observer: Observer
    mask: Callable[[str], str] = str
