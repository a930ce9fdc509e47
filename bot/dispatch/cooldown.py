"""The cooldown: a reservation that lets the first notice through and holds back its repetitions for a while.

Redis and memory behave alike: a reservation belongs to the ref that made it, runs out by the product's clock, and is
given back when nobody could be told. Redis is never trusted to be there: without it the same rule holds in memory.
"""

import json
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from bot.dispatch.notice import Event
from bot.redis_link import RedisLink

UNTIL_STORED = 30.0  # seconds: a process that dies between reserving and storing must not silence the retry for long

# One step, so that two processes cannot both find the place free. The value is "ref|until by the product's clock".
RESERVE = """
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.match(held, '|(.*)$')) > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[3], 'PX', ARGV[4])
return 1
"""
HOLD = """
local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^(.*)|') ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3])
return false
"""
GIVE_BACK = """
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^(.*)|') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return false
"""


class Cooldown(Protocol):
    async def reserve(self, identity: str, ref: str, at: datetime, seconds: float) -> bool:
        """True if this ref may tell: nobody has told the same within the time."""
        ...

    async def hold(self, identity: str, ref: str, at: datetime, seconds: float) -> None:
        """The reservation of this ref lasts from now on for so long (it was short until the notice was stored).

        One that has ended stays so: whoever took the notice up may have given it back already.
        """
        ...

    async def give_back(self, identity: str, ref: str) -> None:
        """The reservation of this ref ends, if it is still its own."""
        ...

    async def clear(self, identity: str) -> None:
        """Whoever holds it: it ends. The trouble was resolved, so the next one is news."""
        ...


class MemoryCooldown:
    def __init__(self) -> None:
        self._held: dict[str, tuple[str, float]] = {}
        self._swept = 0.0

    async def reserve(self, identity: str, ref: str, at: datetime, seconds: float) -> bool:
        self._sweep(at.timestamp())
        if self.holder(identity, at):
            return False
        self._held[identity] = (ref, at.timestamp() + seconds)
        return True

    def holder(self, identity: str, at: datetime) -> str:
        """The ref whose reservation holds now; "" where none does."""
        ref, until = self._held.get(identity, ("", 0.0))
        return ref if until > at.timestamp() else ""

    async def hold(self, identity: str, ref: str, at: datetime, seconds: float) -> None:
        if self._held.get(identity, ("", 0.0))[0] == ref:
            self._held[identity] = (ref, at.timestamp() + seconds)

    async def give_back(self, identity: str, ref: str) -> None:
        if self._held.get(identity, ("", 0.0))[0] == ref:
            del self._held[identity]

    async def clear(self, identity: str) -> None:
        self._held.pop(identity, None)

    def _sweep(self, now: float) -> None:
        if now - self._swept < 60:
            return
        self._swept = now
        self._held = {identity: held for identity, held in self._held.items() if held[1] > now}


class RedisCooldown:
    """Redis for all replicas. Memory beside it decides while Redis is away, and over what was told meanwhile.

    While Redis answers, it alone knows what another replica has cleared or given back.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._memory = MemoryCooldown()
        self._meanwhile = MemoryCooldown()
        self._reserve = link.script(RESERVE)
        self._hold = link.script(HOLD)
        self._give_back = link.script(GIVE_BACK)

    async def reserve(self, identity: str, ref: str, at: datetime, seconds: float) -> bool:
        free = await self._memory.reserve(identity, ref, at, seconds)
        if self._meanwhile.holder(identity, at):
            return False
        now = at.timestamp()
        args = [ref, now, now + seconds, max(1, int(seconds * 1000))]
        taken = await self._link.ask(lambda: self._reserve(keys=[_key(identity)], args=args), None)
        if taken is None:
            return free and await self._reserve_meanwhile(identity, ref, at, seconds)
        if not taken:
            await self._memory.give_back(identity, ref)  # another replica holds it, and may give it back to everybody
        elif not free:
            await self._memory.clear(identity)
            await self._memory.reserve(identity, ref, at, seconds)
        return bool(taken)

    async def _reserve_meanwhile(self, identity: str, ref: str, at: datetime, seconds: float) -> bool:
        """False for one that Redis gave to somebody else here before it went away."""
        mine = self._memory.holder(identity, at) == ref
        return mine and await self._meanwhile.reserve(identity, ref, at, seconds)

    async def hold(self, identity: str, ref: str, at: datetime, seconds: float) -> None:
        for here in (self._memory, self._meanwhile):
            await here.hold(identity, ref, at, seconds)
        now = at.timestamp()
        args = [ref, now + seconds, max(1, int(seconds * 1000))]
        await self._link.ask(lambda: self._hold(keys=[_key(identity)], args=args), None)

    async def give_back(self, identity: str, ref: str) -> None:
        for here in (self._memory, self._meanwhile):
            await here.give_back(identity, ref)
        await self._link.ask(lambda: self._give_back(keys=[_key(identity)], args=[ref]), None)

    async def clear(self, identity: str) -> None:
        for here in (self._memory, self._meanwhile):
            await here.clear(identity)
        await self._link.ask(lambda: self._link.redis.delete(_key(identity)), None)


def identity_of(event: Event) -> str:
    """What counts as the same: producer, source, type, and the dedup key or else the context (or else the summary).

    The producer and the source are part of it, so that nobody's key silences somebody else's events.
    """
    same = event.dedup_key or dict(event.context) or event.summary
    words = json.dumps([event.producer, event.source, event.type, same], sort_keys=True, separators=(",", ":"))
    return sha256(words.encode("utf-8", "replace")).hexdigest()[:32]


def _key(identity: str) -> str:
    return f"gatebell:cooldown:{identity}"
