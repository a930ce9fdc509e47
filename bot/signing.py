"""Keys for each purpose out of one secret, and the digest that ties a decision to what was shown."""

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import JsonValue

from bot import canonical


def derive(secret_key: str, purpose: str) -> tuple[bytes, ...]:
    """A key of 32 bytes per secret of the comma list, newest first. No purpose's key tells anything about another's."""
    parts = [part.strip() for part in secret_key.split(",") if part.strip()]
    return tuple(hmac.new(part.encode(), b"gatebell/" + purpose.encode(), hashlib.sha256).digest() for part in parts)


def digest(kind: str, payload: Mapping[str, JsonValue], requester: Mapping[str, JsonValue]) -> str:
    """SHA-256 over the canonical JSON of kind, payload and requester, in hex.

    Raises canonical.NotCanonical (a ValueError that names the place) for a payload without a canonical form.
    """
    shown: JsonValue = {"kind": kind, "payload": dict(payload), "requester": dict(requester)}
    return hashlib.sha256(canonical.dumps(shown)).hexdigest()


def fingerprint(value: JsonValue) -> str:
    """The same for any JSON: whether two requests said the same."""
    return hashlib.sha256(canonical.dumps(value)).hexdigest()
