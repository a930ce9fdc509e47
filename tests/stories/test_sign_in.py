"""Signing in with a real browser, and what everybody can see and do on the pages of access."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from bot.admin.access import LINK_LIVES, Purpose
from tests import axe
from tests.admin.signed_in import Visiting, access_of, sign_in
from tests.stories.world import ANA, BEN, MIA, World


@pytest.fixture
async def narrow_and_dark(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(color_scheme="dark", viewport={"width": 360, "height": 800})
    yield context
    await context.close()


async def test_mia_signs_in_with_the_link_from_her_mailbox_and_out_again(world: World, page: Page) -> None:
    await page.goto(f"{world.address}/admin/me")
    await page.get_by_label("E-mail address").fill(MIA)
    await page.get_by_role("button", name="Send me a link").click()
    await page.get_by_role("heading", name="Look for your link").wait_for()
    await world.shown_to_mia()
    await page.goto(next(link for link in world.mail.of(MIA)[-1].links if "/login/" in link))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Mia").wait_for()
    assert page.url == f"{world.address}/admin/me"
    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await page.get_by_role("heading", name="Sign in").wait_for()


async def test_a_link_signs_in_once_on_every_database(any_world: World) -> None:
    secret = await access_of(any_world).link(await any_world.operator_id(ANA), Purpose.SIGN_IN, LINK_LIVES)
    async with Visiting(any_world) as browser:
        page = await browser.get(f"/login/{secret}")
        form = {"seal": page.seal, "next": ""}
        seen = [await browser.post_raw(f"/login/{secret}", form) for _ in range(2)]
        mine = await browser.get("/admin/me")
    assert ([each.status for each in seen], ANA in mine.words) == ([303, 403], True)


async def test_a_time_says_how_long_ago_it_was_where_it_is_pointed_at(world: World, page: Page) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/me")
    seen = page.locator(".rows time").first
    assert str(await seen.get_attribute("title")).startswith("just now, ")


async def test_everybody_can_use_the_pages_of_access(world: World, narrow_and_dark: BrowserContext) -> None:
    page = await narrow_and_dark.new_page()
    await page.goto(f"{world.address}/login")
    found = await complaints(page)
    await sign_in(page, world, ANA)
    one = f"/admin/operators/{await world.operator_id(BEN)}"
    for path in ("/admin/me", "/admin/operators", one, "/admin/keys", "/setup/address", "/setup/channel/slack"):
        await page.goto(f"{world.address}{path}")
        found += await complaints(page)
    assert found == []


async def complaints(page: Page) -> list[str]:
    """What axe finds, and whether something runs out of the window."""
    await page.evaluate(axe.script())
    seen: dict[str, Any] = await page.evaluate("axe.run()")
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = [f"{page.url} {each['id']}: {node['html']}" for each in seen["violations"] for node in each["nodes"]]
    return [*found, *([f"{page.url} is too wide"] if wide else [])]
