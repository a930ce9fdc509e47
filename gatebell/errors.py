"""What can stand between an agent and an answer. Each end has a name of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatebell.answers import Interaction


class GatebellError(Exception):
    """Whatever Gatebell says instead of yes."""


class NotApproved(GatebellError):
    """The question has ended without an approval; `interaction` says how."""

    def __init__(self, words: str, interaction: "Interaction") -> None:
        super().__init__(words)
        self.interaction = interaction


class Denied(NotApproved):
    """A person said no."""


class Expired(NotApproved):
    """Nobody answered in time."""


class Withdrawn(NotApproved):
    """The question was taken back."""


class Undeliverable(NotApproved):
    """Nobody could be reached."""


class Changed(NotApproved):
    """What is about to be done is no longer what was shown."""


class Unreachable(GatebellError):
    """The server did not answer, for as long as patience lasts."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to mend in a request."""

    field: str
    detail: str
    mend: str


class Rejected(GatebellError):
    """The server does not take a request as it is (a wrong key, a wrong field, too late)."""

    def __init__(self, status: int, detail: str, errors: Sequence[FieldError] = ()) -> None:
        mends = "".join(f" {each.mend}" for each in errors if each.mend)
        super().__init__(f"{detail}.{mends}" if mends else detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
