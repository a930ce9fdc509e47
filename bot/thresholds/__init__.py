"""How often a user may call a tool before the room is told: what admins set, and what it makes of an event."""

from bot.thresholds.threshold import PERIODS, Threshold
from bot.thresholds.thresholds import LONGEST, Draft, Thresholds

__all__ = ["LONGEST", "PERIODS", "Draft", "Threshold", "Thresholds"]
