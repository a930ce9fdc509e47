"""What the demo shows while a question waits: each test opens the page anew, and none of them answers."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect
from pytest_asyncio import fixture

from tests.demo.conftest import Demo, Screen, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLOCKED = "A destructive action was blocked"


@fixture(scope="module", loop_scope="module")
async def asked(shared_demo: Demo, chrome: Browser) -> Demo:
    async with opened(shared_demo, chrome) as screen:
        await screen.play(BLOCKED)
        await expect(screen.slack.get_by_role("button", name="Approve")).to_be_visible()
    return shared_demo


@fixture(loop_scope="module")
async def screen(asked: Demo, chrome: Browser) -> AsyncIterator[Screen]:
    async with opened(asked, chrome) as screen:
        yield screen


async def test_the_question_lies_in_all_three_panes(screen: Screen) -> None:
    await expect(screen.slack.get_by_role("button", name="Approve")).to_be_visible()
    await expect(screen.teams.get_by_role("button", name="Approve")).to_be_visible()
    await expect(screen.mail).to_contain_text("Review and decide")


async def test_microsofts_own_renderer_draws_the_cards_of_teams(screen: Screen) -> None:
    await expect(screen.teams.locator(".ac-adaptiveCard").get_by_role("button", name="Approve")).to_be_visible()


async def test_the_mail_is_there_as_plain_text_too(screen: Screen) -> None:
    await screen.page.get_by_role("button", name="Plain text").click()
    await expect(screen.page.locator(".mail-text")).to_contain_text("drive.delete_folder")


async def test_the_time_line_says_who_has_a_copy_where(screen: Screen) -> None:
    copies = screen.story.get_by_role("list", name="Who has a copy where")
    for words in ("Ana Slack ✓", "Ben Teams ✓", "Mia mail ✓"):
        await expect(copies).to_contain_text(words)
    why = "Ben is not in this Slack workspace, so the next channel is tried"
    await expect(screen.told_of(BLOCKED)).to_contain_text(why)


async def test_a_narrow_screen_scrolls_in_one_direction_only(screen: Screen) -> None:
    await screen.page.set_viewport_size({"width": 360, "height": 740})
    await expect(screen.slack.get_by_role("button", name="Approve")).to_be_visible()
    wide = await screen.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide


async def test_words_written_in_slack_are_answered(screen: Screen) -> None:
    await screen.page.get_by_label("Message gatebell in Slack").fill("hello Slack")
    await screen.page.keyboard.press("Enter")
    await expect(screen.slack).to_contain_text("you said: hello Slack")


async def test_words_written_in_teams_are_answered(screen: Screen) -> None:
    await screen.page.get_by_label("Message Gatebell in Teams").fill("hello Teams")
    await screen.page.keyboard.press("Enter")
    await expect(screen.teams).to_contain_text("you said: hello Teams")


async def test_what_can_be_written_is_a_list_in_teams_too(screen: Screen) -> None:
    await screen.page.get_by_label("Message Gatebell in Teams").fill("help")
    await screen.page.keyboard.press("Enter")
    await expect(screen.teams.get_by_role("listitem").first).to_contain_text("pending")
