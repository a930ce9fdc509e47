"""Signing in by a link and out again, in real browsers: by keyboard, without script, from elsewhere."""

import pytest
from playwright.async_api import Browser, Page

from tests.admin.looking import flaws, press, write
from tests.admin.office import enter, office, opened, visitor
from tests.stories.world import ANA, BEN, MIA, World

__all__ = ["office", "visitor"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def link_for(world: World, email: str, before: int) -> str:
    """What the next mail to this person leads to."""
    letters = await world.mail.wait_for(before + 1, to=email)
    return next(link for link in letters[-1].links if "/login/" in link)


async def test_by_keyboard_from_a_page_to_the_mailbox_and_back_to_that_page(office: World, visitor: Page) -> None:
    page, before = visitor, len(office.mail.of(MIA))
    await page.goto(f"{office.address}/admin/requests?status=pending")
    await page.get_by_role("heading", name="Sign in").wait_for()
    found = await flaws(page)
    await write(page, "E-mail address", MIA)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Look for your link").wait_for()
    found += await flaws(page)
    await page.goto(await link_for(office, MIA, before))
    await page.get_by_role("heading", name="Sign in to Gatebell").wait_for()
    found += await flaws(page)
    await press(page, "Sign in")
    await page.get_by_role("heading", name="Requests").wait_for()
    assert page.url == f"{office.address}/admin/requests?status=pending"
    assert found == []


async def test_without_script_it_goes_the_same_way_and_out_again(office: World, chrome: Browser) -> None:
    before = len(office.mail.of(MIA))
    async with opened(chrome, java_script_enabled=False) as page:
        await page.goto(f"{office.address}/login")
        await page.get_by_label("E-mail address").fill(MIA)
        await page.get_by_role("button", name="Send me a link").click()
        await page.goto(await link_for(office, MIA, before))
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Overview").wait_for()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("heading", name="Sign in").wait_for()
        await page.goto(f"{office.address}/admin")
        assert page.url.startswith(f"{office.address}/login")


async def test_the_link_is_worth_nothing_in_another_browser(office: World, chrome: Browser, visitor: Page) -> None:
    before = len(office.mail.of(MIA))
    async with opened(chrome) as asking:
        await asking.goto(f"{office.address}/login")
        await asking.get_by_label("E-mail address").fill(MIA)
        await asking.get_by_role("button", name="Send me a link").click()
        await asking.get_by_role("heading", name="Look for your link").wait_for()
    await visitor.goto(await link_for(office, MIA, before))
    assert await visitor.get_by_role("button", name="Sign in").count() == 0
    found = await flaws(visitor)
    await press(visitor, "Ask for a link here", "link")
    await visitor.get_by_role("heading", name="Sign in").wait_for()
    assert found == []


async def test_what_is_no_address_is_said_beside_the_field(office: World, visitor: Page) -> None:
    await visitor.goto(f"{office.address}/login")
    await visitor.locator("form").evaluate("form => (form.noValidate = true)")
    await write(visitor, "E-mail address", "mia at example")
    await visitor.keyboard.press("Enter")
    await visitor.get_by_role("alert").wait_for()
    described = await visitor.get_by_label("E-mail address").get_attribute("aria-describedby")
    assert (described, await visitor.get_by_label("E-mail address").input_value()) == ("wrong", "mia at example")
    assert await flaws(visitor) == []


async def test_somebody_signs_their_other_browser_out(office: World, chrome: Browser) -> None:
    async with opened(chrome, user_agent="Phone") as phone, opened(chrome, user_agent="Desk") as desk:
        for page in (phone, desk):
            await enter(page.context, office, BEN, await page.evaluate("navigator.userAgent"))
        await desk.goto(f"{office.address}/admin/me")
        found = await flaws(desk)
        await press(desk, "Sign out Phone")
        await desk.get_by_text("Phone", exact=True).wait_for(state="detached")
        await phone.goto(f"{office.address}/admin/me")
        assert phone.url.startswith(f"{office.address}/login")
        assert found == []


async def test_an_admin_signs_somebody_out_everywhere(office: World, chrome: Browser) -> None:
    async with opened(chrome) as bens, opened(chrome) as anas:
        await enter(bens.context, office, BEN)
        await enter(anas.context, office, ANA)
        await anas.goto(f"{office.address}/admin/operators/{await office.operator_id(BEN)}")
        await anas.get_by_role("button", name="Sign out everywhere").click()
        await anas.get_by_text("Nowhere at the moment").wait_for()
        await bens.goto(f"{office.address}/admin")
        assert bens.url.startswith(f"{office.address}/login")
