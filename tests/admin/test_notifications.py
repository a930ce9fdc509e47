"""General → Notifications: every channel, its settings, a test on it, and what a sample looks like."""

import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.admin.signed_in import Seen, Visiting, signed_in
from tests.admin.test_health import told
from tests.stories.world import ANA, BEN, Platforms, World, installed

HOME = "/admin/notifications"
UNSET: dict[str, Any] = {
    "SLACK_BOT_TOKEN": "",
    "SLACK_SIGNING_SECRET": "",
    "SLACK_API_URL": "",
    "SMTP_HOST": "",
    "SMTP_PORT": "",
}


@pytest.fixture
async def bare(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """Slack and the mail server are not in the environment, so that they can be set up on the page."""
    async with installed(platforms, data, **UNSET) as world:
        yield world


async def save_slack(browser: Visiting, **changed: str) -> Seen:
    slack = browser.world.slack
    form = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
    }
    return await browser.post(f"{HOME}/channel/slack", {**form, **changed})


async def test_every_channel_has_a_card_with_its_state(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        seen = await browser.get(HOME)
    assert "Slack Not set up Missing: SLACK_BOT_TOKEN." in seen.words
    assert "Microsoft Teams Ready" in seen.words
    assert "E-mail Not set up Missing: SMTP_HOST." in seen.words


async def test_a_channel_that_is_set_up_here_is_ready_and_sends(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        saved = await save_slack(browser)
        assert "Slack Ready" in saved.words
        tried = await browser.post(f"{HOME}/channel/slack/test")
        await bare.shown_to_ana("A test from Gatebell")
        seen = await told(browser, tried.at, "It arrived.")
    assert "The platform calls it " in seen.words


async def test_a_secret_never_comes_out_again(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        seen = await save_slack(browser)
    token = bare.slack.bot_token
    assert token not in seen.html
    assert f"ends …{token[-4:]}" in seen.words


async def test_an_empty_secret_stays_and_an_empty_other_goes(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        await save_slack(browser, SLACK_CHANNEL="#alerts")
        await browser.post(f"{HOME}/channel/slack", {"SLACK_BOT_TOKEN": "", "SLACK_CHANNEL": ""})
    now = bare.product.settings.now
    assert (now["SLACK_BOT_TOKEN"], now["SLACK_CHANNEL"]) == (bare.slack.bot_token, "")


async def test_a_secret_goes_when_that_is_said(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        await save_slack(browser)
        form = {"SLACK_SIGNING_SECRET": "", "clear.SLACK_SIGNING_SECRET": "on"}
        await browser.post(f"{HOME}/channel/slack", form)
    assert bare.product.settings.now["SLACK_SIGNING_SECRET"] == ""


async def test_a_wrong_value_is_told_beside_its_field_and_nothing_is_saved(bare: World) -> None:
    async with await signed_in(bare, ANA) as browser:
        seen = await save_slack(browser, SLACK_BOT_TOKEN="xapp-1-A1-2-abc")
    assert seen.status == 422
    assert "This is an app-level token" in seen.words
    assert 'aria-invalid="true"' in seen.html
    assert bare.product.settings.now["SLACK_SIGNING_SECRET"] == ""


async def test_what_the_environment_says_cannot_be_changed_here(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
        await browser.post(f"{HOME}/channel/email", {"SMTP_HOST": "elsewhere.example"})
    assert re.search(r'<input id="s-SMTP_HOST"[^>]* disabled', seen.html)
    assert world.product.settings.now["SMTP_HOST"] == world.mail.host


@pytest.mark.parametrize(
    "channel, changed, answer, mend",
    [
        ("slack", {"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"}, "the bot token is not valid", "Copy the channel's token"),
        (
            "teams",
            {"TEAMS_TENANT_ID": "11111111-2222-4333-8444-555555555555"},
            "there is no such tenant: TEAMS_TENANT_ID is wrong",
            "Microsoft Entra",
        ),
        ("email", {"SMTP_PORT": "1"}, "Refused after", "Look at the address and the port"),
    ],
)
async def test_a_test_shows_the_platforms_answer_and_the_mend(
    platforms: Platforms, data: Path, channel: str, changed: dict[str, Any], answer: str, mend: str
) -> None:
    async with installed(platforms, data, **changed) as world, await signed_in(world, ANA) as browser:
        tried = await browser.post(f"{HOME}/channel/{channel}/test")
        seen = await told(browser, tried.at, "failed")
    assert answer in seen.words
    assert mend in seen.words


async def test_a_broken_channel_says_since_when_and_why(platforms: Platforms, data: Path) -> None:
    wrong: dict[str, Any] = {"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"}
    async with installed(platforms, data, **wrong) as world, await signed_in(world, ANA) as browser:
        await browser.post(f"{HOME}/channel/slack/test")
        seen = await told(browser, HOME, "Slack Broken")
    assert re.search(r"Slack Broken The platform's last answer: .{,80}the bot token is not valid", seen.words)
    assert "Since " in seen.words


async def test_the_rules_are_saved(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        form = {"order.0": "email", "order.1": "slack", "COOLDOWN_SECONDS": "60", "event.policy.blocked": "on"}
        await browser.post(f"{HOME}/rules", form)
    now = world.product.settings.now
    assert (now.chain, now.cooldown) == (("email", "slack"), 60.0)
    assert "policy.blocked" not in now.events_disabled
    assert "oauth.refresh_failed" in now.events_disabled


async def test_rules_of_a_page_that_was_open_for_long_take_back_nothing_that_somebody_else_saved(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        shown = (await browser.get(HOME)).html
        form = dict(re.findall(r'name="(was.[A-Z_]+)" value="([^"]*)"', shown.partition('id="rules"')[2]))
        form |= {f"event.{type_}": "on" for type_ in re.findall(r'name="event\.([a-z_.]+)" value="on" checked', shown)}
        form |= {"order.0": "slack", "order.1": "teams", "order.2": "email", "COOLDOWN_SECONDS": "3600"}
        theirs = {name: value for name, value in form.items() if name != "event.policy.blocked"}
        await browser.post(f"{HOME}/rules", {**theirs, "order.1": "", "COOLDOWN_SECONDS": "60"})
        mine = {name: value for name, value in form.items() if name != "event.oauth.refresh_failed"}
        await browser.post(f"{HOME}/rules", mine)
    now = world.product.settings.now
    assert (now.chain, now.cooldown) == (("slack", "email"), 60.0)
    assert now.events_disabled == {"policy.blocked", "oauth.refresh_failed"}


async def test_a_channel_cannot_be_in_the_chain_twice(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(f"{HOME}/rules", {"order.0": "email", "order.1": "email"})
    assert seen.status == 422
    assert world.product.settings.now.chain == ("slack", "teams", "email")


async def test_rules_that_are_wrong_stay_as_they_were_written_and_are_marked(world: World) -> None:
    order = {"order.0": "email", "order.1": "email", "order.2": "", "order.3": ""}
    form = {**order, "COOLDOWN_SECONDS": "61", "event.policy.blocked": "on"}
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(f"{HOME}/rules", form)
    assert "Nothing was saved. The chain is wrong; it is marked below." in seen.words
    assert "is not a comma list of different channels" in seen.words
    assert seen.html.count('<option value="email" selected>') == 2
    assert re.search(r'name="COOLDOWN_SECONDS"[^>]* value="61"', seen.html)
    assert re.findall(r'name="event\.([a-z_.]+)" value="on" checked', seen.html) == ["policy.blocked"]


async def test_a_cooldown_that_is_wrong_is_marked_at_its_field(world: World) -> None:
    form = {"order.0": "email", "COOLDOWN_SECONDS": "-1"}
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(f"{HOME}/rules", form)
    assert seen.status == 422
    assert re.search(r'name="COOLDOWN_SECONDS"[^>]* value="-1" aria-invalid="true"', seen.html)


async def test_the_teams_app_can_be_downloaded_where_teams_can_call(platforms: Platforms, data: Path) -> None:
    public: dict[str, Any] = {"BASE_URL": "https://gatebell.example.com"}
    async with (
        installed(platforms, data, **public) as world,
        await signed_in(world, ANA) as browser,
        browser.http.get(f"{world.address}{HOME}/teams-app.zip") as answer,
    ):
        content = await answer.read()
    assert "manifest.json" in ZipFile(BytesIO(content)).namelist()


async def test_without_a_public_address_the_page_says_why_slack_and_teams_cannot_call(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
    assert "Slack cannot call this server" in seen.words
    assert "socket_mode_enabled%22%3Atrue" in seen.html
    assert "It cannot be made yet" in seen.words


async def test_the_conversations_of_teams_are_listed(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
    assert "usable A person's own chat" in seen.words


async def test_the_mail_is_shown_in_a_page_that_can_do_nothing(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(f"{HOME}/preview/mail?sample=write")
    assert "Release bot wants to write" in seen.words
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    assert "script-src" not in seen.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", [HOME, "/admin/settings"])
async def test_only_admins_come_here(world: World, path: str) -> None:
    async with await signed_in(world, BEN) as browser:
        assert (await browser.get(path)).status == 403


async def test_the_card_of_teams_shows_the_address_that_azure_asks_for(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get(HOME)
    assert f"{world.address}/api/messages" in seen.html
