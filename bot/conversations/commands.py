"""The words that the bot answers itself. They count only when they are all that was written."""

from enum import StrEnum


class Command(StrEnum):
    HELP = "help"
    PENDING = "pending"
    STATUS = "status"


def command_of(text: str) -> Command | None:
    """The command, in any case and with or without a slash; None for everything else, which is literal text."""
    word = text.strip().removeprefix("/").casefold()
    return next((command for command in Command if command == word), None)


def help_words(has_agent: bool) -> str:
    rest = "Anything else that you write goes to your agent." if has_agent else "No agent is set up to answer the rest."
    return (
        "Hello! I bring you what needs a person, and take your answer back. You can write:\n\n"
        "- `pending` to see the requests that wait for you\n"
        "- `status` to see how the channels do\n"
        "- `help` to see this\n\n"
        f"{rest}"
    )
