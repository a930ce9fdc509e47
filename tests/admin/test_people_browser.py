"""Operators, API keys and thresholds in a real browser: what an admin does there, by keyboard and on every screen."""

import asyncio

import pytest
from playwright.async_api import Browser, Page

from interactions.model import Role
from tests.admin.looking import flaws, press, tab_to, write
from tests.admin.office import ana, enter, office, opened
from tests.stories.world import BEN, World

__all__ = ["ana", "office"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_somebody_is_added_changed_linked_and_removed(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/operators")
    await write(ana, "E-mail address", "dora@example.com")
    await write(ana, "Name", "Dora")
    await press(ana, "Add")
    await ana.get_by_text("Dora was added as an operator.").wait_for()
    found = await flaws(ana)

    await press(ana, "Dora", "link")
    await ana.get_by_role("heading", name="Dora").wait_for()
    await ana.get_by_label("Role", exact=True).select_option("viewer")
    await press(ana, "Save")
    await ana.get_by_text("Saved.").wait_for()
    assert await ana.get_by_label("Role", exact=True).input_value() == "viewer"

    await ana.get_by_label("Where").select_option("slack")
    await write(ana, "Their id there", "U0DORA0001")
    await press(ana, "Link this account")
    await ana.get_by_text("is Dora from now on").wait_for()
    found += await flaws(ana)
    await tab_to(ana, ana.get_by_role("button", name="Unlink"))
    await ana.keyboard.press("Enter")
    await ana.get_by_text("is not linked any more").wait_for()

    await press(ana, "Remove Dora")
    await ana.get_by_text("Dora is removed").wait_for()
    assert await ana.get_by_role("link", name="Dora").count() == 0
    assert found == []


async def test_whoever_is_there_already_is_not_added_twice(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/operators")
    await write(ana, "E-mail address", BEN)
    await ana.keyboard.press("Enter")
    await ana.get_by_role("alert").get_by_text("is an operator already").wait_for()
    assert await ana.get_by_label("E-mail address").input_value() == BEN
    assert await flaws(ana) == []


async def test_a_key_is_made_shown_once_copied_used_and_revoked(office: World, ana: Page) -> None:
    await ana.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=office.address)
    await ana.goto(f"{office.address}/admin/keys")
    await write(ana, "Name", "monitor")
    await press(ana, "Make the key")
    await ana.get_by_role("alert").get_by_text("A key needs a scope").wait_for()
    found = await flaws(ana)
    await tab_to(ana, ana.get_by_label("tell events"))
    await ana.keyboard.press("Space")
    await press(ana, "Make the key")
    key = await ana.get_by_label("The key", exact=True).input_value()
    found += await flaws(ana)
    copied = asyncio.ensure_future(ana.get_by_role("button", name="Copied").wait_for())  # for two seconds it says so
    await press(ana, "Copy The key")
    await copied
    assert await ana.evaluate("navigator.clipboard.readText()") == key
    event = {"type": "demo.event", "summary": "The monitor works", "severity": "info"}
    assert (await office.call("POST", "/api/v1/events", event, key=key)).status == 202

    await ana.goto(f"{office.address}/admin/keys")
    assert key not in await ana.content()
    await press(ana, "Revoke monitor")
    await ana.get_by_text("The key monitor is revoked.").wait_for()
    found += await flaws(ana)
    assert (await office.call("POST", "/api/v1/events", event, key=key)).status == 401
    assert found == []


async def test_a_threshold_is_set_changed_switched_off_and_removed(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin")
    await press(ana, "Threshold settings", "link")
    await ana.get_by_text("No threshold is set.").wait_for()
    found = await flaws(ana)
    await write(ana, "User", "dana@example.com")
    await write(ana, "Tool", "crm.read")
    await write(ana, "Calls", "500")
    await press(ana, "Set it")
    await ana.get_by_text("Set: 500 per hour set for dana@example.com and crm.read.").wait_for()
    found += await flaws(ana)

    await press(ana, "dana@example.com, crm.read", "link")
    await ana.get_by_role("heading", name="Threshold for dana@example.com").wait_for()
    found += await flaws(ana)
    await write(ana, "Calls", "700")
    await ana.keyboard.press("Enter")
    await ana.get_by_text("700 calls per hour").wait_for()
    await ana.get_by_role("button", name="Switch off").press("Enter")
    await ana.get_by_role("button", name="Switch on").wait_for()
    await ana.get_by_role("link", name="dana@example.com").click()
    await press(ana, "Remove this threshold")
    await ana.get_by_text("No threshold is set.").wait_for()
    assert found == []


async def test_a_viewer_finds_no_way_to_what_they_may_not_do(office: World, chrome: Browser) -> None:
    await office.operators.add("vera@example.com", "Vera", Role.VIEWER, by="cli")
    async with opened(chrome) as page:
        await enter(page.context, office, "vera@example.com")
        await page.goto(f"{office.address}/admin")
        shown = await page.locator(".sidebar a").all_inner_texts()
        assert shown == ["Overview", "Requests", "Events", "Deliveries"]
        await page.goto(f"{office.address}/admin/keys")
        await page.get_by_role("heading", name="This page is not for your role").wait_for()
        assert await flaws(page) == []
        await press(page, "To the overview", "link")
        await page.get_by_role("heading", name="Overview").wait_for()


async def test_an_address_that_leads_nowhere_leads_back(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/nothing")
    assert await flaws(ana) == []
    await press(ana, "To the overview", "link")
    await ana.wait_for_url(f"{office.address}/admin")
