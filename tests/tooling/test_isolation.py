"""What one test leaves behind, no other one finds."""

import logging

import pytest

from bot.logs import start_logging


@pytest.mark.parametrize("round_", [1, 2])
def test_logging_is_as_it_was_before_a_command(round_: int) -> None:
    root = logging.getLogger()
    assert (root.level, logging.getLogger("py.warnings").handlers) == (logging.WARNING, [])
    start_logging("error", "text", [])
