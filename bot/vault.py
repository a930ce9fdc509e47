"""Secrets that rest in the database: sealed with a key of this installation, and sealed anew when that key rotates."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it costs an idle server more memory than it is worth
    from cryptography.fernet import MultiFernet


class CannotOpen(Exception):
    """None of the keys opens this: it was sealed with a SECRET_KEY that is not in the list any more."""


def seal(text: str, keys: Sequence[bytes]) -> str:
    """Sealed with the first key (32 bytes each, newest first)."""
    return _fernet(keys).encrypt(text.encode()).decode()


def unseal(sealed: str, keys: Sequence[bytes]) -> str:
    """Raises CannotOpen."""
    from cryptography.fernet import InvalidToken

    try:
        opened: bytes = _fernet(keys).decrypt(sealed.encode())
    except InvalidToken:
        raise CannotOpen("it was sealed with a SECRET_KEY that is not in the list any more") from None
    return opened.decode()


def seal_anew(sealed: str, keys: Sequence[bytes]) -> str:
    """The same content under the first key. Raises CannotOpen."""
    return seal(unseal(sealed, keys), keys)


def _fernet(keys: Sequence[bytes]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
