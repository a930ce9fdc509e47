"""The demo's page for everybody: by keyboard, in both colour schemes, on small screens."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests import axe
from tests.demo.conftest import Screen

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLOCKED = "A destructive action was blocked"


async def violations(page: Page) -> list[str]:
    # The page's own policy forbids foreign scripts, so the checker comes in through the debugger.
    await page.evaluate(axe.script())
    found: dict[str, Any] = await page.evaluate("axe.run(document, {iframes: false})")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_the_empty_page(shared_screen: Screen, scheme: Any) -> None:
    await shared_screen.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert await violations(shared_screen.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_middle_of_a_story(screen: Screen, scheme: Any) -> None:
    await screen.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await screen.turn("mail", "Down (421)")
    await screen.play(BLOCKED)
    await screen.press(screen.slack, "Approve")
    for copy in (screen.slack, screen.teams):
        await expect(copy).to_contain_text("Approved by Ana Lima")
    await screen.play("An agent needs to choose")
    await screen.teams.get_by_role("button", name="Something else").first.click()
    await screen.press(screen.slack, "Something else")
    await expect(screen.window).to_be_visible()
    assert await violations(screen.page) == []


async def test_the_admin_pages_are_one_link_away(screen: Screen) -> None:
    async with screen.page.expect_popup() as opened:
        await screen.page.get_by_role("link", name="Admin pages").press("Enter")
    admin = await opened.value
    await admin.get_by_label("E-mail address").fill("ana@example.com")
    await admin.get_by_role("button", name="Send me a link").click()
    async with screen.page.expect_popup() as led:
        await screen.slack.locator("a, .bk-button").last.click()
    signing_in = await led.value
    await signing_in.get_by_role("button", name="Sign in").click()
    await signing_in.get_by_role("heading", name="Overview").wait_for()


async def test_the_keyboard_alone_approves(screen: Screen) -> None:
    await screen.page.get_by_role("button", name=BLOCKED).focus()
    await screen.page.keyboard.press("Enter")
    await screen.slack.get_by_role("button", name="Approve").focus()
    await screen.page.keyboard.press("Enter")
    await expect(screen.agent).to_contain_text("drive.delete_folder ran")


async def test_escape_closes_slacks_window(screen: Screen) -> None:
    await screen.play("An agent needs to choose")
    await screen.press(screen.slack, "Something else")
    await expect(screen.window.get_by_label("What else?")).to_be_focused()
    await screen.page.keyboard.press("Escape")
    await expect(screen.window).to_have_count(0)


async def test_the_chosen_colours_are_kept(shared_screen: Screen) -> None:
    await shared_screen.page.get_by_role("button", name="Dark colours").click()
    await shared_screen.page.reload()
    await expect(shared_screen.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_on_a_small_screen_what_a_scenario_brings_comes_into_view(screen: Screen) -> None:
    await screen.page.set_viewport_size({"width": 390, "height": 740})
    await expect(screen.slack).not_to_be_in_viewport()
    await screen.play(BLOCKED)
    await expect(screen.slack).to_be_in_viewport()
