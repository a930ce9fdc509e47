"""The pages that an admin sets Gatebell up on, in a real browser: light, dark and narrow."""

from urllib.parse import unquote

from playwright.async_api import Page

from bot.rehearsal.failure import hang
from tests.admin.looking import flaws, press
from tests.admin.signed_in import access_of, sign_in
from tests.stories.world import ANA, World

PAGES = ("/admin/notifications", "/admin/settings", "/admin/health")


async def test_everybody_can_use_the_pages_on_every_screen(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    found = []
    for path in PAGES:
        await page.goto(f"{world.address}{path}")
        found += await flaws(page)
        for width in (320, 768):
            await page.set_viewport_size({"width": width, "height": 800})
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is wider than {width}")
    assert found == []


async def test_the_preview_is_microsofts_own_and_nothing_is_refused_by_the_policy(page: Page, world: World) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/notifications")
    await page.locator(".teams-preview .ac-adaptiveCard").wait_for()
    assert "Archivist was blocked" in await page.frame_locator(".mail-preview").locator("body").inner_text()
    whole = """frame => frame.clientWidth < innerWidth && frame.clientHeight < 1500
      && frame.clientHeight >= frame.contentDocument.documentElement.scrollHeight"""
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.wait_for_function(whole, arg=await page.locator(".mail-preview").element_handle())
    assert said == []


async def test_a_round_trip_goes_on_by_itself(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/health")
    await page.get_by_label("Channel").select_option("slack")
    await page.get_by_role("button", name="Send me a card").click()
    await world.shown_to_ana("It works")
    await world.slack.dm(ANA).click("It works")
    await page.get_by_text("The way to you and back works.").wait_for()
    assert await flaws(page) == []


async def test_a_test_is_sent_by_keyboard_and_goes_on_by_itself(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/notifications")
    held = world.slack.fail(hang(), path="chat.postMessage")
    await press(page, "Send test notification on Slack")
    await page.get_by_role("link", name="Look again").wait_for()
    world.slack.heal(held)
    await page.get_by_text("It arrived.").wait_for()
    await world.shown_to_ana("A test from Gatebell")
    assert await flaws(page) == []


async def test_a_page_that_goes_on_by_itself_leads_to_the_sign_in_once_its_session_is_over(
    page: Page, world: World
) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/notifications")
    held = world.slack.fail(hang(), path="chat.postMessage")
    await page.get_by_role("button", name="Send test notification on Slack").click()
    await page.get_by_role("link", name="Look again").wait_for()
    steps = page.url
    await access_of(world).end_all(await world.operator_id(ANA), by="cli")
    await page.get_by_role("heading", name="Sign in").wait_for()
    assert unquote(page.url).endswith(f"/login?next={steps.removeprefix(world.address)}")
    world.slack.heal(held)


async def test_a_wrong_value_of_a_channel_leads_to_its_field(page: Page, world: World) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/notifications")
    await page.locator("#s-WEBHOOK_URL").fill("somewhere")
    await press(page, "Save Webhook")
    await page.get_by_role("alert").get_by_role("link", name="WEBHOOK_URL").click()
    assert await page.locator("#s-WEBHOOK_URL").get_attribute("aria-invalid") == "true"
    assert page.url.endswith("#s-WEBHOOK_URL")
    assert await page.locator("#s-WEBHOOK_URL").is_visible()
    assert await flaws(page) == []
