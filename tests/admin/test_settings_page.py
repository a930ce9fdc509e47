"""The server's own settings on their page."""

import re
from pathlib import Path

import pytest

from bot import settings as settings_files
from bot.admin.pages.settings import ELSEWHERE, GROUPS
from bot.core_fields import CORE
from bot.settings import DEFAULT
from tests.admin.signed_in import signed_in
from tests.stories.world import ANA, Platforms, World, installed

HOME = "/admin/settings"


async def test_each_setting_says_where_it_is_from(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await browser.post(HOME, {"AGENT_URL": "http://127.0.0.1:9/agent"})
        seen = await browser.get(HOME)
    assert "PORT : set in the environment" in seen.words
    assert "COOLDOWN_SECONDS : the default holds" in seen.words
    assert "AGENT_URL : saved" in seen.words


def test_every_setting_of_the_server_has_a_short_label_in_one_group() -> None:
    named = [name for labels in (*GROUPS.values(), ELSEWHERE) for name in labels]
    assert sorted(named) == sorted(field.name for field in CORE)
    assert [label for labels in GROUPS.values() for label in labels.values() if len(label) > 32] == []


async def test_a_label_is_short_and_what_it_means_stands_below(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        server, channels = await browser.get(HOME), await browser.get("/admin/notifications")
    assert '<label for="s-ALERTING_ENABLED">Alerts</label>' in server.html
    assert "Off: events are stored but nobody is told." in server.words
    assert '<label for="s-SLACK_SIGNING_SECRET">Signing Secret</label>' in channels.html
    assert "Proves that clicks and messages come from Slack." in channels.words


async def test_of_what_was_in_a_file_before_the_start_the_moment_is_not_known(platforms: Platforms, data: Path) -> None:
    (data / "gateway.env").write_text("AGENT_SECRET=a secret between two machines\n")
    (data / ".env").write_text("LOG_LEVEL=debug\n")
    async with installed(platforms, data) as world, await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
    assert "AGENT_SECRET : set in gateway.env; when is not known, ends …ines." in seen.words
    assert "LOG_LEVEL : set in .env; when is not known." in seen.words
    assert "SECRET_KEY : the default holds." in seen.words


async def test_of_what_somebody_changes_in_the_file_the_moment_is_known(world: World) -> None:
    settings = world.product.settings
    settings_files.save(settings.now.data_dir, {"COOLDOWN_SECONDS": "90"}, settings.now.fields)
    await settings.look()
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
    assert "COOLDOWN_SECONDS : saved " in seen.words


async def test_a_switch_is_switched_and_goes_back_to_its_default(world: World) -> None:
    held = []
    async with await signed_in(world, ANA) as browser:
        for said in ("off", ""):
            seen = await browser.post(HOME, {"ALERTING_ENABLED": said})
            held.append((world.product.settings.now.alerting, '<option value="off" selected>off</option>' in seen.html))
    assert held == [(False, True), (True, False)]


async def test_what_has_few_values_is_chosen_and_none_is_offered_twice(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        words = (await browser.get(HOME)).words
    assert "debug info, the default warning error" in words
    assert "auto, the default json text" in words
    assert words.count("on, the default off") >= 2


async def test_a_page_that_was_open_for_long_takes_back_nothing_that_somebody_else_saved(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        form = dict(re.findall(r'name="(was.[A-Z_]+)" value="([^"]*)"', (await browser.get(HOME)).html))
        form |= {"COOLDOWN_SECONDS": "", "LOG_LEVEL": ""}
        await browser.post(HOME, {"COOLDOWN_SECONDS": "60"})
        wrong = await browser.post(HOME, {**form, "RETENTION_DAYS": "soon"})
        kept = dict(re.findall(r'name="(was.[A-Z_]+)" value="([^"]*)"', wrong.html))
        await browser.post(HOME, {**form, **kept, "RETENTION_DAYS": "30"})
    now = world.product.settings.now
    assert (wrong.status, now.cooldown, now["RETENTION_DAYS"]) == (422, 60.0, "30")


async def test_what_is_saved_holds_at_once(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(HOME, {"COOLDOWN_SECONDS": "60"})
    assert "Saved. It holds from now on." in seen.words
    assert world.product.settings.now.cooldown == 60


async def test_a_default_that_is_saved_changes_nothing_and_leaves_no_entry(world: World) -> None:
    before = await world.audit()
    async with await signed_in(world, ANA) as browser:
        await browser.post(HOME, {"COOLDOWN_SECONDS": "3600"})
    new = [action for action, _ in (await world.audit())[len(before) :]]
    assert ("settings.saved" in new, world.product.settings.now.sources["COOLDOWN_SECONDS"] != DEFAULT) == (False, True)


async def test_what_counts_only_after_a_restart_says_so(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(HOME, {"LOG_LEVEL": "debug"})
    assert "After a restart it counts: LOG_LEVEL." in seen.words


@pytest.mark.parametrize(
    "name, label, value, words",
    [
        ("COOLDOWN_SECONDS", "Cooldown in seconds", "soon", "not a number of seconds"),
        ("BASE_URL", "Public address", "gatebell.example.com", "https://gatebell.example.com"),
        ("CHAIN", "Order of channels", "slack,pigeon", "no channel"),
    ],
)
async def test_a_wrong_value_is_told_and_nothing_is_saved(
    world: World, name: str, label: str, value: str, words: str
) -> None:
    before = world.product.settings.now
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(HOME, {name: value, "LOG_FORMAT": "json"})
    assert f"Nothing was saved. {label} is wrong; it is marked below." in seen.words
    assert (seen.status, words in seen.words) == (422, True)
    assert world.product.settings.now == before


async def test_a_secret_of_the_server_is_not_on_the_page(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await browser.post(HOME, {"AGENT_SECRET": "a secret between two machines"})
        seen = await browser.get(HOME)
    assert "a secret between" not in seen.html
    assert "ends …ines" in seen.words


async def test_the_data_directory_cannot_be_moved_from_inside(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(HOME, {"GATEBELL_DATA_DIR": "/elsewhere"})
    assert "Nothing was changed." in seen.words
