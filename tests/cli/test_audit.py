"""gatebell audit verify: the log is held against itself and against its anchor, and what is wrong is said in words."""

import json
import sqlite3
from contextlib import closing

import pytest

from bot.audit.anchor import FILE
from bot.cli.audit import DONE, RESTORED
from tests.cli.conftest import Shell


@pytest.fixture
def three(shell: Shell) -> Shell:
    """An installation whose log has three entries."""
    for name in ("ana", "ben", "mia"):
        shell.run("operator", "add", f"{name}@example.com")
    return shell


def change(shell: Shell, *sql: str) -> None:
    with closing(sqlite3.connect(shell.folder / "gatebell.db")) as db, db:
        for each in sql:
            db.execute(each)


def actions(shell: Shell) -> list[str]:
    """What the log holds, oldest first."""
    return [json.loads(line)["action"] for line in reversed(shell.run("audit", "export").stdout.splitlines())]


EMPTIED = ("DELETE FROM audit", "DELETE FROM audit_head")


@pytest.mark.parametrize(
    "sql, words",
    [
        (("UPDATE audit SET actor = 'nobody' WHERE seq = 2",), "Entry 2 is not as it was written"),
        (("DELETE FROM audit WHERE seq = 3",), "Entries are missing at the end: entry 3."),
        (("DELETE FROM audit",), "The log was emptied: entries 1 to 3 are missing."),
        (("DELETE FROM audit_head",), "The row with the end of the log is gone"),
        (EMPTIED, "The log is empty, and the row with its end is gone. 3 entries stood there on "),
    ],
)
def test_what_was_done_to_the_log_is_said_in_words(three: Shell, sql: tuple[str, ...], words: str) -> None:
    change(three, *sql)
    told = three.run("audit", "verify")
    assert (told.exit_code, told.stderr.startswith(words)) == (1, True)
    assert told.stderr.endswith(f"{RESTORED if sql is EMPTIED else DONE}\n")


def test_the_list_says_who_did_it_and_for_whom(three: Shell) -> None:
    change(three, "UPDATE audit SET on_behalf = 'ana@example.com' WHERE seq = 3")
    newest, *others = three.run("audit", "list").stdout.splitlines()
    assert "cli for ana@example.com  operator.added" in newest
    assert [" for " in line for line in others] == [False, False]


def test_the_list_says_in_which_zone_its_times_are(three: Shell) -> None:
    change(three, "UPDATE audit SET at = 1795176000.25 WHERE seq = 3")
    assert "  2026-11-20 12:00:00 UTC  cli  " in three.run("audit", "list", "--limit", "1").stdout


def test_a_log_that_is_whole_says_so(three: Shell) -> None:
    told = three.run("audit", "verify")
    assert (told.exit_code, told.stdout) == (0, "Every entry is as it was written, and none is missing (3 entries).\n")


def test_an_older_database_is_accepted_once_it_is_said_that_a_backup_was_put_back(three: Shell) -> None:
    whole = (three.folder / "gatebell.db").read_bytes()
    three.run("operator", "add", "dan@example.com")
    (three.folder / "gatebell.db").write_bytes(whole)
    refused = three.run("audit", "verify")
    accepted = three.run("audit", "verify", "--accept-restored")
    assert (refused.exit_code, "--accept-restored" in refused.stderr) == (1, True)
    assert (accepted.exit_code, "entry 4 is missing" in accepted.stdout) == (0, True)
    assert (three.run("audit", "verify").exit_code, actions(three)[3:]) == (0, ["audit.accepted"])


@pytest.mark.parametrize("sql", ["UPDATE audit SET actor = 'nobody' WHERE seq = 2", "DELETE FROM audit WHERE seq = 3"])
def test_what_no_backup_explains_is_not_accepted(three: Shell, sql: str) -> None:
    change(three, sql)
    assert three.run("audit", "verify", "--accept-restored").exit_code == 1
    assert "audit.accepted" not in actions(three)


def test_nothing_is_accepted_where_nothing_is_wrong(three: Shell) -> None:
    assert three.run("audit", "verify", "--accept-restored").exit_code == 0
    assert actions(three) == ["operator.added"] * 3


def test_an_anchor_that_is_gone_is_said_and_made_anew(three: Shell) -> None:
    (three.folder / FILE).unlink()
    told = three.run("audit", "verify")
    assert (told.exit_code, "There was no anchor" in told.stderr) == (0, True)
    assert (actions(three)[-1], three.run("audit", "verify").stderr) == ("audit.anchored", "")


def test_a_changed_anchor_is_named_and_may_be_put_right(three: Shell) -> None:
    file = three.folder / FILE
    file.write_text(file.read_text().replace('"entries": 3', '"entries": 2'))
    told = three.run("audit", "verify")
    assert (told.exit_code, told.stderr.startswith("The anchor is not as it was written")) == (1, True)
    assert three.run("audit", "verify", "--accept-restored").exit_code == 0
    assert three.run("audit", "verify").exit_code == 0


def test_the_anchor_holds_no_secret_and_is_its_owners_alone(three: Shell) -> None:
    file = three.folder / FILE
    assert (set(json.loads(file.read_text())), file.stat().st_mode & 0o777) == (
        {"entries", "last", "at", "seal"},
        0o600,
    )
