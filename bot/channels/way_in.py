"""What came in from a platform, kept in its channel's memory.

No platform can be asked whether its buttons reach us, or whether the secret that we check them with is its own. What
came in is the only evidence there is, and the doctor, a process of its own, reads it here.
"""

import logging
from dataclasses import dataclass

from pydantic import JsonValue

from bot.channels.contract import Edge, Memory

log = logging.getLogger(__name__)

_CALLED, _CLICKED, _DOUBTED = "way_in:called", "way_in:clicked", "way_in:doubted"
NOTED_EVERY = 60.0  # seconds; a call must not cost a commit
DOUBTS_NOTED_EVERY = 1.0
AUDITED_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why calls were refused that were surely meant for us, as words that go on after a colon, and the mend."""

    words: str
    mend: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in so far. Moments are seconds since 1970, 0 for never.

    `doubts` counts the calls that were refused since `doubted_since`, at least; a call that holds ends the count.
    """

    called_at: float = 0.0
    clicked_at: float = 0.0
    doubt: Doubt | None = None
    doubts: int = 0
    doubted_since: float = 0.0
    doubted_at: float = 0.0

    @property
    def in_doubt(self) -> bool:
        """Whether the last call that was meant for us was refused."""
        return self.doubt is not None and self.doubted_at > self.called_at


class WayIn:
    """Notes what comes in, beside the request and seldom: at once what is new, then once a minute."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._called_at = 0.0
        self._clicked_at = 0.0
        self._doubts = 0
        self._doubted_at = 0.0
        self._audited_at: dict[str, float] = {}

    def took(self, *, click: bool = False) -> None:
        """A call came in that is the platform's own."""
        at = self._edge.now().timestamp()
        if at - self._called_at >= NOTED_EVERY or self._doubted_at >= self._called_at:
            self._called_at = at
            self._edge.spawn(self._edge.memory.put(_CALLED, at))
        if click and at - self._clicked_at >= NOTED_EVERY:
            self._clicked_at = at
            self._edge.spawn(self._edge.memory.put(_CLICKED, at))

    def refused(self, doubt: Doubt) -> None:
        """A call that was meant for us does not prove to be the platform's."""
        at = self._edge.now().timestamp()
        self._doubts += 1
        if at - self._doubted_at >= DOUBTS_NOTED_EVERY:
            doubts, self._doubts, self._doubted_at = self._doubts, 0, at
            self._edge.spawn(self._note(doubt, doubts, at))

    def forged(self, platform: str, why: str) -> None:
        """A call that anybody can make: written down once a minute and kind, it costs neither a line nor a commit."""
        at = self._edge.now().timestamp()
        if at - self._audited_at.get(why, 0.0) >= AUDITED_EVERY:
            self._audited_at[why] = at
            log.warning("%s: refused %s", platform, why)
            self._edge.spawn(self._audit(platform, why))

    async def _audit(self, platform: str, why: str) -> None:
        if await self._edge.once(f"audited:{why}", AUDITED_EVERY):
            await self._edge.desk.refused(platform, why)

    async def _note(self, doubt: Doubt, doubts: int, at: float) -> None:
        before = await heard(self._edge.memory)
        going_on = before.in_doubt
        await self._edge.memory.put(
            _DOUBTED,
            {
                "words": doubt.words,
                "mend": doubt.mend,
                "count": doubts + (before.doubts if going_on else 0),
                "since": before.doubted_since if going_on else at,
                "at": at,
            },
        )


async def heard(memory: Memory) -> Heard:
    called, clicked = _moment(await memory.get(_CALLED)), _moment(await memory.get(_CLICKED))
    kept = await memory.get(_DOUBTED)
    if not isinstance(kept, dict):
        return Heard(called, clicked)
    doubt = Doubt(str(kept.get("words", "")), str(kept.get("mend", "")))
    count, since, at = (_moment(kept.get(name)) for name in ("count", "since", "at"))
    return Heard(called, clicked, doubt, int(count), since, at)


def _moment(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
