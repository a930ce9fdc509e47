"""One threshold, and which of several counts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

PERIODS = {"1h": "hour", "24h": "day"}


@dataclass(frozen=True, slots=True)
class Threshold:
    """`limit` calls of a tool by a user within the window are worth telling; an empty user or tool stands for any.

    `room` is where it is told; "" is each channel's own room. One that is off is as if it were not there.
    """

    id: str
    user: str
    tool: str
    window: str
    limit: int
    room: str = ""
    on: bool = True

    @property
    def order(self) -> tuple[bool, bool, str, str, str]:
        """Whichever names more comes first; a user is more than a tool."""
        return (not self.user, not self.tool, self.user, self.tool, self.window)

    @property
    def words(self) -> str:
        return f"{self.limit:,} per {PERIODS[self.window]} set for {self.whom}"

    @property
    def whom(self) -> str:
        return " and ".join(filter(None, (self.user, self.tool))) or "everybody"

    def fits(self, user: str, tool: str, window: str) -> bool:
        return self.user in ("", user.strip().casefold()) and self.tool in ("", tool.strip()) and self.window == window


def holding(thresholds: Iterable[Threshold], user: str, tool: str, window: str) -> Threshold | None:
    """The one that counts for these calls: of all that are on and fit, the one that names most."""
    fitting = [each for each in thresholds if each.on and each.fits(user, tool, window)]
    return min(fitting, key=lambda each: each.order, default=None)
