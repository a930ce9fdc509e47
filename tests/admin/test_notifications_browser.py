"""The pages that an admin sets Gatebell up on, in a real browser: light, dark and narrow."""

import pytest
from playwright.async_api import Page

from tests.admin.signed_in import sign_in
from tests.admin.test_decision import AXE
from tests.stories.world import ANA, World

PAGES = ("/admin/notifications", "/admin/settings", "/admin/health")


async def complaints_of(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())
    seen = await page.evaluate("axe.run(document, {iframes: false})")
    return [f"{each['id']}: {node['html']}" for each in seen["violations"] for node in each["nodes"]]


@pytest.mark.skipif(not AXE.exists(), reason="axe is not installed: scripts/setup installs it where npm is")
async def test_everybody_can_use_the_pages_on_every_screen(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    found, wide = [], []
    for path in PAGES:
        await page.goto(f"{world.address}{path}")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            found += [f"{path} {scheme} {each}" for each in await complaints_of(page)]
        for width in (360, 768, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(f"{path} at {width}")
    assert (found, wide) == ([], [])


async def test_the_preview_is_microsofts_own_and_nothing_is_refused_by_the_policy(page: Page, world: World) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/notifications")
    await page.locator(".teams-preview .ac-adaptiveCard").wait_for()
    assert "Archivist was blocked" in await page.frame_locator(".mail-preview").locator("body").inner_text()
    assert said == []


async def test_a_round_trip_goes_on_by_itself(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/health")
    await page.get_by_label("Channel").select_option("slack")
    await page.get_by_role("button", name="Send me a card").click()
    await world.shown_to_ana("It works")
    await world.slack.dm(ANA).click("It works")
    await page.get_by_text("The way to you and back works.").wait_for()
