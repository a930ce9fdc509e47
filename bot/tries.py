"""How often something was tried lately: by everybody together where there is Redis, else at this server alone."""

import hashlib
import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.redis_link import RedisLink

WINDOW = 15 * 60.0  # seconds, from the first try on
REMEMBERED = 10_000  # names, so that memory stays bounded

# One step for all replicas. ARGV: now, the window, milliseconds to keep; the value is "since|times" by our clock.
COUNT = """
local since, times = ARGV[1], 0
local known, before = string.match(redis.call('GET', KEYS[1]) or '', '^(.*)|(.*)$')
local age = known and tonumber(ARGV[1]) - tonumber(known)
if age and age >= 0 and age < tonumber(ARGV[2]) then since, times = known, tonumber(before) end
local tried = since .. '|' .. (times + 1)
redis.call('SET', KEYS[1], tried, 'PX', ARGV[3])
return tried
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """How often by now, this time included, since when (seconds since 1970), and for how long that counts."""

    times: int
    since: float
    window: float

    def wait(self, at: datetime) -> float:
        """Seconds until it counts from nothing again."""
        return self.since + self.window - at.timestamp()


class Tries(Protocol):
    async def count(self, name: str, at: datetime) -> Tried:
        """Once more."""
        ...


class MemoryTries:
    """For as many names as fit into bounded memory."""

    def __init__(self, window: float = WINDOW) -> None:
        self._window = window
        self._counted: OrderedDict[str, Tried] = OrderedDict()

    async def count(self, name: str, at: datetime) -> Tried:
        return self.counted(name, at)

    def counted(self, name: str, at: datetime) -> Tried:
        """Once more, without waiting."""
        now = at.timestamp()
        known = self._counted.get(name)
        fresh = known is not None and 0 <= now - known.since < self._window
        tried = replace(known, times=known.times + 1) if known and fresh else Tried(1, now, self._window)
        self._counted[name] = tried
        self._counted.move_to_end(name)
        while len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        return tried


class RedisTries:
    """Redis for all replicas; memory beside it, which counts alone while Redis is away."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._memory = MemoryTries()
        self._count = link.script(COUNT)

    async def count(self, name: str, at: datetime) -> Tried:
        here = self._memory.counted(name, at)
        args = [at.timestamp(), WINDOW, int(WINDOW * 1000)]
        said = await self._link.ask(lambda: self._count(keys=[_key(name)], args=args), None)
        if said is None:
            return here
        since, _, times = said.decode().partition("|")
        there = Tried(int(times), float(since), WINDOW)
        return max(here, there, key=lambda each: each.times)


def whence(remote: str | None, forwarded: str) -> str:
    """The address that tries are counted for; `forwarded` is what stands in all X-Forwarded-For.

    A proxy on this machine is believed about who called it, and only in the last word, which is its own: else whoever
    tries too often would keep out everybody behind the same proxy. Of version 6, who has one address has a whole /64.
    """
    here = _address(remote or "")
    there = _address(forwarded.rpartition(",")[2].strip()) if here and here.is_loopback else None
    found = there or here
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.IPv6Network((int(found), 64), strict=False))
    return str(found or remote or "")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _key(name: str) -> str:
    """Addresses of people stay here."""
    return f"gatebell:tries:{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}"
