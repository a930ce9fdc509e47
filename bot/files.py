"""Files that are replaced in one step, and locks between processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Put this in place of the file, for its owner alone: a crash leaves the old content or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time may change this file."""
    lock = path.with_name(f"{path.name}.lock")
    with os.fdopen(os.open(lock, os.O_CREAT | os.O_RDWR, 0o600), "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
