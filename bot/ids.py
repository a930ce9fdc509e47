"""Ids that sort by the moment they were made: 48 bits of milliseconds, 80 random bits, 26 characters of 0-9 a-v.

They are names, not secrets: whatever must not be guessed is signed or hashed. So a seeded generator will do, which does
not ask the kernel each time.
"""

import random
from datetime import datetime

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_PLACES = tuple(range(120, -1, -10))


def new_id(at: datetime) -> str:
    """An id made at this moment. Ids of one millisecond stand in any order."""
    bits = (int(at.timestamp() * 1000) << 80 | random.getrandbits(80)) << 2
    return "".join([_PAIRS[bits >> place & 1023] for place in _PLACES])
