"""Cards and interactions as JSON rows, and the token that ties a button to one copy of one request."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from interactions.card import Card
from interactions.model import Requester, Ruling, Vote

_CARD: TypeAdapter[Card] = TypeAdapter(Card)
_VOTES: TypeAdapter[tuple[Vote, ...]] = TypeAdapter(tuple[Vote, ...])
_RULING: TypeAdapter[Ruling] = TypeAdapter(Ruling)
_REQUESTER: TypeAdapter[Requester] = TypeAdapter(Requester)


def dump_card(card: Card) -> str:
    return _CARD.serializer.to_json(card, exclude_defaults=True).decode()


def load_card(row: str) -> Card:
    return _CARD.validate_json(row)


def dump_votes(votes: tuple[Vote, ...]) -> str:
    return _VOTES.dump_json(votes).decode()


def load_votes(row: str) -> tuple[Vote, ...]:
    return _VOTES.validate_json(row)


def dump_ruling(ruling: Ruling | None) -> str | None:
    return _RULING.dump_json(ruling).decode() if ruling else None


def load_ruling(row: str | None) -> Ruling | None:
    return _RULING.validate_json(row) if row else None


def dump_requester(requester: Requester) -> str:
    return _REQUESTER.dump_json(requester, exclude_defaults=True).decode()


def load_requester(row: str) -> Requester:
    return _REQUESTER.validate_json(row)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a token says: which copy it belongs to, and which request (the beginning of its digest) was shown there."""

    delivery: str
    digest: str


def seal(ticket: Ticket, keys: Sequence[bytes]) -> str:
    """A token for the buttons of one copy, at most 75 characters of A-Z a-z 0-9 - _ . (fits every platform's value)."""
    body = f"{ticket.delivery}.{ticket.digest[:16]}"
    return f"{body}.{_mac(body, keys[0])}"


def unseal(token: str, keys: Sequence[bytes]) -> Ticket | None:
    """The ticket, or None for a token that none of the keys made. Later keys are older ones that still count."""
    if not token.isascii():
        return None
    body, _, mac = token.rpartition(".")
    delivery, _, digest = body.rpartition(".")
    if not delivery or not digest or not any(hmac.compare_digest(_mac(body, key), mac) for key in keys):
        return None
    return Ticket(delivery, digest)


def _mac(body: str, key: bytes) -> str:
    mac = hmac.new(key, b"copy:" + body.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
