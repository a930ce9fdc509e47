"""Secrets of a form in which something else was wrong: held for their session, so that nobody types them again.

They are in the memory of this process and nowhere else: in no row, no log and no page. The form that is shown again
says only that they are held.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

HOLDS = timedelta(minutes=15)
MOST = 200  # secrets of everybody together, so that memory stays bounded


class HeldSecrets:
    """By session and by the name of the setting."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[str, datetime]] = OrderedDict()

    def hold(self, session: str, secrets: Mapping[str, str], at: datetime) -> None:
        """From now on, and for so long as it HOLDS."""
        self._forget_old(at)
        for name, secret in secrets.items():
            self._held[session, name] = secret, at
            self._held.move_to_end((session, name))
        while len(self._held) > MOST:
            self._held.popitem(last=False)

    def of(self, session: str, at: datetime) -> Mapping[str, str]:
        self._forget_old(at)
        return {name: secret for (owner, name), (secret, _) in self._held.items() if owner == session}

    def drop(self, session: str, names: Iterable[str]) -> None:
        for name in names:
            self._held.pop((session, name), None)

    def _forget_old(self, at: datetime) -> None:
        for key in [key for key, (_, since) in self._held.items() if at - since >= HOLDS]:
            del self._held[key]
