"""Whether this is the only process on a SQLite database. PostgreSQL has replicas, so there nobody ever knows."""

import fcntl
import os
from contextlib import AsyncExitStack
from pathlib import Path


def alone(lock: Path, until_exit: AsyncExitStack) -> bool:
    """True if no other process holds the lock. It is held (shared) until the exit, or until this process dies."""
    file = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    until_exit.callback(os.close, file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        only = True
    except BlockingIOError:
        only = False
    fcntl.flock(file, fcntl.LOCK_SH)
    return only
