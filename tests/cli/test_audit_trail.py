"""What is done on the command line is written down: one row for each thing, with names and never values."""

import json
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Shell

ANA = "ana@example.com"
SECRET = "xoxb-1234567890-abcdefghij"
MAIL = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "SMTP_FROM": "bell@example.com", "CHAIN": "email"}


@dataclass(frozen=True, slots=True)
class Entry:
    action: str
    actor: str
    subject: str
    detail: dict[str, object]


def entries(shell: Shell) -> list[Entry]:
    """The log, oldest first."""
    lines = [json.loads(line) for line in shell.run("audit", "export").stdout.splitlines()]
    return [Entry(line["action"], line["actor"], line["subject"], line["detail"]) for line in reversed(lines)]


@pytest.fixture
def installed(shell: Shell) -> Shell:
    """Ana is an admin, Ben an operator, there is a key, and a setting that is saved."""
    shell.run("operator", "add", ANA, "--role", "admin")
    shell.run("operator", "add", "ben@example.com")
    shell.run("key", "create", "gateway", "--scope", "events:write")
    shell.run("config", "set", "RETENTION_DAYS", "30")
    return shell


@pytest.mark.parametrize(
    "words, action, subject",
    [
        (("config", "set", "COOLDOWN_SECONDS", "60"), "settings.saved", "settings"),
        (("config", "set", "SLACK_BOT_TOKEN", SECRET), "settings.saved", "settings"),
        (("config", "unset", "RETENTION_DAYS"), "settings.saved", "settings"),
        (("config", "set", "MCP_ALERT_SLACK_TOKEN", SECRET), "settings.saved", "settings"),
        (("operator", "add", "mia@example.com"), "operator.added", "mia@example.com"),
        (("operator", "add", "ben@example.com", "--role", "viewer"), "operator.changed", "ben@example.com"),
        (("operator", "remove", "ben@example.com"), "operator.removed", "ben@example.com"),
        (("operator", "login-link", ANA), "session.link_printed", ANA),
        (("key", "create", "monitor", "--scope", "metrics"), "key.created", None),
        (("key", "revoke", "gateway"), "key.revoked", None),
        (("send", "Test", "--to", ANA, "--wait", "0"), "notice.sent", None),
    ],
)
def test_a_command_is_written_down(installed: Shell, words: tuple[str, ...], action: str, subject: str | None) -> None:
    before = len(entries(installed))
    installed.run(*words, **MAIL)
    (new,) = entries(installed)[before:]
    assert (new.action, new.actor, new.subject) == (action, "cli", new.subject if subject is None else subject)
    assert installed.run("audit", "verify").exit_code == 0


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "MCP_ALERT_SLACK_TOKEN"])
def test_of_a_setting_the_name_is_written_down_and_not_the_value(shell: Shell, name: str) -> None:
    shell.run("config", "set", name, SECRET)
    assert entries(shell)[-1].detail == {"names": ["SLACK_BOT_TOKEN"]}
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in shell.folder.glob("gatebell.db*"))


@pytest.mark.parametrize("words", [("set", "COOLDOWN_SECONDS", "3600"), ("unset", "COOLDOWN_SECONDS")])
def test_what_leaves_everything_as_it_is_is_not_written_down(installed: Shell, words: tuple[str, ...]) -> None:
    before = entries(installed)
    assert installed.run("config", *words).exit_code == 0
    assert entries(installed) == before


def test_what_the_environment_outranks_today_is_written_down(installed: Shell) -> None:
    before = entries(installed)
    installed.run("config", "set", "COOLDOWN_SECONDS", "60", COOLDOWN_SECONDS="90")
    assert [each.action for each in entries(installed)[len(before) :]] == ["settings.saved"]


def test_a_setting_that_is_refused_is_not_written_down(installed: Shell) -> None:
    before = entries(installed)
    assert installed.run("config", "set", "PORT", "http").exit_code == 2
    assert entries(installed) == before


def test_a_key_that_replaces_another_leaves_the_log_whole(installed: Shell) -> None:
    old = (installed.folder / "secret.key").read_text()
    installed.run("config", "set", "SECRET_KEY", f"a newer key of this installation,{old}")
    installed.run("operator", "add", "mia@example.com")
    assert installed.run("audit", "verify").exit_code == 0
    assert [each.action for each in entries(installed)][-2:] == ["settings.saved", "operator.added"]


@pytest.mark.parametrize(
    "environ, why",
    [
        ({"DATABASE_URL": "postgresql://gatebell:hunter22@127.0.0.1:1/gatebell"}, "could not be written into"),
        ({"PACING": "maybe"}, "other settings are wrong"),
    ],
)
def test_a_setting_is_saved_though_it_cannot_be_written_down(shell: Shell, environ: dict[str, str], why: str) -> None:
    told = shell.run("config", "set", "COOLDOWN_SECONDS", "60", **environ)
    assert (told.exit_code, why in told.stderr, "hunter22" in told.stderr) == (0, True, False)
    assert "COOLDOWN_SECONDS=60" in (shell.folder / "gateway.env").read_text()


def test_a_round_trip_is_written_down(installed: Shell) -> None:
    before = len(entries(installed))
    installed.run("doctor", "--round-trip", ANA, "--channel", "email", "--wait", "1", **MAIL)
    assert ("test.asked", "cli") in [(each.action, each.actor) for each in entries(installed)[before:]]
