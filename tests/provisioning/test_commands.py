"""The two commands that make what is uploaded."""

import json
from contextlib import chdir
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.provisioning import SlackApp, creation_link, slack_manifest
from teams_manifest import TeamsApp, package

BOT = "11111111-2222-4333-8444-555555555555"
URL = "https://gatebell.example.com"


def run(folder: Path, *words: str, **environ: str) -> Result:
    with chdir(folder):  # a developer's own .env is none of a test's business
        return CliRunner().invoke(app, words, env={"GATEBELL_DATA_DIR": str(folder), **environ})


# ---- teams-package ---------------------------------------------------------------------------------------------------


def test_the_package_is_made_of_the_settings(tmp_path: Path) -> None:
    done = run(tmp_path, "teams-package", "-o", "bell.zip", TEAMS_APP_ID=BOT, BASE_URL=URL)
    assert (done.exit_code, (tmp_path / "bell.zip").read_bytes()) == (0, package(TeamsApp(BOT, URL)))
    assert "Upload an app" in done.stdout


def test_the_package_can_go_to_standard_output(tmp_path: Path) -> None:
    done = run(tmp_path, "teams-package", "-o", "-", TEAMS_APP_ID=BOT, BASE_URL=URL)
    assert done.stdout_bytes == package(TeamsApp(BOT, URL))


def test_what_people_see_can_be_said(tmp_path: Path) -> None:
    more = ("--name", "Bell", "--developer", "Example", "--app-version", "1.2.0")
    run(tmp_path, "teams-package", "-o", "bell.zip", *more, TEAMS_APP_ID=BOT, BASE_URL=URL)
    with ZipFile(tmp_path / "bell.zip") as archive:
        made = json.loads(archive.read("manifest.json"))
    assert (made["name"]["short"], made["developer"]["name"], made["version"]) == ("Bell", "Example", "1.2.0")


def test_settings_that_are_missing_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    done = run(tmp_path, "teams-package", "-o", "bell.zip")
    assert (done.exit_code, (tmp_path / "bell.zip").exists()) == (1, False)
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["TEAMS_APP_ID", "BASE_URL"]


def test_a_file_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "teams-package", "-o", "no/such/bell.zip", TEAMS_APP_ID=BOT, BASE_URL=URL)
    assert (done.exit_code, done.stderr.count("\n"), "no/such/bell.zip" in done.stderr) == (1, 1, True)


# ---- slack-manifest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, expected",
    [
        ((), SlackApp(URL)),
        (("--full",), SlackApp(URL)),
        (("--minimal",), SlackApp(URL, minimal=True)),
        (("--socket-mode",), SlackApp(socket_mode=True)),
        (("--url", "https://other.example.com"), SlackApp("https://other.example.com")),
        (("--name", "Bell"), SlackApp(URL, name="Bell")),
    ],
)
def test_the_manifest_is_printed(tmp_path: Path, words: tuple[str, ...], expected: SlackApp) -> None:
    done = run(tmp_path, "slack-manifest", *words, BASE_URL=URL)
    assert json.loads(done.stdout) == slack_manifest(expected)


def test_the_link_is_printed(tmp_path: Path) -> None:
    done = run(tmp_path, "slack-manifest", "--socket-mode", "--link")
    assert done.stdout == creation_link(slack_manifest(SlackApp(socket_mode=True))) + "\n"


@pytest.mark.parametrize(
    "words, named",
    [
        ((), ["chat:write", "users:read", "users:read.email", "im:history", "app_mentions:read", "commands"]),
        (("--minimal",), ["chat:write", "users:read", "users:read.email"]),
        (("--minimal", "--socket-mode"), ["chat:write", "users:read", "users:read.email", "connections:write"]),
    ],
)
def test_every_right_is_explained(tmp_path: Path, words: tuple[str, ...], named: list[str]) -> None:
    lines = run(tmp_path, "slack-manifest", "--explain", *words).stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == named
    assert len(lines) == 3 * len(named)


def test_an_address_that_slack_cannot_call_is_told_with_both_ways_out(tmp_path: Path) -> None:
    done = run(tmp_path, "slack-manifest")
    assert done.exit_code == 1
    assert all(word in done.stderr for word in ("BASE_URL", "--url", "--socket-mode"))


def test_a_wrong_name_is_a_usage_error(tmp_path: Path) -> None:
    assert run(tmp_path, "slack-manifest", "--socket-mode", "--name", "G" * 36).exit_code == 2
