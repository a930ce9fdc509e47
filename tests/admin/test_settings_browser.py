"""Settings in a real browser: saved, taken back, locked by the environment, wrong; with script and without."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page
from pytest_asyncio import fixture

from tests.admin.looking import flaws, press
from tests.admin.office import ana, enter, office, opened
from tests.stories.world import ANA, World

__all__ = ["ana", "office"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@fixture(loop_scope="module", params=[True, False], ids=["with script", "without script"])
async def page(request: pytest.FixtureRequest, office: World, chrome: Browser) -> AsyncIterator[Page]:
    async with opened(chrome, java_script_enabled=request.param) as page:
        await enter(page.context, office, ANA)
        await page.goto(f"{office.address}/admin/settings")
        yield page


async def test_a_value_is_saved_and_taken_back(office: World, page: Page) -> None:
    field = page.locator("#s-COOLDOWN_SECONDS")
    held = []
    for typed in ("90", ""):
        await field.fill(typed)
        await field.press("Enter")
        await page.get_by_text("Saved. It holds from now on.").wait_for()
        held.append((office.product.settings.now.cooldown, await field.input_value()))
        await page.goto(f"{office.address}/admin/settings")
    assert held == [(90.0, "90"), (3600.0, "")]


async def test_a_switch_is_switched_and_goes_back(office: World, page: Page) -> None:
    held = []
    for chosen in ("off", ""):
        await page.locator("#s-ALERTING_ENABLED").select_option(chosen)
        await page.get_by_role("button", name="Save").press("Enter")
        await page.get_by_text("Saved. It holds from now on.").wait_for()
        held.append(office.product.settings.now.alerting)
        await page.goto(f"{office.address}/admin/settings")
    assert held == [False, True]


async def test_what_the_environment_says_cannot_be_typed_over(page: Page) -> None:
    assert await page.locator("#s-ALERT_RECIPIENT_EMAIL").is_disabled()
    hint = await page.locator("#h-ALERT_RECIPIENT_EMAIL").inner_text()
    assert "set in the environment, which decides. Change it there." in hint


async def test_a_wrong_value_is_said_beside_its_field_and_what_was_typed_stays(office: World, page: Page) -> None:
    before = office.product.settings.now
    await page.locator("#s-BASE_URL").fill("gatebell.example.com")
    await page.get_by_role("button", name="Save").press("Enter")
    await page.get_by_role("alert").get_by_role("link", name="Public address").press("Enter")
    field = page.locator("#s-BASE_URL")
    assert (await field.get_attribute("aria-invalid"), await field.input_value()) == ("true", "gatebell.example.com")
    assert "https://" in await page.locator("#h-BASE_URL .bad-words").inner_text()
    assert office.product.settings.now == before


async def test_everybody_can_use_the_page_in_all_its_states(office: World, ana: Page) -> None:
    await ana.goto(f"{office.address}/admin/settings")
    await ana.locator("#s-AGENT_SECRET").fill("a secret between two machines")
    await press(ana, "Save")
    await ana.get_by_text("Saved. It holds from now on.").wait_for()
    found = await flaws(ana)
    await ana.locator("#s-COOLDOWN_SECONDS").fill("soon")
    await press(ana, "Save")
    await ana.get_by_role("alert").wait_for()
    assert found + await flaws(ana) == []
