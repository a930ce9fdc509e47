"""What people do on the daily pages, in a real browser: decide, withdraw, find, send again, export."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from bot.rehearsal.failure import status
from tests.admin.looking import flaws, press, tab_to, write
from tests.admin.office import ana, anas_without_script, enter, office, opened
from tests.stories.reach import at_rest
from tests.stories.world import ANA, MIA, World

__all__ = ["ana", "anas_without_script", "office"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_request_is_found_opened_and_approved_by_keyboard(office: World, ana: Page) -> None:
    asked = await office.ask("write_confirmation", {"agent": "crm-sync", "tool": "crm.update", "summary": "x"}, [ANA])
    await ana.goto(f"{office.address}/admin/requests")
    await write(ana, "Search", "crm-sync")
    await ana.keyboard.press("Enter")
    await ana.get_by_role("link", name="Show all").wait_for()
    assert await ana.locator(".items > li").count() == 1
    await press(ana, "crm-sync wants to write", "link")
    await press(ana, "Execute")
    await ana.get_by_text("Execution approved by Ana").first.wait_for()
    assert (await office.see(asked["id"]))["decision"]["approved"] is True
    assert await flaws(ana) == []


async def test_without_script_a_missing_reason_is_asked_for_and_then_it_is_denied(
    office: World, anas_without_script: Page
) -> None:
    page, asked = anas_without_script, await office.ask_blocked(to=[ANA], reason="required_on_denial")
    await page.goto(f"{office.address}/admin/requests/{asked['id']}")
    await page.get_by_label("Reason").fill("   ")
    await page.get_by_role("button", name="Keep blocked").click()
    await page.get_by_role("alert").wait_for()
    await page.get_by_label("Reason").fill("Nobody asked for it")
    await page.get_by_role("button", name="Keep blocked").click()
    await page.get_by_text("Nobody asked for it").first.wait_for()
    assert (await office.see(asked["id"]))["decision"]["reason"] == "Nobody asked for it"


async def test_a_request_is_withdrawn_and_leaves_the_pending_ones(office: World, ana: Page) -> None:
    asked = await office.ask_blocked(to=[MIA])
    await ana.goto(f"{office.address}/admin/requests/{asked['id']}")
    await write(ana, "Why (optional)", "Asked by mistake")
    await press(ana, "Withdraw this request")
    await ana.get_by_text("Withdrawn. Every copy is being updated").wait_for()
    assert (await office.see(asked["id"]))["status"] == "withdrawn"
    await ana.goto(f"{office.address}/admin/requests")
    await ana.get_by_label("Status").select_option("withdrawn")
    await ana.get_by_role("button", name="Show").press("Enter")
    await ana.get_by_role("link", name="Show all").wait_for()
    await ana.locator(f'a[href="/admin/requests/{asked["id"]}"]').wait_for()
    await ana.get_by_label("Status").select_option("pending")
    await ana.get_by_role("button", name="Show").press("Enter")
    await ana.locator(f'a[href="/admin/requests/{asked["id"]}"]').wait_for(state="detached")


async def test_an_event_that_was_held_back_is_found_and_says_why(office: World, ana: Page) -> None:
    for _ in range(2):
        await office.tell("oauth.expired", "Drive signs nobody in", dedup_key="drive")
    await ana.goto(f"{office.address}/admin/events")
    await write(ana, "Type", "oauth.expired")
    await ana.get_by_label("What became of it").select_option("deduplicated")
    await ana.keyboard.press("Enter")
    await ana.get_by_role("link", name="Show all").wait_for()
    async with ana.expect_navigation():
        await ana.get_by_role("button", name="Show").press("Enter")
    await press(ana, "Drive signs nobody in", "link")
    await ana.get_by_text("The same was told within the last 60 minutes.").wait_for()
    assert await flaws(ana) == []


async def test_a_copy_that_nobody_took_is_sent_again(office: World, ana: Page) -> None:
    rule = office.mail.fail(status(552))
    await office.ask("clarification", {"question": "Which?", "choices": [{"id": "a", "label": "A"}]}, [MIA])
    await at_rest(office)
    office.mail.heal(rule)
    before = len(office.mail.of(MIA))
    await ana.goto(f"{office.address}/admin/deliveries")
    await ana.get_by_label("State").select_option("failed")
    await ana.get_by_role("button", name="Show").press("Enter")
    await ana.get_by_role("link", name="Show all").wait_for()
    found = await flaws(ana)
    await ana.locator(".items a").first.press("Enter")
    await ana.get_by_role("heading", name="Send it again").wait_for()
    found += await flaws(ana)
    await press(ana, "Send a new copy")
    await office.mail.wait_for(before + 1, to=MIA)
    assert found == []


async def test_the_audit_log_is_narrowed_checked_and_saved_as_a_file(office: World, ana: Page, tmp_path: Path) -> None:
    await ana.goto(f"{office.address}/admin/audit")
    await ana.get_by_label("What", exact=True).select_option(label="Added an operator")
    await press(ana, "Show")
    await ana.get_by_role("link", name="Show all").wait_for()
    assert {await each.inner_text() for each in await ana.locator("tbody code").all()} == {"operator.added"}
    found = await flaws(ana)
    written = len(await office.audit())
    async with ana.expect_download() as started:
        await press(ana, "Save the whole log (JSON lines)", "link")
    await (await started.value).save_as(tmp_path / "audit.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [each["seq"] for each in lines][-written:] == list(range(written, 0, -1))
    await tab_to(ana, ana.get_by_role("button", name="Check"))
    await ana.keyboard.press("Enter")
    await ana.get_by_role("status").wait_for()
    assert found == []


@pytest.mark.parametrize(
    "zone, said",
    [("Asia/Tokyo", "1 January 2026, 09:00 GMT+9"), ("America/New_York", "31 December 2025, 19:00 GMT-5")],
)
async def test_times_are_in_the_zone_of_whoever_looks(office: World, chrome: Browser, zone: str, said: str) -> None:
    await office.tell("demo.event", "A new year")
    new_year = "UPDATE event SET received_at = 1767225600.0"  # midnight in UTC
    await office.product.store.write(lambda tx: tx.run(new_year))
    async with opened(chrome, timezone_id=zone, locale="en-US") as page:
        await enter(page.context, office, ANA)
        await page.goto(f"{office.address}/admin/events")
        time = page.locator("time").first
        assert await time.inner_text() == said
        assert "1 January 2026, 00:00 UTC" in str(await time.get_attribute("title"))


async def test_the_first_tab_leads_past_the_sidebar(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin")
    await ana.keyboard.press("Tab")
    assert await ana.get_by_role("link", name="Skip to the content").is_visible()
    await ana.keyboard.press("Enter")
    await ana.keyboard.press("Tab")
    assert not await ana.evaluate("document.activeElement.closest('.top')")
