"""What the set-up says while it works."""

import sys

import pytest

from scripts.install import SetupError, run


def test_a_step_that_works_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    run([sys.executable, "-c", "import sys; print('chatter'); print('warning', file=sys.stderr)"], "it could not")
    assert capfd.readouterr() == ("", "")


def test_a_step_that_fails_shows_everything_it_said(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupError, match=r"it could not: .* ended with 3"):
        run([sys.executable, "-c", "import sys; print('no network', file=sys.stderr); sys.exit(3)"], "it could not")
    assert "no network" in capfd.readouterr().err
