"""The daily pages in a real browser: light, dark and narrow; nobody shut out, nothing refused by our own policy."""

from playwright.async_api import Page

from bot.rehearsal.failure import status
from tests.admin.looking import flaws
from tests.admin.signed_in import sign_in
from tests.stories.reach import at_rest
from tests.stories.world import ANA, World

FIRST = {
    "requests": "SELECT MIN(id) AS id FROM interaction",
    "events": "SELECT MIN(id) AS id FROM event",
    "deliveries": "SELECT MIN(id) AS id FROM delivery",
}


async def first(world: World, page: str) -> str:
    row = await world.product.store.read(lambda tx: tx.row(FIRST[page]))
    assert row
    return str(row["id"])


async def a_day(world: World) -> list[str]:
    """Something of everything; the addresses of all daily pages."""
    world.mail.fail(status(552))
    await world.ask_blocked(reason="required_on_denial", expires_in=900, requested_by={"agent": "x" * 190})
    for _ in range(2):
        await world.tell("demo.event", "W" * 300, context={"long": "y" * 300}, severity="critical")
    await at_rest(world)
    single = [f"/admin/{name}/{await first(world, name)}" for name in FIRST]
    return ["/admin", "/admin/audit", *(f"/admin/{name}" for name in FIRST), *single]


async def test_everybody_can_use_every_page(world: World, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda failed: complaints.append(str(failed)))
    await sign_in(page, world, ANA)
    for address in await a_day(world):
        await page.goto(f"{world.address}{address}")
        complaints += await flaws(page)
    assert complaints == []


async def test_a_person_finds_and_answers_a_request(world: World, page: Page) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await sign_in(page, world, ANA)
    await page.goto(f"{world.address}/admin")
    await page.get_by_role("link", name="Archivist was blocked").click()
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_text("Approved by Ana").first.wait_for()
    assert (await world.see(asked["id"]))["decision"]["channel"] == "admin"
