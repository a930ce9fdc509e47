"""Ids that sort by the moment they were made: 48 bits of milliseconds, 80 random bits, 26 characters of 0-9 a-v."""

import base64
import secrets
from datetime import datetime


def new_id(at: datetime) -> str:
    """An id made at this moment. Ids of one millisecond stand in any order."""
    raw = int(at.timestamp() * 1000).to_bytes(6, "big") + secrets.token_bytes(10)
    return base64.b32hexencode(raw)[:26].decode().lower()
