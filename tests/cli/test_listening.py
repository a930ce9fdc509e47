import errno
import os
import socket
from pathlib import Path

import pytest

from bot.channels.registry import fields
from bot.cli.listening import is_foreign
from bot.cli.serve import why_not
from bot.settings import load


@pytest.mark.parametrize(
    "error, expected",
    [
        (OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL)), True),
        (OSError("could not bind on any address out of [('203.0.113.1', 8080)]"), True),  # Python 3.13
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)), False),
        (OSError("something else"), False),
    ],
)
def test_an_address_of_another_machine_is_told_from_other_troubles(error: OSError, expected: bool) -> None:
    assert is_foreign(error) is expected


def test_a_port_that_this_user_may_not_use_is_named_with_another_one(tmp_path: Path) -> None:
    settings = load(fields(), {"PORT": "80"}, tmp_path, tmp_path)
    said = why_not(PermissionError(errno.EACCES, "error while attempting to bind on address"), settings)
    assert said.startswith("port 80 of 127.0.0.1 may not be used by this user. Choose one above 1023: PORT=8080 ")
