"""The file of saved settings: read as it stands, changed under a lock, replaced in one step."""

import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.files import locked, replace


class Unreadable(Exception):
    """The file is there but cannot be understood, or not be read; `mend` is what somebody can do about it."""

    def __init__(self, words: str, mend: str = "Fix or remove the file.") -> None:
        super().__init__(words)
        self.mend = mend


def read(path: Path) -> dict[str, str]:
    """Names and values; empty where there is no file. Raises Unreadable."""
    return {each.key: each.value or "" for each in _lines(path) if each.key}


def change(path: Path, changes: Mapping[str, str | None]) -> None:
    """Write all changes at once; None takes a name out. Other lines stay as they are. Raises Unreadable, OSError.

    Two processes that save at the same time both have their say, and a crash leaves the old file or the new one.
    """
    wrong = [name for name in changes if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not the name of a setting")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(path):
        replace(path, "".join(_changed(_lines(path), changes)))


def unread(error: OSError) -> Unreadable:
    """What the machine said when the file was opened; nothing is wrong in a file that belongs to somebody else."""
    words = f"cannot be read: {error.strerror}"
    if isinstance(error, PermissionError):
        return Unreadable(words, "Let the user that Gatebell runs as read it.")
    return Unreadable(words)


def _lines(path: Path) -> list[Binding]:
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise Unreadable(f"cannot be read: {error}") from error
    except OSError as error:
        raise unread(error) from error
    lines = list(parse_stream(StringIO(text, newline="")))
    for line in lines:
        if line.error:
            raise Unreadable(f"line {line.original.line} is not NAME=value")
    return lines


def _changed(lines: Iterable[Binding], changes: Mapping[str, str | None]) -> Iterator[str]:
    for line in lines:
        if line.key not in changes:
            text = line.original.string
            yield text if text.endswith(("\n", "\r")) else f"{text}\n"
    for name, value in changes.items():
        if value is not None:
            yield f"{name}={_quoted(value)}\n"


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
