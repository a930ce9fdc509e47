"""Pages of errors: within the menu for whoever is signed in, alone for everybody else."""

import pytest
from playwright.async_api import Page

from tests.admin.looking import flaws
from tests.admin.signed_in import Visiting, sign_in, signed_in
from tests.stories.world import ANA, BEN, World

MENU = 'aria-label="Pages"'


@pytest.mark.parametrize(
    "path, status, words",
    [
        ("/nope", 404, "There is nothing here"),
        ("/admin/nope", 404, "There is nothing here"),
        ("/admin/requests/nope", 404, "There is no request with this id"),
        ("/admin/settings", 403, "This page is not for your role"),
    ],
)
async def test_who_is_signed_in_keeps_the_menu(world: World, path: str, status: int, words: str) -> None:
    async with await signed_in(world, BEN) as browser:
        seen = await browser.get(path)
    assert (seen.status, words in seen.words) == (status, True)
    assert (MENU in seen.html, "Sign out" in seen.words, "Settings" in seen.words) == (True, True, False)


async def test_a_form_that_no_page_takes_keeps_the_menu_too(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post("/admin/audit")
        stale = await browser.post_raw("/admin/settings", {"seal": "1.none"})
    assert (seen.status, MENU in seen.html, seen.headers["Allow"]) == (405, True, "GET,HEAD")
    assert (stale.status, MENU in stale.html) == (403, True)


async def test_while_the_database_is_away_the_menu_stays_without_a_name(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await world.product.store.stop()
        seen = await browser.get("/admin/requests")
    assert (seen.status, "The database does not answer" in seen.words) == (503, True)
    assert (MENU in seen.html, "Sign out" in seen.words, "Settings" in seen.words) == (True, False, False)


@pytest.mark.parametrize("path", ["/nope", "/admin/nope"])
async def test_nobody_else_is_shown_a_menu(world: World, path: str) -> None:
    async with Visiting(world) as browser:
        seen = await browser.get(path)
    assert (seen.status, MENU in seen.html) == (404, False)


async def test_a_link_to_one_request_knows_no_other_page(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get("/d/nope")
    assert (seen.status, MENU in seen.html, "To the overview" in seen.words) == (404, False, False)


async def test_a_program_is_answered_as_before(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get("/api/v1/nope")
    assert (seen.status, "text/html" in seen.headers["Content-Type"]) == (404, False)


async def test_everybody_can_use_it(world: World, page: Page) -> None:
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin/nope")
    found = await flaws(page)
    await page.get_by_role("link", name="Audit").click()
    await page.get_by_role("heading", name="Audit").wait_for()
    assert found == []
