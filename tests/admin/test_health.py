"""Health: what the doctor finds, and the round trip that names the hop that failed."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from bot.rehearsal.failure import error, hang, slow
from tests.admin.signed_in import Seen, Visiting, sign_in, signed_in
from tests.stories.world import ANA, BEN, MIA, Platforms, World, a_moment, installed

HOME = "/admin/health"
WRONG_SECRET = "0123456789abcdef0123456789abcdef"
WORKS = "The way to you and back works."


async def told(browser: Visiting, address: str, words: str) -> Seen:
    """The page as soon as it says this, or as it stands after ten seconds."""
    seen = await browser.get(address)
    try:
        async with asyncio.timeout(10):
            while words not in seen.words:
                await a_moment()
                seen = await browser.get(address)
    except TimeoutError:
        pass
    return seen


async def looked(browser: Visiting) -> Seen:
    """The page, once a look is over."""
    return await told(browser, HOME, "Check again")


async def rows_of(world: World, sql: str) -> list[Any]:
    return list(await world.product.store.read(lambda tx: tx.rows(sql)))


async def test_everything_that_the_doctor_finds_stands_on_the_page(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await looked(browser)
    assert seen.status == 200
    assert "Scopes for messages ok" in seen.words
    assert "Reaches us ok" in seen.words
    assert "Mail server ok" in seen.words


async def test_no_secret_is_on_the_page_or_in_what_is_kept_of_it(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SMTP_PASSWORD="a_word_of_ours") as world:
        world.slack.fail(error("a_word_of_ours"), path="auth.test")
        async with await signed_in(world, ANA) as browser:
            seen = await looked(browser)
        kept = await rows_of(world, "SELECT value FROM channel_memory WHERE key = 'doctor:last'")
    assert "auth.test: Slack refused" in seen.words
    for secret in world.product.settings.now.secrets:
        assert (secret in seen.html, secret in str(kept)) == (False, False)


# ---- a look goes on beside the page -------------------------------------------------------------------------------


async def test_a_platform_that_hangs_holds_nobody_up_and_is_named(world: World) -> None:
    world.slack.fail(hang(), path="auth.test")
    world.teams.fail(hang(), part="login")
    world.mail.fail(hang(), path="CONNECT")
    async with await signed_in(world, ANA) as browser:
        begun = time.monotonic()
        first = await browser.get(HOME)
        took = time.monotonic() - begun
        last = await looked(browser)
    assert took < 3
    assert "Still asked: Slack, Microsoft Teams, E-mail." in first.words
    assert "SQLite ok" in first.words
    assert "auth.test: Slack did not answer within 4 seconds" in last.words
    assert "Microsoft's login did not answer in time" in last.words
    assert "the mail server did not answer within 4 seconds" in last.words


async def test_the_last_look_is_shown_and_nobody_is_asked_again(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await looked(browser)
        asked = len(world.slack.journal)
        seen = await browser.get(HOME)
    assert "Checked" in seen.words
    assert len(world.slack.journal) == asked


async def test_check_again_looks_again(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await looked(browser)
        world.slack.fail(error("token_revoked"), path="auth.test")
        seen = await browser.post(f"{HOME}/check", seal_of=HOME)
        seen = await looked(browser)
    assert "1 thing to fix." in seen.words
    assert "the token was revoked" in seen.words


async def test_other_settings_are_looked_at_by_themselves(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SMTP_FROM="") as world, await signed_in(world, ANA) as browser:
        before = await looked(browser)
        await world.product.settings.save({"SMTP_FROM": "bell@example.com"}, "cli")
        after = await looked(browser)
    assert "SMTP_FROM missing" in before.words
    assert "Mail sender ok" in after.words


async def test_a_look_that_a_restart_broke_off_is_begun_again(world: World) -> None:
    world.slack.fail(hang(), path="auth.test", times=1)
    async with await signed_in(world, ANA) as browser:
        await browser.get(HOME)
        for task in world.product.spawned.tasks:
            task.cancel()
        await world.forward(seconds=30)
        seen = await looked(browser)
    assert "Bot token ok" in seen.words


async def test_what_came_back_since_is_on_the_page_without_another_look(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        before = await looked(browser)
        await world.slack.verify_url()
        await world.settled()
        after = await browser.get(HOME)
    assert "Slack has not called this server yet" in before.words
    assert "Slack called last on" in after.words


async def test_in_a_browser_the_page_completes_itself(page: Page, world: World) -> None:
    world.slack.fail(slow(2.5), path="auth.test", times=1)
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}{HOME}")
    await page.get_by_role("progressbar").wait_for()
    await page.get_by_role("button", name="Check again").wait_for()
    assert "Scopes for messages" in await page.locator("#checks").inner_text()


# ---- a round trip -------------------------------------------------------------------------------------------------


async def test_a_round_trip_in_slack_goes_all_the_way(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "slack"})
        await world.shown_to_ana("It works")
        await world.slack.dm(ANA).click("It works")
        await world.shown_to_ana("It works, chosen by Ana")
        seen = await told(browser, begun.at, WORKS)
    assert WORKS in seen.words


async def test_a_round_trip_by_mail_goes_all_the_way(world: World) -> None:
    async with await signed_in(world, MIA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "email"})
        await world.shown_to_mia()
        await (await world.page_of(MIA)).press("It works")
        await world.shown_to_mia(2)
        seen = await told(browser, begun.at, WORKS)
    assert WORKS in seen.words


async def test_before_the_click_it_says_what_it_waits_for(world: World) -> None:
    async with await signed_in(world, BEN) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "teams"})
        await world.shown_to_ben("It works")
        seen = await told(browser, begun.at, "Delivered done")
    assert "Delivered done" in seen.words
    assert "Clicked waiting" in seen.words


async def test_a_channel_that_is_not_set_up_takes_no_round_trip(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post("/admin/health/trip", {"channel": "webhook"})
    assert "That channel is not set up" in seen.words


async def test_whoever_pressed_and_saw_nothing_happen_need_not_wait(world: World) -> None:
    world.slack.events_url = None
    async with await signed_in(world, ANA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "slack"})
        waiting = await told(browser, begun.at, "I pressed it, and nothing happened")
        said = await browser.post(f"{begun.at}/silent", seal_of=begun.at)
        health = await browser.get(HOME)
    assert "Clicked waiting" in waiting.words
    assert "It failed at “Clicked”. " in said.words
    assert "Interactivity & Shortcuts: switch Interactivity on" in said.words
    assert "ended at “Clicked”: You pressed a button, and nothing came in." in health.words


async def test_a_card_that_nobody_pressed_is_no_fault_of_the_way(world: World) -> None:
    async with await signed_in(world, MIA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "email"})
        await world.shown_to_mia()
        await world.forward(minutes=16)
        seen = await told(browser, begun.at, "Nobody pressed a button in time.")
    assert "If it does not open, correct BASE_URL." in seen.words
    assert "failed" not in seen.words


async def test_no_other_question_is_taken_back_that_way(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA])
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post(f"{HOME}/trip/{asked['id']}/silent")
    assert (seen.status, (await world.see(asked["id"]))["status"]) == (404, "pending")


async def test_a_second_round_trip_names_the_wrong_secret_at_once_too(platforms: Platforms, data: Path) -> None:
    wrong: dict[str, Any] = {"SLACK_SIGNING_SECRET": WRONG_SECRET}
    async with installed(platforms, data, **wrong) as world, await signed_in(world, ANA) as browser:
        await press_on_a_round_trip(browser)
        await world.forward(seconds=5)
        seen = await press_on_a_round_trip(browser)
    assert "It failed at “Signature”." in seen.words


async def press_on_a_round_trip(browser: Visiting) -> Seen:
    """Until it ended."""
    dm = browser.world.slack.dm(ANA)
    before = len(dm.messages)
    begun = await browser.post("/admin/health/trip", {"channel": "slack"})
    await browser.world.until(lambda: len(dm.messages) > before)
    await dm.click("It works")
    return await told(browser, begun.at, "It failed")


@pytest.mark.parametrize(
    "hop, wrong, mend",
    [
        ("Signature", {"SLACK_SIGNING_SECRET": WRONG_SECRET}, "Signing Secret"),
        ("Delivered", {"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"}, "token"),
    ],
)
async def test_the_hop_that_failed_is_named(
    platforms: Platforms, data: Path, hop: str, wrong: dict[str, Any], mend: str
) -> None:
    async with installed(platforms, data, **wrong) as world, await signed_in(world, ANA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "slack"})
        if hop != "Delivered":
            await world.shown_to_ana("It works")
            await world.slack.dm(ANA).click("It works")
        seen = await told(browser, begun.at, "It failed")
    assert f"It failed at “{hop}”." in seen.words
    assert mend in seen.words
