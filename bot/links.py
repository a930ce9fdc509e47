"""Links for their reader alone: sealed while they lie in the database, opened just before a channel shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot import vault

_SEALED = "sealed:"


@dataclass(frozen=True, slots=True)
class Links:
    """`keys` are derived for links alone, newest first."""

    keys: Sequence[bytes]

    def seal(self, url: str) -> str:
        """What a stored card may hold: no renderer shows it as it is."""
        return _SEALED + vault.seal(url, self.keys)

    def open(self, link: str) -> str:
        """The link of a card as its reader gets it; "" where none of the keys opens it any more."""
        if not link.startswith(_SEALED):
            return link
        try:
            return vault.unseal(link.removeprefix(_SEALED), self.keys)
        except vault.CannotOpen:
            return ""
