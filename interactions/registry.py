"""The kinds of question. A new kind is one file in kinds/ and one line here."""

import json
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from interactions.kinds.blocked_action import BlockedAction
from interactions.kinds.clarification import Clarification
from interactions.kinds.unreadable import Unreadable
from interactions.kinds.write_confirmation import WriteConfirmation
from interactions.model import Question

KINDS: tuple[type[Question], ...] = (
    BlockedAction,
    WriteConfirmation,
    Clarification,
)


class UnknownKind(ValueError):
    """No kind of that name; the message lists those that exist."""


class Registry:
    """The kinds that this installation knows, by name."""

    def __init__(self, kinds: Iterable[type[Question]] = KINDS) -> None:
        self._kinds: Mapping[str, type[Question]] = {kind.kind: kind for kind in kinds}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._kinds)

    def question(self, kind: str, payload: Mapping[str, JsonValue]) -> Question:
        """The payload as a question of its kind.

        Raises UnknownKind, or pydantic.ValidationError that names the field.
        """
        return self.kind(kind).model_validate(payload)

    def stored(self, kind: str, payload: str) -> Question:
        """What was put before, from its JSON; Unreadable where this version does not know what to make of it."""
        try:
            return self.question(kind, json.loads(payload))
        except ValueError:
            return Unreadable(was=kind)

    def kind(self, name: str) -> type[Question]:
        """Raises UnknownKind."""
        if name not in self._kinds:
            raise UnknownKind(f"unknown kind {name!r}; known are {', '.join(self._kinds)}")
        return self._kinds[name]
