"""Settings that are saved hold at once, in every replica, or not at all."""

import asyncio
import os
import time
from pathlib import Path
from socket import AF_INET, AddressFamily
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from bot import settings as settings_files
from bot.live_settings import LOOK_AT_DATABASE
from bot.settings import SAVED, SettingsFault
from bot.store import StoreUnavailable
from tests.channels.http.names import Names
from tests.conftest import postgres_execute
from tests.patience import PATIENCE
from tests.stories.world import ANA, Platforms, World, installed

FULL = (  # what PostgreSQL answers when the disk is full, for this one table
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RAISE 'no room' USING ERRCODE = 'disk_full'; END $$;"
    "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON saved_settings EXECUTE FUNCTION refuse()"
)


@pytest.fixture
def bare(platforms: Platforms) -> dict[str, Any]:
    """Slack is not set up in the environment, so that it can be set up while the server runs."""
    return {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": "", "SLACK_API_URL": ""}


def slack_settings(platforms: Platforms) -> dict[str, str | None]:
    return {
        "SLACK_BOT_TOKEN": platforms.slack.bot_token,
        "SLACK_SIGNING_SECRET": platforms.slack.signing_secret,
        "SLACK_API_URL": platforms.slack.api_url,
    }


async def test_a_channel_that_is_set_up_while_the_server_runs_works_both_ways(
    platforms: Platforms, data: Path, bare: dict[str, Any]
) -> None:
    async with installed(platforms, data, CHAIN="slack", **bare) as world:
        async with world.http.post(f"{world.address}/slack/events", data=b"{}") as before:
            assert before.status == 404
        await world.product.settings.save(slack_settings(platforms), "cli")
        asked = await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        await world.slack.dm(ANA).click("Approve")
        assert (await world.end_of(asked["id"]))["status"] == "decided"


async def test_a_channel_that_is_taken_out_answers_no_more(
    platforms: Platforms, data: Path, bare: dict[str, Any]
) -> None:
    async with installed(platforms, data, **bare) as world:
        await world.product.settings.save(slack_settings(platforms), "cli")
        await world.product.settings.save({"SLACK_SIGNING_SECRET": None}, "cli")
        async with world.http.post(f"{world.address}/slack/events", data=b"{}") as after:
            assert after.status == 404


async def test_a_faulty_set_is_refused_whole_and_the_old_one_goes_on(world: World) -> None:
    settings = world.product.settings
    with pytest.raises(SettingsFault, match="COOLDOWN_SECONDS"):
        await settings.save({"CHAIN": "email", "COOLDOWN_SECONDS": "soon"}, "cli")
    assert settings.now["CHAIN"] == "slack,teams,email"
    assert "CHAIN" not in (settings.now.data_dir / SAVED).read_text()


async def test_a_value_of_the_environment_cannot_be_saved_over(world: World) -> None:
    with pytest.raises(SettingsFault, match="locked by the environment"):
        await world.product.settings.save({"SMTP_HOST": "elsewhere.example"}, "cli")


async def test_what_is_saved_is_put_where_child_processes_read_it(world: World) -> None:
    environment = world.product.environment
    await world.product.settings.save({"COOLDOWN_SECONDS": "60"}, "cli")
    assert environment["COOLDOWN_SECONDS"] == "60"
    await world.product.settings.save({"COOLDOWN_SECONDS": None}, "cli")
    assert environment["COOLDOWN_SECONDS"] == "3600"
    assert "COOLDOWN_SECONDS" not in os.environ


async def test_a_file_that_somebody_else_has_changed_is_taken(world: World) -> None:
    settings = world.product.settings
    settings_files.save(settings.now.data_dir, {"COOLDOWN_SECONDS": "90"}, settings.now.fields)
    assert await settings.look()
    assert settings.now.cooldown == 90


async def test_a_change_of_the_file_itself_is_written_down(world: World) -> None:
    settings = world.product.settings
    await settings.save({"COOLDOWN_SECONDS": "60"}, "cli")
    settings_files.save(settings.now.data_dir, {"COOLDOWN_SECONDS": "90"}, settings.now.fields)
    await world.until(lambda: settings.now.cooldown == 90)
    await settings.look()
    assert [each for each in await world.audit() if each[0] == "settings.saved"][-2:] == [
        ("settings.saved", "cli"),
        ("settings.saved", "file"),
    ]


async def test_a_file_with_a_fault_is_not_taken(world: World) -> None:
    settings = world.product.settings
    (settings.now.data_dir / SAVED).write_text("COOLDOWN_SECONDS=soon\n")
    assert not await settings.look()
    assert settings.now.cooldown == 3600


async def test_a_line_that_is_no_setting_ends_nothing_and_is_forgotten_when_it_is_mended(
    platforms: Platforms, data: Path, postgres_story: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with installed(platforms, data, DATABASE_URL=postgres_story) as world:
        (data / SAVED).write_text("CHAIN=slack\nthis is no setting\n")
        await world.until(lambda: "the saved settings have a fault" in caplog.text)
        assert world.product.settings.now["CHAIN"] == "slack,teams,email"
        (data / SAVED).write_text("CHAIN=slack\n")
        await world.until(lambda: world.product.settings.now["CHAIN"] == "slack")
        assert caplog.text.count("the saved settings have a fault") == 1


async def test_what_was_saved_while_the_database_went_away_holds_as_soon_as_it_is_back(
    platforms: Platforms, data: Path, postgres_story: str
) -> None:
    async with installed(platforms, data, DATABASE_URL=postgres_story) as world:
        postgres_execute(postgres_story, FULL)
        with pytest.raises(StoreUnavailable):
            await world.product.settings.save({"CHAIN": "email"}, "cli")
        postgres_execute(postgres_story, "DROP FUNCTION refuse CASCADE")
        await world.until(lambda: world.product.settings.now["CHAIN"] == "email")


@pytest.fixture
def shared(postgres_story: str) -> dict[str, Any]:
    return {"DATABASE_URL": postgres_story, "SECRET_KEY": "the same key on every machine"}


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disk of another machine."""
    return tmp_path_factory.mktemp("elsewhere")


async def seconds_until_followed(here: World, there: World, value: str) -> float:
    began = time.monotonic()
    await here.product.settings.save({"COOLDOWN_SECONDS": value}, "cli")
    await there.until(lambda: there.product.settings.now["COOLDOWN_SECONDS"] == value)
    return time.monotonic() - began


async def test_a_replica_on_another_disk_finds_in_the_database_what_was_saved(
    platforms: Platforms, data: Path, elsewhere: Path, shared: dict[str, Any]
) -> None:
    async with installed(platforms, data, **shared) as here, installed(platforms, elsewhere, **shared) as there:
        await here.product.settings.save({"WEBHOOK_SECRET": "whsec_" + "A" * 32}, "cli")
        await there.until(lambda: there.product.settings.now["WEBHOOK_SECRET"] == "whsec_" + "A" * 32)
        rows = await here.product.store.read(lambda tx: tx.rows("SELECT sealed FROM saved_settings"))
        assert "WEBHOOK" not in rows[0]["sealed"]
        await there.product.settings.look()
        assert ("settings.saved", "file") not in await here.audit()


async def test_a_replica_on_another_disk_is_told_by_redis_before_it_looks_itself(
    platforms: Platforms, data: Path, elsewhere: Path, shared: dict[str, Any], valkey_url: str
) -> None:
    """After a first time, when it may have begun to listen too late: whoever only looks has just looked then."""
    shared |= {"REDIS_URL": valkey_url}
    async with installed(platforms, data, **shared) as here, installed(platforms, elsewhere, **shared) as there:
        await seconds_until_followed(here, there, "60")
        assert await seconds_until_followed(here, there, "70") < LOOK_AT_DATABASE - 1


class Asked(Names):
    """A name server that keeps whoever asks waiting until it is told to go on."""

    def __init__(self) -> None:
        super().__init__("93.184.216.34")
        self.is_asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        self.is_asked.set()
        await self.go_on.wait()
        return await super().resolve(host, port, family)


async def test_what_two_replicas_save_at_the_same_time_holds_in_both(
    platforms: Platforms, data: Path, elsewhere: Path, shared: dict[str, Any]
) -> None:
    names = Asked()
    async with (
        installed(platforms, data, names=names, **shared) as here,
        installed(platforms, elsewhere, **shared) as there,
    ):
        hook = {"WEBHOOK_URL": "https://hooks.example.com/told"}
        saving = asyncio.create_task(here.product.settings.save(hook, "cli"))
        await asyncio.wait_for(names.is_asked.wait(), PATIENCE)
        await there.product.settings.save({"COOLDOWN_SECONDS": "60"}, "cli")
        names.go_on.set()
        await saving
        await here.until(lambda: "hooks" in there.product.settings.now["WEBHOOK_URL"])
        cooldowns = [each.product.settings.now["COOLDOWN_SECONDS"] for each in (here, there)]
        assert cooldowns == ["60", "60"]
        assert ("settings.saved", "file") not in await here.audit()


async def test_the_audit_log_gets_names_and_no_values(world: World) -> None:
    await world.product.settings.save({"WEBHOOK_SECRET": "whsec_" + "A" * 32}, "operator:ana")
    rows = await world.product.store.read(
        lambda tx: tx.rows("SELECT actor, detail FROM audit WHERE action = 'settings.saved' ORDER BY seq DESC")
    )
    assert rows[0]["actor"] == "operator:ana"
    assert "WEBHOOK_SECRET" in rows[0]["detail"]
    assert "AAAA" not in rows[0]["detail"]


async def test_what_rests_in_the_database_is_sealed_anew_when_the_key_rotates(
    platforms: Platforms, data: Path, tmp_path_factory: pytest.TempPathFactory, postgres_story: str
) -> None:
    old, new = "the old key of this installation", "the new key of this installation"
    async with installed(platforms, data, DATABASE_URL=postgres_story, SECRET_KEY=old) as world:
        await world.product.settings.save({"COOLDOWN_SECONDS": "60"}, "cli")
    async with installed(platforms, data, DATABASE_URL=postgres_story, SECRET_KEY=f"{new},{old}") as world:
        assert await world.product.settings.seal_anew()
    another = tmp_path_factory.mktemp("another")
    async with installed(platforms, another, DATABASE_URL=postgres_story, SECRET_KEY=new) as world:
        assert world.product.settings.now["COOLDOWN_SECONDS"] == "60"
