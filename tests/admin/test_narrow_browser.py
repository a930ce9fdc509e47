"""The pages on a phone and at a desk: nothing cut off, no two words run together, the same menu everywhere."""

import pytest
from playwright.async_api import Page

from tests.admin.looking import NARROW
from tests.admin.office import ana, office
from tests.stories.world import BEN, World

__all__ = ["ana", "office"]

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACES = "links => links.map(link => [link.offsetLeft, link.offsetTop])"
GROUND = "sheet => document.documentElement.scrollHeight - sheet.getBoundingClientRect().bottom - scrollY"
# A choice is cut off where its list would like to be wider than it is.
CUT_OFF = """lists => lists.filter(list => {
  const free = list.cloneNode(true);
  free.style.cssText = 'width: auto; position: absolute';
  free.selectedIndex = list.selectedIndex;
  list.after(free);
  const wanted = free.offsetWidth;
  free.remove();
  return wanted > list.offsetWidth;
}).map(list => list.id)"""


async def on_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": NARROW, "height": 800})


async def test_on_a_phone_no_choice_of_a_list_is_cut_off(office: World, ana: Page) -> None:
    await on_a_phone(ana)
    found = []
    person = f"operators/{await office.operator_id(BEN)}"
    for path in (
        "operators",
        person,
        "keys",
        "settings",
        "throughput/thresholds",
        "requests",
        "events",
        "deliveries",
        "notifications",
    ):
        await ana.goto(f"{office.address}/admin/{path}")
        found += [(path, each) for each in await ana.locator("main select:visible").evaluate_all(CUT_OFF)]
    assert found == []


@pytest.mark.parametrize("width", [600, 768, 1024, 1440])
async def test_where_there_is_room_no_choice_of_a_list_is_cut_off(office: World, ana: Page, width: int) -> None:
    await ana.set_viewport_size({"width": width, "height": 800})
    found = []
    for path in ("notifications", "requests", "events", "deliveries", "audit"):
        await ana.goto(f"{office.address}/admin/{path}")
        found += [(path, each) for each in await ana.locator("main select:visible").evaluate_all(CUT_OFF)]
    assert found == []


async def test_on_a_phone_the_menu_stands_still_from_page_to_page(office: World, ana: Page) -> None:
    await on_a_phone(ana)
    places = []
    for path in ("", "/requests", "/throughput/thresholds", "/notifications", "/settings"):
        await ana.goto(f"{office.address}/admin{path}")
        places.append(await ana.locator(".sidebar a").evaluate_all(PLACES))
    assert places == [places[0]] * len(places)


async def test_below_a_long_sheet_there_is_ground(office: World, ana: Page) -> None:
    await on_a_phone(ana)
    await ana.goto(f"{office.address}/setup/channel/slack")
    assert await ana.locator(".sheet").evaluate(GROUND) >= 16


async def test_sentences_that_are_put_together_keep_their_spaces(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/notifications")
    await ana.get_by_text("Slack in four steps").click()
    assert "SLACK_SIGNING_SECRET. In Socket Mode: make" in await ana.locator("#slack .guide").inner_text()
    await ana.locator("#order-0").select_option("email")
    await ana.locator("#order-1").select_option("email")
    await ana.locator("#s-COOLDOWN_SECONDS").fill("")
    await ana.get_by_role("button", name="Save the rules").click()
    assert await ana.get_by_role("alert").inner_text() == ("Nothing was saved. The chain is wrong; it is marked below.")


async def test_a_list_of_events_that_is_empty_says_how_the_first_one_comes(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/events")
    words = await ana.locator(".empty").inner_text()
    assert f"curl {office.address}/api/v1/events" in words
