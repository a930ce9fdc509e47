import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.channels.contract import Field
from bot.channels.registry import fields as all_fields
from bot.core_fields import CORE
from bot.settings import ENVIRONMENT, Flaw, Settings, SettingsFault, again, data_dir, load, save

TOKEN = Field("SLACK_BOT_TOKEN", "The bot's token.", secret=True, aliases=("MCP_ALERT_SLACK_TOKEN",))


def loaded(tmp_path: Path, environ: Mapping[str, str] = {}) -> Settings:
    return load([TOKEN], environ, tmp_path / "data", tmp_path)


def flaws(tmp_path: Path, environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(SettingsFault) as caught:
        loaded(tmp_path, environ)
    return [flaw.name for flaw in caught.value.flaws]


def test_nothing_has_to_be_said(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert (settings.host, settings.port, settings.base_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert settings.database_url == f"sqlite:///{tmp_path}/data/gatebell.db"
    assert (settings.chain, settings.cooldown, settings.alerting) == (("slack", "teams", "email"), 3600, True)


@pytest.mark.parametrize(
    "host, address",
    [
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("box", "http://box:80"),
    ],
)
def test_the_own_address_is_one_that_can_be_reached(tmp_path: Path, host: str, address: str) -> None:
    assert loaded(tmp_path, {"HOST": host, "PORT": "80"}).base_url == address


@pytest.mark.parametrize(
    "host, stored",
    [("[::1]", "::1"), ("Gate.Example.com", "gate.example.com"), ("gate_bell-1", "gate_bell-1"), ("::", "::")],
)
def test_a_host_is_an_address_or_a_name(tmp_path: Path, host: str, stored: str) -> None:
    assert loaded(tmp_path, {"HOST": host}).host == stored


@pytest.mark.parametrize(
    "wrong", ["http://0.0.0.0", "0.0.0.0:80", "10.0.0.0/8", "256.0.0.1", "8080", "a b", "-box", "a..b", "x" * 64, "*"]
)
def test_a_host_that_is_neither_an_address_nor_a_name_is_a_flaw_with_its_mend(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        loaded(tmp_path, {"HOST": wrong})
    said = f"HOST: {wrong!r} is neither an IP address nor the name of a host (in the environment). Give an address"
    assert str(caught.value).startswith(said)


def test_what_joins_the_process_environment_later_was_not_said_from_outside(tmp_path: Path) -> None:
    """What is saved is published there, and must stay changeable by whoever saved it."""
    environ = {"PORT": "1"}
    settings = loaded(tmp_path, environ)
    environ |= {"PORT": "2", "SLACK_BOT_TOKEN": "xoxb-saved"}
    after = again(settings, {"SLACK_BOT_TOKEN": "xoxb-saved"})
    assert (after.port, after.locked("PORT"), after.locked("SLACK_BOT_TOKEN")) == (1, True, False)


def test_the_environment_outranks_what_is_saved_and_that_outranks_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOST=dotenv\nPORT=1\nCHAIN=email\n")
    save(tmp_path / "data", {"HOST": "saved", "PORT": "2"})
    settings = loaded(tmp_path, {"HOST": "127.0.0.2"})
    assert (settings.host, settings.port, settings.chain) == ("127.0.0.2", 2, ("email",))
    assert (settings.locked("HOST"), settings.locked("PORT")) == (True, False)


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    save(tmp_path / "data", {"PORT": "2"})
    assert loaded(tmp_path, {"PORT": ""}).port == 2


def test_every_flaw_is_told_at_once_with_its_mend(tmp_path: Path) -> None:
    wrong = {
        "PORT": "http",
        "COOLDOWN_SECONDS": "-1",
        "PACING": "maybe",
        "BASE_URL": "gatebell",
        "DATABASE_URL": "mysql://x",
    }
    assert sorted(flaws(tmp_path, wrong)) == sorted(wrong)


NONSENSE = ("\x07", "nothing like it", "-1", "http://", "99999999999", "\N{EURO SIGN}", "x" * 9999)


@pytest.mark.parametrize("name", [each.name for each in (*CORE, *all_fields())])
def test_every_setting_that_is_wrong_says_its_name_and_its_mend(tmp_path: Path, name: str) -> None:
    told = [flaw for wrong in NONSENSE for flaw in flaws_of(tmp_path, name, wrong)]
    assert [flaw for flaw in told if flaw.name != name or not flaw.wrong or not flaw.mend] == []


def flaws_of(tmp_path: Path, name: str, value: str) -> tuple[Flaw, ...]:
    try:
        load(all_fields(), {name: value}, tmp_path / "data", tmp_path)
    except SettingsFault as fault:
        return fault.flaws
    return ()


def test_a_flaw_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        loaded(tmp_path, {"PORT": "http"})
    assert str(caught.value) == "PORT: 'http' is not a port (in the environment). Give a number up to 65535."


def test_a_flaw_of_a_secret_address_does_not_tell_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        loaded(tmp_path, {"DATABASE_URL": "mysql://u:hunter22@h/d", "REDIS_URL": "http://:hunter22@h"})
    assert "hunter22" not in str(caught.value)


def test_another_gateways_name_is_understood(tmp_path: Path) -> None:
    settings = loaded(tmp_path, {"MCP_ALERT_SLACK_TOKEN": "xoxb-1"})
    assert settings["SLACK_BOT_TOKEN"] == "xoxb-1"
    assert settings.sources["SLACK_BOT_TOKEN"] == ENVIRONMENT


def test_two_names_of_one_thing_must_agree(tmp_path: Path) -> None:
    assert flaws(tmp_path, {"SLACK_BOT_TOKEN": "xoxb-1", "MCP_ALERT_SLACK_TOKEN": "xoxb-2"}) == ["SLACK_BOT_TOKEN"]


def test_two_names_may_say_the_same_in_different_words(tmp_path: Path) -> None:
    assert not loaded(tmp_path, {"ALERTING_ENABLED": "off", "MCPGATEWAY_ALERTING_ENABLED": "false"}).alerting


def test_e_mail_can_be_taken_out_of_the_chain(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"MCPGATEWAY_ALERT_EMAIL_ENABLED": "false"}).chain == ("slack", "teams")


def test_a_slip_of_the_pen_is_noticed(tmp_path: Path) -> None:
    warnings = loaded(
        tmp_path, {"SLACK_BOT_TOKN": "x", "SLACK_HOME": "y", "GATEBELL_URL": "z", "PATH": "/bin"}
    ).warnings
    assert warnings == ("SLACK_BOT_TOKN (in the environment) is not a setting; perhaps SLACK_BOT_TOKEN is meant",)


@pytest.mark.parametrize("slip, meant", [("COOLDOWN_SECOND", "COOLDOWN_SECONDS"), ("DATABASE_URI", "DATABASE_URL")])
def test_a_slip_in_a_setting_of_the_core_is_noticed_too(tmp_path: Path, slip: str, meant: str) -> None:
    said = f"{slip} (in the environment) is not a setting; perhaps {meant} is meant"
    assert loaded(tmp_path, {slip: "x"}).warnings == (said,)


def test_a_clock_that_can_be_moved_is_only_for_this_machine(tmp_path: Path) -> None:
    assert flaws(tmp_path, {"GATEBELL_TEST_CLOCK": "on", "HOST": "0.0.0.0"}) == ["GATEBELL_TEST_CLOCK"]
    assert loaded(tmp_path, {"GATEBELL_TEST_CLOCK": "1"}).test_clock


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql+asyncpg://u@h/d", "postgresql://u@h/d"])
def test_a_database_has_many_spellings(tmp_path: Path, url: str) -> None:
    assert loaded(tmp_path, {"DATABASE_URL": url}).database_url == "postgresql://u@h/d"


def test_replicas_that_would_not_share_a_secret_are_warned(tmp_path: Path) -> None:
    assert "SECRET_KEY" in loaded(tmp_path, {"DATABASE_URL": "postgresql://u@h/d"}).warnings[0]


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    first = loaded(tmp_path).secret_key
    assert loaded(tmp_path).secret_key == first
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_make_one_secret(tmp_path: Path) -> None:
    script = "import sys, pathlib; from bot.settings import own_secret; print(own_secret(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({each.communicate()[0] for each in running}) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_a_flaw(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert flaws(tmp_path, {}) == ["GATEBELL_DATA_DIR"]


def test_a_file_where_the_directory_should_be_is_a_flaw(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert "GATEBELL_DATA_DIR" in flaws(tmp_path, {})


def test_secrets_are_listed_with_what_addresses_hide(tmp_path: Path) -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "DATABASE_URL": "postgresql://u:p%40ss@h/d",
        "SECRET_KEY": "a" * 16 + "," + "b" * 16,
    }
    assert {"xoxb-1", "p@ss", "a" * 16, "b" * 16} <= set(loaded(tmp_path, environ).secrets)


def test_settings_do_not_tell_their_values_in_a_trace(tmp_path: Path) -> None:
    assert "xoxb" not in repr(loaded(tmp_path, {"SLACK_BOT_TOKEN": "xoxb-1"}))


def test_a_wrong_value_is_not_saved_nor_what_came_with_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault):
        save(tmp_path / "data", {"PORT": "http", "HOST": "box"})
    assert loaded(tmp_path).host == "127.0.0.1"


def test_saving_takes_other_names_for_it_out(tmp_path: Path) -> None:
    save(tmp_path / "data", {"MCP_ALERT_SLACK_TOKEN": "xoxb-1"})
    save(tmp_path / "data", {"SLACK_BOT_TOKEN": "xoxb-2"}, [TOKEN])
    assert loaded(tmp_path)["SLACK_BOT_TOKEN"] == "xoxb-2"


def test_the_data_directory_may_stand_in_the_working_directorys_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GATEBELL_DATA_DIR=/srv/gatebell\n")
    assert data_dir({}, tmp_path) == Path("/srv/gatebell")
    assert data_dir({"GATEBELL_DATA_DIR": "/data"}, tmp_path) == Path("/data")


def test_a_channel_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        load(all_fields(), {"CHAIN": "slack,slak"}, tmp_path / "data", tmp_path)
    assert str(caught.value) == "CHAIN: “slak” is no channel. Channels are email, slack, teams, webhook."


def test_every_channel_with_settings_may_stand_in_the_chain(tmp_path: Path) -> None:
    chain = "webhook,email,teams,slack"
    assert load(all_fields(), {"CHAIN": chain}, tmp_path / "data", tmp_path)["CHAIN"] == chain


@pytest.mark.parametrize(
    "name, value, words",
    [
        (
            "BASE_URL",
            "gatebell.corp",
            "BASE_URL: “gatebell.corp” lacks https:// at its beginning (in the environment).",
        ),
        ("BASE_URL", "https://", "BASE_URL: “https://” names no host (in the environment)."),
        ("REDIS_URL", "hunter22@redis", "REDIS_URL: the address lacks redis:// at its beginning (in the environment)."),
        ("AGENT_URL", "agent/hunter22", "AGENT_URL: the address lacks https:// at its beginning (in the environment)."),
        ("DATABASE_URL", "hunter22", "DATABASE_URL: the address is neither sqlite:///PATH nor postgresql://"),
        ("SECRET_KEY", "hunter22", "SECRET_KEY: one of its parts is shorter than 16 characters (in the environment)."),
        ("AGENT_SECRET", "hunter2", "AGENT_SECRET: the secret is shorter than 16 characters, so it could be guessed"),
        (
            "SMTP_PORT",
            "99999",
            "SMTP_PORT: A port is a number from 1 to 65535; mail servers take mail on 587, 465 or 25 (in the env",
        ),
    ],
)
def test_what_is_wrong_is_a_whole_sentence_without_secrets(tmp_path: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        load(all_fields(), {name: value}, tmp_path / "data", tmp_path)
    assert str(caught.value).startswith(words)
    assert "hunter2" not in str(caught.value)


def test_of_what_was_given_nobody_is_told_that_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault) as caught:
        save(tmp_path, {"SMTP_PORT": "99999"}, all_fields())
    assert str(caught.value).startswith(
        "SMTP_PORT: A port is a number from 1 to 65535; mail servers take mail on 587, 465 or 25. "
    )


def test_where_the_data_lies_is_not_saved_in_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="Set it where the process is started"):
        save(tmp_path, {"GATEBELL_DATA_DIR": "/elsewhere"}, all_fields())
