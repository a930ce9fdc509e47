import errno
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot import vault
from bot.cli.opened import refused_in_words
from bot.cli.reading import AS_ITS_USER, closed
from bot.logs import HIDDEN
from bot.signing import derive
from bot.version import VERSION
from tests.cli.conftest import Shell


def test_it_says_which_version_it_is(shell: Shell) -> None:
    assert shell.run("--version").stdout == f"gatebell {VERSION}\n"


@pytest.mark.parametrize("command", ["serve", "demo", "send", "operator", "key", "audit", "config"])
def test_every_command_is_listed(shell: Shell, command: str) -> None:
    assert command in shell.run("--help").stdout


def test_people_are_added_listed_and_removed(shell: Shell) -> None:
    shell.run("operator", "add", "Ana@example.com", "--name", "Ana", "--role", "admin")
    shell.run("operator", "add", "ben@example.com")
    shell.run("operator", "remove", "ben@example.com")
    listed = json.loads(shell.run("operator", "list", "--json").stdout)
    assert [(each["email"], each["name"], each["role"]) for each in listed] == [("ana@example.com", "Ana", "admin")]


@pytest.mark.parametrize(
    "words", [("operator", "remove", "ana@example.com"), ("operator", "add", "ana@example.com", "--role", "viewer")]
)
def test_the_last_admin_stays_one(shell: Shell, words: tuple[str, ...]) -> None:
    shell.run("operator", "add", "ana@example.com", "--role", "admin")
    shell.run("operator", "add", "ben@example.com")
    refused = shell.run(*words)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "gatebell: somebody has to be an admin, and ana@example.com is the only one; make another one first\n",
    )
    assert "ana@example.com (ana, admin)" in shell.run("operator", "list").stdout


def test_adding_somebody_again_changes_what_is_said_and_nothing_else(shell: Shell) -> None:
    shell.run("operator", "add", "ana@example.com", "--role", "admin")
    shell.run("operator", "add", "ana@example.com", "--name", "Ana")
    assert shell.run("operator", "list").stdout == "ana@example.com (Ana, admin)\n"


@pytest.mark.parametrize(
    "words", [("operator", "remove", "cleo@example.com"), ("operator", "add", "cleo"), ("key", "revoke", "k")]
)
def test_what_cannot_be_done_is_said_in_one_line(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell.run(*words)
    assert (result.exit_code, result.stderr.count("\n"), result.stderr.startswith("gatebell: ")) == (1, 1, True)


def test_a_key_is_shown_once(shell: Shell) -> None:
    made = json.loads(shell.run("key", "create", "m", "--scope", "events:write", "--scope", "admin", "--json").stdout)
    assert (set(made), made["scopes"]) == ({"id", "name", "key", "scopes"}, ["admin", "events:write"])
    assert made["key"] not in shell.run("key", "list", "--json").stdout + shell.run("audit", "export").stdout


def test_a_key_may_belong_to_an_operator(shell: Shell) -> None:
    shell.run("operator", "add", "ana@example.com")
    shell.run("key", "create", "m", "--scope", "interactions:write", "--operator", "ana@example.com")
    (ana,) = json.loads(shell.run("operator", "list", "--json").stdout)
    (key,) = json.loads(shell.run("key", "list", "--json").stdout)
    assert key["operator_id"] == ana["id"]


def test_a_key_alone_is_what_a_script_reads(shell: Shell) -> None:
    assert shell.run("key", "create", "m", "--scope", "events:write").stdout.strip().startswith("gb_")


def test_an_unknown_scope_is_a_usage_error_that_lists_them(shell: Shell) -> None:
    result = shell.run("key", "create", "m", "--scope", "event:write")
    assert result.exit_code == 2
    assert "events:write" in result.stderr


def test_a_revoked_key_says_so(shell: Shell) -> None:
    shell.run("key", "create", "m", "--scope", "events:write")
    shell.run("key", "revoke", "m")
    assert shell.run("key", "list").stdout.strip().endswith("m (events:write), revoked")


def test_a_changed_audit_log_is_found_out(shell: Shell) -> None:
    shell.run("operator", "add", "ana@example.com")
    shell.run("operator", "add", "ben@example.com")
    assert shell.run("audit", "verify").exit_code == 0
    with closing(sqlite3.connect(shell.folder / "gatebell.db")) as database, database:
        database.execute("UPDATE audit SET subject = 'cleo@example.com' WHERE seq = 2")
    result = shell.run("audit", "verify")
    assert (result.exit_code, result.stderr.startswith("Entry 2 ")) == (1, True)
    assert "cli  operator.added  cleo@example.com" in result.stderr


def test_the_audit_log_is_exported_line_by_line(shell: Shell) -> None:
    shell.run("operator", "add", "ana@example.com")
    lines = [json.loads(line) for line in shell.run("audit", "export").stdout.splitlines()]
    assert [(line["seq"], line["action"], line["actor"]) for line in lines] == [(1, "operator.added", "cli")]


@pytest.mark.parametrize(
    "words, listed",
    [
        ((), ["cli  key.created  ", "operator.added  ben@example.com", "operator.added  ana@example.com"]),
        (("--limit", "1"), ["cli  key.created  "]),
        (("--subject", "ana@example.com"), ["operator.added  ana@example.com"]),
    ],
)
def test_the_audit_log_is_listed_with_the_newest_first(shell: Shell, words: tuple[str, ...], listed: list[str]) -> None:
    shell.run("operator", "add", "ana@example.com")
    shell.run("operator", "add", "ben@example.com")
    shell.run("key", "create", "m", "--scope", "events:write")
    lines = shell.run("audit", "list", *words).stdout.splitlines()
    assert [said in line for said, line in zip(listed, lines, strict=True)] == [True] * len(listed), lines


def test_a_setting_is_saved_shown_and_taken_out(shell: Shell) -> None:
    assert shell.run("config", "set", "PORT", "9090").exit_code == 0
    assert "PORT=9090" in shell.run("config", "show").stdout
    shell.run("config", "unset", "PORT")
    assert "PORT=8080" in shell.run("config", "show").stdout


def test_a_secret_is_read_from_standard_input_and_never_shown(shell: Shell) -> None:
    shell.run("config", "set", "SMTP_PASSWORD", "-", typed="hunter22\n")
    shown = shell.run("config", "show", "--json").stdout
    assert "SMTP_PASSWORD='hunter22'" in (shell.folder / "gateway.env").read_text().replace("=hunter22", "='hunter22'")
    assert json.loads(shown)["SMTP_PASSWORD"]["value"] == HIDDEN
    assert "hunter22" not in shown


def test_a_setting_that_the_environment_outranks_says_so(shell: Shell) -> None:
    assert "outranks" in shell.run("config", "set", "PORT", "9090", PORT="8081").stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1/hook", "http://0xa9fea9fe/hook", "http://localhost/hook"])
def test_a_webhook_that_leads_inside_is_not_saved(shell: Shell, url: str) -> None:
    refused = shell.run("config", "set", "WEBHOOK_URL", url)
    assert (refused.exit_code, "ALLOWED_PRIVATE_HOSTS" in refused.stderr) == (2, True)
    assert "WEBHOOK_URL" not in shell.run("config", "show").stdout


def test_a_webhook_that_leads_inside_is_saved_where_its_host_is_allowed(shell: Shell) -> None:
    shell.run("config", "set", "ALLOWED_PRIVATE_HOSTS", "10.0.0.0/8")
    assert shell.run("config", "set", "MCP_ALERT_WEBHOOK_URL", "http://10.0.0.7/hook").exit_code == 0


@pytest.mark.parametrize("words", [("config", "set", "PORT", "http"), ("operator", "list")])
def test_wrong_settings_are_told_at_once_with_exit_2(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell.run(*words, PORT="http", PACING="maybe")
    assert (result.exit_code, "PORT" in result.stderr) == (2, True)
    assert ("PACING" in result.stderr) == (words[0] == "operator")
    assert "Traceback" not in result.stderr


def test_a_database_that_is_away_is_said_in_one_line(shell: Shell) -> None:
    result = shell.run("operator", "list", DATABASE_URL="postgresql://gatebell:hunter22@127.0.0.1:1/gatebell")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "hunter22" not in result.stderr


def test_a_printed_link_signs_a_known_operator_in(shell: Shell) -> None:
    shell.run("operator", "add", "ana@example.com", "--role", "admin")
    printed = shell.run("operator", "login-link", "Ana@example.com", BASE_URL="https://gatebell.example.com")
    assert (printed.exit_code, printed.stdout.startswith("https://gatebell.example.com/login/")) == (0, True)


def test_no_link_is_printed_for_somebody_unknown(shell: Shell) -> None:
    refused = shell.run("operator", "login-link", "cleo@example.com")
    assert (refused.exit_code, refused.stdout, "there is no operator" in refused.stderr) == (1, "", True)


OLD, NEW = "the old key of this installation", "the new key of this installation"


def share(shell: Shell) -> None:
    """What a replica has put into the database under the old key."""
    sealed = vault.seal('{"COOLDOWN_SECONDS": "60"}', derive(OLD, "vault"))
    with closing(sqlite3.connect(shell.folder / "gatebell.db")) as db, db:
        db.execute("INSERT INTO saved_settings (id, version, sealed, at) VALUES (1, 1, ?, 0)", (sealed,))


def shared(shell: Shell) -> str:
    with closing(sqlite3.connect(shell.folder / "gatebell.db")) as db:
        return str(db.execute("SELECT sealed FROM saved_settings").fetchone()[0])


def test_after_sealing_anew_the_old_key_is_no_longer_needed(shell: Shell) -> None:
    share(shell)
    told = shell.run("config", "reseal", SECRET_KEY=f"{NEW},{OLD}")
    assert (told.exit_code, told.stdout) == (0, "sealed with the first SECRET_KEY\n")
    assert vault.unseal(shared(shell), derive(NEW, "vault")) == '{"COOLDOWN_SECONDS": "60"}'
    assert "settings.sealed_anew" in shell.run("audit", "list", SECRET_KEY=NEW).stdout


def test_what_no_key_opens_stays_as_it_is(shell: Shell) -> None:
    share(shell)
    before = shared(shell)
    told = shell.run("config", "reseal", SECRET_KEY=NEW)
    assert (told.exit_code, told.stderr.count("\n"), shared(shell) == before) == (1, 1, True)


def test_where_nothing_is_shared_nothing_is_sealed(shell: Shell) -> None:
    told = shell.run("config", "reseal", SECRET_KEY=NEW)
    assert (told.exit_code, "nothing to seal" in told.stdout) == (0, True)


@pytest.mark.parametrize(
    "name, value, environ",
    [
        ("CHAIN", "slack,foo", {}),
        ("CHAIN", "slack,foo", {"CHAIN": "email"}),
        ("HOST", "0.0.0.0", {"GATEBELL_TEST_CLOCK": "on"}),
    ],
)
def test_what_is_wrong_beside_the_other_settings_is_not_saved(
    shell: Shell, name: str, value: str, environ: dict[str, str]
) -> None:
    refused = shell.run("config", "set", name, value, **environ)
    assert (refused.exit_code, "One setting is wrong" in refused.stderr) == (2, True)
    assert not (shell.folder / "gateway.env").exists()


def test_an_older_fault_keeps_nobody_from_saving_something_else(shell: Shell) -> None:
    saved = shell.run("config", "set", "COOLDOWN_SECONDS", "60", GATEBELL_TEST_CLOCK="on", HOST="0.0.0.0")
    assert (saved.exit_code, "COOLDOWN_SECONDS=60" in (shell.folder / "gateway.env").read_text()) == (0, True)


def test_a_file_that_cannot_be_written_is_named_with_what_to_do(shell: Shell) -> None:
    refused = shell.run("audit", "export", "-o", "no/such/audit.jsonl")
    said = "gatebell: no/such/audit.jsonl cannot be written: No such file or directory; name another one with -o\n"
    assert (refused.exit_code, refused.stderr) == (1, said)


def test_a_data_directory_that_cannot_be_made_is_named_without_numbers(shell: Shell) -> None:
    place = shell.folder / "gatebell.db" / "data"
    refused = shell.run("config", "set", "PORT", "8081", GATEBELL_DATA_DIR=str(place))
    assert (refused.exit_code, refused.stderr) == (1, f"gatebell: {place}: Not a directory\n")


def no_entry(place: Path) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def test_another_users_data_directory_is_left_as_it_is_and_says_who_may(tmp_path: Path) -> None:
    flaw = closed(tmp_path, no_entry)
    assert str(flaw) == f"GATEBELL_DATA_DIR: {tmp_path} cannot be read: Permission denied. {AS_ITS_USER}"
    assert closed(tmp_path) is None


def test_another_users_file_is_named_with_who_may(tmp_path: Path) -> None:
    with pytest.raises(PermissionError) as caught:
        no_entry(tmp_path / "secret.key")
    assert refused_in_words(caught.value) == f"{tmp_path}/secret.key: Permission denied. {AS_ITS_USER}"


@pytest.mark.parametrize(
    "words, said",
    [
        (("send", "Hello", "--channel", "foo"), "There is no channel foo. Choose slack, teams, email or webhook.\n"),
        (("send", "Hello", "--channel", "callback"), "There is no channel callback. Choose slack, teams, email or"),
        (("doctor", "--round-trip", "ana@example.com", "--channel", "foo"), "There is no channel foo. Choose slack,"),
        (("doctor", "--channel", "slack"), "--channel goes with --round-trip.\n"),
        (("send", " \n "), 'Say something: gatebell send "Hello"\n'),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(shell: Shell, words: tuple[str, ...], said: str) -> None:
    shell.run("operator", "add", "ana@example.com", "--role", "admin")
    refused = shell.run(*words, "--wait", "1")
    assert (refused.exit_code, refused.stdout, refused.stderr.startswith(said)) == (2, "", True)
    with closing(sqlite3.connect(shell.folder / "gatebell.db")) as db:
        assert db.execute("SELECT COUNT(*) FROM delivery").fetchone() == (0,)


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("PORT", "8090", "It counts at the next start.\n"),
        ("COOLDOWN_SECONDS", "60", ""),
        ("EVENTS_DISABLED", "pii.redaction_warning", ""),
        (
            "EVENTS_DISABLED",
            "pii.redaction_warning,foo.bar",
            "Gatebell has no event class foo.bar; only events that come under exactly this type are kept back.\n",
        ),
    ],
)
def test_a_saved_setting_says_what_one_might_not_expect_of_it(shell: Shell, name: str, value: str, said: str) -> None:
    saved = shell.run("config", "set", name, value)
    assert (saved.exit_code, saved.stderr) == (0, said)


LOOKING = [
    ("doctor",),
    ("doctor", "--round-trip", "ana@example.com"),
    ("operator", "list"),
    ("key", "list"),
    ("audit", "list"),
    ("audit", "verify"),
    ("audit", "export"),
]


@pytest.mark.parametrize("words", LOOKING)
def test_where_there_is_nothing_a_command_that_looks_makes_nothing(shell: Shell, words: tuple[str, ...]) -> None:
    elsewhere = shell.folder / "elsewhere" / "data"
    told = shell.run(*words, GATEBELL_DATA_DIR=str(elsewhere))
    assert (told.exit_code, told.stdout, elsewhere.parent.exists()) == (1, "", False)
    assert told.stderr == (
        f"gatebell: there is no installation at {elsewhere}. Did you mean another one? Set GATEBELL_DATA_DIR."
        " A new one begins with gatebell serve.\n"
    )


@pytest.mark.parametrize("words", LOOKING)
def test_a_folder_that_happens_to_have_a_data_directory_is_no_installation(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "data").mkdir()
    told = stranger(tmp_path).run(*words)
    assert (told.exit_code, "there is no installation at" in told.stderr) == (1, True)
    assert list(tmp_path.rglob("*")) == [tmp_path / "data"]


@pytest.mark.parametrize("words", LOOKING)
def test_a_database_without_its_key_is_no_installation(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = stranger(tmp_path).run(*words, DATABASE_URL="postgresql://gatebell:hunter22@127.0.0.1:1/gatebell")
    assert (told.exit_code, "there is no installation at" in told.stderr) == (1, True)
    assert list(tmp_path.rglob("*")) == []


def test_wrong_settings_are_told_before_anything_is_made(tmp_path: Path) -> None:
    told = stranger(tmp_path).run("doctor", PORT="many")
    assert (told.exit_code, "FAIL  PORT" in told.stdout, list(tmp_path.iterdir())) == (1, True, [])


def test_an_installation_in_the_working_directory_needs_no_name(tmp_path: Path) -> None:
    here = stranger(tmp_path)
    here.run("operator", "add", "ana@example.com")
    assert "ana@example.com" in here.run("operator", "list").stdout


def stranger(folder: Path) -> Shell:
    """A shell in a folder, where nobody has named a data directory."""
    shell = Shell(folder)
    shell.environ = {}
    return shell


@pytest.mark.parametrize("words", [("config", "show"), ("slack-manifest", "--socket-mode")])
def test_looking_at_what_needs_no_database_makes_nothing(shell: Shell, words: tuple[str, ...]) -> None:
    elsewhere = shell.folder / "elsewhere"
    assert shell.run(*words, GATEBELL_DATA_DIR=str(elsewhere)).exit_code == 0
    assert not elsewhere.exists()


def test_a_new_data_directory_is_told(shell: Shell) -> None:
    elsewhere = shell.folder / "elsewhere"
    told = shell.run("operator", "add", "ana@example.com", GATEBELL_DATA_DIR=str(elsewhere))
    said = f"A new data directory was made at {elsewhere}. Did you mean another one? Set GATEBELL_DATA_DIR.\n"
    assert (told.exit_code, told.stderr) == (0, said)


@pytest.mark.parametrize("words", [("operator", "list"), ("send", "Hello"), ("operator", "add", "ana@example.com")])
def test_a_postgresql_that_does_not_answer_is_said_with_its_place(shell: Shell, words: tuple[str, ...]) -> None:
    told = shell.run(*words, DATABASE_URL="postgresql://gatebell:hunter22@127.0.0.1:1/gatebell")
    said = "The database at 127.0.0.1:1 does not answer. Is PostgreSQL running there, and is DATABASE_URL right?"
    assert (told.exit_code, told.stderr) == (1, f"gatebell: {said}\n")


def test_keys_of_the_same_name_are_told_apart_by_their_ids(shell: Shell) -> None:
    made = [json.loads(shell.run("key", "create", "m", "--scope", "metrics", "--json").stdout) for _ in range(2)]
    refused = shell.run("key", "revoke", "m")
    ids = " or ".join(each["id"] for each in made)
    assert (refused.exit_code, refused.stderr) == (1, f"gatebell: 2 keys are named m; give the id: {ids}\n")


def test_only_scopes_that_do_something_are_offered_each_with_its_meaning(shell: Shell) -> None:
    said = shell.run("key", "create", "--help").stdout
    assert ("--scope SCOPE" in " ".join(said.split()), "metrics: read /metrics" in said) == (True, True)
    refused = shell.run("key", "create", "m", "--scope", "alerts:write")
    assert (refused.exit_code, "events:write" in refused.stderr, "alerts" in said) == (2, True, False)


def test_a_word_to_nobody_says_whom_to_add(shell: Shell) -> None:
    told = shell.run("send", "Hello")
    said = "There is nobody to tell yet. Add yourself: gatebell operator add you@example.com --role admin"
    assert (told.exit_code, told.stderr) == (1, f"gatebell: {said}\n")


def test_the_help_says_which_address_a_person_has(shell: Shell) -> None:
    assert "by which Slack and Teams know them" in " ".join(shell.run("operator", "add", "--help").stdout.split())
