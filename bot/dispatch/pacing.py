"""Pacing: when a place may get its next message, by the platform's documented limits and by its own Retry-After.

A slot is booked, not asked for again and again: a thousand copies for one place get a thousand moments, in order.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.channels.contract import Rate


class Pacing(Protocol):
    def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        """The moment (epoch seconds) at which this message may go out; `now` if at once."""
        ...

    def block(self, place: str, until: float) -> None:
        """The platform asked for silence towards this place."""
        ...

    def blocked_until(self, place: str) -> float: ...


class NoPacing:
    """For benchmarks and platforms without limits. A platform's own Retry-After is still obeyed."""

    def __init__(self) -> None:
        self._blocked: dict[str, float] = {}

    def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        return max(now, self._blocked.get(place, 0.0))

    def block(self, place: str, until: float) -> None:
        self._blocked[place] = until

    def blocked_until(self, place: str) -> float:
        return self._blocked.get(place, 0.0)


@dataclass(slots=True)
class _Place:
    booked: deque[float] = field(default_factory=deque)
    blocked: float = 0.0


class MemoryPacing:
    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        if not rates:
            return now
        known = self._places.setdefault(place, _Place())
        _forget(known, now - max(rate.seconds for rate in rates))
        if len(self._places) > 10_000:
            self._sweep(now)
        moment = max(now, known.blocked)
        if not urgent:  # a critical one does not queue behind the others: platforms bear a short burst
            moment = max([moment, *(_free_at(known.booked, rate, moment) for rate in rates)])
        known.booked.append(max(moment, known.booked[-1] if known.booked else moment))
        return moment

    def block(self, place: str, until: float) -> None:
        known = self._places.setdefault(place, _Place())
        known.blocked = max(known.blocked, until)

    def blocked_until(self, place: str) -> float:
        known = self._places.get(place)
        return known.blocked if known else 0.0

    def _sweep(self, now: float) -> None:
        self._places = {
            name: place
            for name, place in self._places.items()
            if place.blocked > now or (place.booked and place.booked[-1] > now - 60)
        }


def _forget(place: _Place, before: float) -> None:
    while place.booked and place.booked[0] < before:
        place.booked.popleft()


def _free_at(booked: Sequence[float], rate: Rate, moment: float) -> float:
    """The first moment, not before the given one, at which the rate leaves room after everything that is booked."""
    if len(booked) < rate.count:
        return moment
    return max(moment, booked[-rate.count] + rate.seconds)
