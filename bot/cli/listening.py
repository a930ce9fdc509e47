"""Why a server cannot listen where it is to."""

import errno
import socket


def is_foreign(error: BaseException) -> bool:
    """Whether the address is none of this machine. Python 3.13 says that in words, without a number."""
    match error:
        case socket.gaierror() | OSError(errno=errno.EADDRNOTAVAIL):
            return True
        case OSError(errno=None):
            return str(error).startswith("could not bind on any address")
        case _:
            return False
