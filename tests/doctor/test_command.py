"""gatebell doctor, as somebody runs it, with a server or without."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.stories.world import ANA, World, free_port

ROOT = Path(__file__).resolve().parents[2]


async def doctor(data: Path, *options: str, **settings: str) -> tuple[int, str]:
    environ = {"PATH": os.environ["PATH"], "GATEBELL_DATA_DIR": str(data), **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "doctor",
        *options,
        cwd=data,
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def added(data: Path, email: str) -> None:
    """An admin, as `gatebell operator add` makes one."""
    await asyncio.to_thread(Shell(data).run, "operator", "add", email, "--role", "admin")


async def test_all_is_well_beside_a_running_server(world: World) -> None:
    settings = world.product.settings.now
    code, said = await doctor(settings.data_dir, **world.platforms.settings(settings.port))
    assert (code, said.splitlines()[-1]) == (0, "All is well.")
    assert "Reaches us" in said
    assert not [secret for secret in settings.secrets if secret in said]


async def test_a_round_trip_from_the_terminal_goes_through_the_running_server(world: World) -> None:
    settings = world.product.settings.now
    told = world.platforms.settings(settings.port)
    asked = doctor(settings.data_dir, "--round-trip", ANA, "--channel", "slack", "--wait", "20", **told)
    running = asyncio.create_task(asked)
    await world.slack.dm(ANA).wait_for("It works", within=15)
    await world.slack.dm(ANA).click("It works")
    code, said = await running
    assert code == 0, said
    assert "The card shows what was answered." in said


async def test_a_round_trip_takes_the_first_channel_that_is_set_up(tmp_path: Path) -> None:
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "SMTP_FROM": "bell@example.com", "PORT": str(free_port())}
    await added(tmp_path, ANA)
    _, said = await doctor(tmp_path, "--round-trip", ANA, "--wait", "1", **mail)
    assert "Round trip on email" in said


@pytest.mark.parametrize(
    "named, words",
    [
        (("--channel", "slack"), "gatebell: Slack is not set up. Set it up under General → Notifications."),
        ((), "gatebell: No channel is set up. Set one up under General → Notifications."),
    ],
)
async def test_a_round_trip_on_what_is_not_set_up_is_not_begun(
    tmp_path: Path, named: tuple[str, ...], words: str
) -> None:
    await added(tmp_path, ANA)
    code, said = await doctor(tmp_path, "--round-trip", ANA, *named, PORT=str(free_port()))
    assert (code, words in said.splitlines()) == (1, True)


async def test_an_empty_installation_is_told_what_to_do_first(tmp_path: Path) -> None:
    code, said = await doctor(tmp_path, PORT=str(free_port()))
    assert code == 1
    assert "gatebell operator add you@example.com --role admin" in said
    assert "Gatebell is not running" in said


async def test_wrong_settings_are_checks_too(tmp_path: Path) -> None:
    code, said = await doctor(tmp_path, SMTP_PORT="99999", PORT="many")
    assert code == 1
    assert "FAIL  SMTP_PORT" in said
    assert "2 things to fix." in said


async def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    code, said = await doctor(tmp_path, DATABASE_URL="postgresql://gatebell:hidden@127.0.0.1:1/gatebell")
    assert code == 1
    assert "FAIL  PostgreSQL" in said
    assert "hidden" not in said
