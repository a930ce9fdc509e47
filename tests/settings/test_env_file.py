import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.env_file import Unreadable, change, read, unread

VALUES = [
    "a#b",
    "a # b",
    "'",
    '"',
    'it\'s "so"',
    "${HOME}",
    "$HOME",
    "one\ntwo",
    "\r\n",
    " padded ",
    "\\",
    "a\\'b",
    "é…",
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_saved_is_what_is_read(tmp_path: Path, value: str) -> None:
    path = tmp_path / "gateway.env"
    change(path, {"FIRST": value, "SECOND": "after 'it'"})
    assert read(path) == {"FIRST": value, "SECOND": "after 'it'"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_any_text_survives_beside_any_other(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    path = tmp_path_factory.mktemp("saved") / "gateway.env"
    named = {f"NAME_{number}": value for number, value in enumerate(values)}
    change(path, dict(named))
    assert read(path) == named


def test_what_is_not_changed_stays_with_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "gateway.env"
    path.write_text("# ours\nexport KEPT='as it was' # why\nCHANGED=1\nGONE=1\nLAST=x")
    change(path, {"CHANGED": "2", "GONE": None})
    assert path.read_text() == "# ours\nexport KEPT='as it was' # why\nLAST=x\nCHANGED=2\n"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.env"
    path.touch(mode=0o644)
    change(path, {"A": "1"})
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_save_at_once_all_have_their_say(tmp_path: Path) -> None:
    path = tmp_path / "gateway.env"
    script = (
        "import sys, pathlib; from bot.env_file import change\n"
        "for n in range(20): change(pathlib.Path(sys.argv[1]), {f'{sys.argv[2]}_{n}': 'x'})"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("A", "B", "C")]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert len(read(path)) == 60


def test_a_line_that_says_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gateway.env"
    path.write_text("A=1\n=nonsense 'open\n")
    with pytest.raises(Unreadable, match="line 2"):
        read(path)


def test_a_file_that_is_none_is_named_without_numbers(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"^cannot be read: Is a directory$"):
        read(tmp_path)


@pytest.mark.parametrize(
    "error, mend",
    [
        (PermissionError(13, "Permission denied", ".env"), "Let the user that Gatebell runs as read it."),
        (OSError(5, "Input/output error", ".env"), "Fix or remove the file."),
    ],
)
def test_nobody_is_told_to_remove_what_is_only_closed_to_us(error: OSError, mend: str) -> None:
    assert unread(error).mend == mend


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name"):
        change(tmp_path / "gateway.env", {"A=1\nB": "x"})
