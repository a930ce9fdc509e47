"""Pacing: when a place may get its next message, by the platform's documented limits and by its own Retry-After.

A slot is booked, not asked for again and again: a thousand copies for one place get a thousand moments, in order.
Replicas share the bookings through Redis; while Redis is away, each keeps to the limits by itself.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.channels.contract import Rate
from bot.redis_link import RedisLink

SWEEP_EVERY = 60.0  # seconds


class Pacing(Protocol):
    async def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        """The moment (epoch seconds) at which this message may go out; `now` if at once."""
        ...

    async def block(self, place: str, until: float) -> None:
        """The platform asked for silence towards this place."""
        ...

    async def blocked_until(self, place: str) -> float: ...

    async def forget(self, place: str, after: float) -> None:
        """What was booked for later than this moment is not needed any more."""
        ...


def place_of(channel: str, kind: str, where: str) -> str:
    """The name of a place: one reader on one channel."""
    return f"{channel}:{kind}:{where}"


class NoPacing:
    """For benchmarks and platforms without limits. A platform's own Retry-After is still obeyed."""

    def __init__(self) -> None:
        self._blocked: dict[str, float] = {}

    async def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        return max(now, self._blocked.get(place, 0.0))

    async def block(self, place: str, until: float) -> None:
        self._blocked[place] = max(until, self._blocked.get(place, 0.0))

    async def blocked_until(self, place: str) -> float:
        return self._blocked.get(place, 0.0)

    async def forget(self, place: str, after: float) -> None:
        return


@dataclass(slots=True)
class _Place:
    """`window` is for how long a booking counts: the longest of its rates."""

    booked: deque[float] = field(default_factory=deque)
    blocked: float = 0.0
    window: float = 0.0

    def matters(self, now: float) -> bool:
        return self.blocked > now or bool(self.booked and self.booked[-1] + self.window > now)


class MemoryPacing:
    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._swept = 0.0

    async def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        if not rates:
            return max(now, await self.blocked_until(place))
        self._sweep(now)
        known = self._places.setdefault(place, _Place())
        known.window = max(rate.seconds for rate in rates)
        _forget(known, now - known.window)
        moment = max(now, known.blocked)
        if not urgent:  # a critical one does not queue behind the others: platforms bear a short burst
            moment = max([moment, *(_free_at(known.booked, rate, moment) for rate in rates)])
        known.booked.append(max(moment, known.booked[-1] if known.booked else moment))
        return moment

    async def block(self, place: str, until: float) -> None:
        known = self._places.setdefault(place, _Place())
        known.blocked = max(known.blocked, until)

    async def blocked_until(self, place: str) -> float:
        known = self._places.get(place)
        return known.blocked if known else 0.0

    async def forget(self, place: str, after: float) -> None:
        known = self._places.get(place)
        while known and known.booked and known.booked[-1] > after:
            known.booked.pop()

    def _sweep(self, now: float) -> None:
        if now - self._swept < SWEEP_EVERY:
            return
        self._swept = now
        self._places = {name: place for name, place in self._places.items() if place.matters(now)}


# The same rule as MemoryPacing's, as one step for all replicas. ARGV: now, urgent, seconds to keep, count, seconds, …
BOOK = """
local moment = tonumber(ARGV[1])
local blocked = tonumber(redis.call('GET', KEYS[2]) or '0')
if blocked > moment then moment = blocked end
if ARGV[2] == '0' then
  for place = 4, #ARGV, 2 do
    local before = redis.call('ZRANGE', KEYS[1], -tonumber(ARGV[place]), -tonumber(ARGV[place]), 'WITHSCORES')
    if before[2] and tonumber(before[2]) + tonumber(ARGV[place + 1]) > moment then
      moment = tonumber(before[2]) + tonumber(ARGV[place + 1])
    end
  end
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local booked = moment
if last[2] and tonumber(last[2]) > booked then booked = tonumber(last[2]) end
redis.call('ZADD', KEYS[1], booked, redis.call('INCR', KEYS[3]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', tonumber(ARGV[1]) - tonumber(ARGV[3]))
local keep = math.ceil(booked - tonumber(ARGV[1]) + tonumber(ARGV[3])) + 1
for _, key in ipairs({KEYS[1], KEYS[3]}) do redis.call('EXPIRE', key, keep) end
return string.format('%.17g', moment)  -- tostring rounds up, and what may go at once would be late
"""

# A platform that asks several at once may ask them for silences of different length.
BLOCK = """
local blocked = redis.call('GET', KEYS[1])
if blocked and tonumber(blocked) >= tonumber(ARGV[1]) then return false end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false
"""


class RedisPacing:
    """Bookings that all replicas share."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._memory = MemoryPacing()
        self._book = link.script(BOOK)
        self._block = link.script(BLOCK)

    async def book(self, place: str, rates: Sequence[Rate], now: float, urgent: bool) -> float:
        alone = await self._memory.book(place, rates, now, urgent)
        if not rates:
            return max(now, await self.blocked_until(place))
        numbers = [number for rate in rates for number in (rate.count, rate.seconds)]
        args = [now, int(urgent), max(rate.seconds for rate in rates), *numbers]
        keys = [_key("booked", place), _key("blocked", place), _key("count", place)]
        moment = await self._link.ask(lambda: self._book(keys=keys, args=args), None)
        return alone if moment is None else float(moment)

    async def block(self, place: str, until: float) -> None:
        await self._memory.block(place, until)
        seconds = max(1, int(until - time.time()) + 1)
        await self._link.ask(lambda: self._block(keys=[_key("blocked", place)], args=[until, seconds]), None)

    async def blocked_until(self, place: str) -> float:
        here = await self._memory.blocked_until(place)
        there = await self._link.ask(lambda: self._link.redis.get(_key("blocked", place)), None)
        return max(here, float(there or 0))

    async def forget(self, place: str, after: float) -> None:
        await self._memory.forget(place, after)
        key = _key("booked", place)
        await self._link.ask(lambda: self._link.redis.zremrangebyscore(key, f"({after}", "+inf"), 0)


def _key(what: str, place: str) -> str:
    return f"gatebell:pacing:{what}:{place}"


def _forget(place: _Place, before: float) -> None:
    while place.booked and place.booked[0] < before:
        place.booked.popleft()


def _free_at(booked: Sequence[float], rate: Rate, moment: float) -> float:
    """The first moment, not before the given one, at which the rate leaves room after everything that is booked."""
    if len(booked) < rate.count:
        return moment
    return max(moment, booked[-rate.count] + rate.seconds)
