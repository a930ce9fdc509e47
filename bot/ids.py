"""Ids that sort by the moment they were made: 48 bits of milliseconds, 80 random bits, 26 characters of 0-9 a-v.

They are names, not secrets: whatever must not be guessed is signed or hashed. So a seeded generator will do, which does
not ask the kernel each time.
"""

import random
from datetime import datetime
from functools import lru_cache

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


def new_id(at: datetime) -> str:
    """An id made at this moment. Ids of one millisecond stand in any order."""
    chance = random.getrandbits
    return _moment(int(at.timestamp() * 1000)) + _eight(chance(40)) + _eight(chance(40))


@lru_cache(maxsize=1)
def _moment(milliseconds: int) -> str:
    return _PAIRS[milliseconds >> 38] + _eight(milliseconds << 2 & 0xFF_FFFF_FFFF)


def _eight(bits: int) -> str:
    """40 bits as characters."""
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"
