"""Links for their reader alone: sealed while they lie in the database, opened just before a channel shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot import vault
from interactions.card import SEALED


@dataclass(frozen=True, slots=True)
class Links:
    """`keys` are derived for links alone, newest first."""

    keys: Sequence[bytes]

    def seal(self, url: str) -> str:
        """What a stored card may hold: no renderer shows it as it is."""
        return SEALED + vault.seal(url, self.keys)

    def open(self, link: str) -> str:
        """A sealed link as its reader gets it; "" where none of the keys opens it any more."""
        try:
            return vault.unseal(link.removeprefix(SEALED), self.keys)
        except vault.CannotOpen:
            return ""
