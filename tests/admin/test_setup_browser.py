"""The first run in a real browser: by keyboard, left and taken up again, without script, with every step left out."""

import pytest
from playwright.async_api import Browser, Page

from tests.admin.looking import flaws, press, write
from tests.admin.office import new_office, opened, setup_link, visitor
from tests.stories.world import World

__all__ = ["new_office", "visitor"]

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWNER = "olga@example.com"


async def become_admin(page: Page, world: World) -> None:
    await page.goto(await setup_link(world))
    await page.get_by_label("Your e-mail address").fill(OWNER)
    await page.get_by_label("Your name").fill("Olga")
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("heading", name="Where do people and platforms").wait_for()


async def test_the_whole_way_by_keyboard_from_the_printed_link_to_the_mailbox(new_office: World, visitor: Page) -> None:
    page, found = visitor, []
    await page.goto(await setup_link(new_office))
    found += await flaws(page)
    await write(page, "Your e-mail address", OWNER)
    await write(page, "Your name", "Olga")
    await page.keyboard.press("Enter")

    await page.get_by_role("heading", name="Where do people and platforms").wait_for()
    found += await flaws(page)
    await write(page, "Public address", new_office.address)
    await press(page, "Save and try it")
    await page.get_by_text("and reached itself").wait_for()
    found += await flaws(page)
    await press(page, "Go on", "link")

    await page.get_by_role("heading", name="How shall people be told?").wait_for()
    found += await flaws(page)
    await press(page, "E-mail", "link")
    await page.get_by_role("heading", name="E-mail", exact=True).wait_for()
    found += await flaws(page)
    await page.locator("#s-SMTP_HOST").fill(new_office.mail.host)
    await page.locator("#s-SMTP_PORT").fill(str(new_office.mail.port))
    await page.locator("#s-SMTP_FROM").fill("bell@example.com")
    await page.locator("#s-SMTP_SECURITY").select_option("none")
    await press(page, "Save")

    await page.get_by_text("Now see whether it works.").wait_for()
    found += await flaws(page)
    await press(page, "Send a test by E-mail")
    await page.get_by_text("E-mail took the message").wait_for()
    found += await flaws(page)
    await press(page, "Go on", "link")

    await page.get_by_role("heading", name="Gatebell is ready").wait_for()
    found += await flaws(page)
    await press(page, "To the overview", "link")
    await page.get_by_role("heading", name="Overview").wait_for()
    assert await page.get_by_text("Left out of the set-up").count() == 0
    assert "this channel works" in new_office.mail.of(OWNER)[-1].text
    assert found == []


async def test_it_goes_on_in_a_browser_that_was_closed(new_office: World, chrome: Browser) -> None:
    async with opened(chrome) as page:
        await become_admin(page, new_office)
        await page.get_by_label("Public address").fill(new_office.address)
        await page.get_by_role("button", name="Save and try it").click()
        await page.get_by_text("and reached itself").wait_for()
        kept = await page.context.storage_state()
    async with opened(chrome, storage_state=kept) as page:
        await page.goto(f"{new_office.address}/setup")
        assert page.url == f"{new_office.address}/setup/channel"
        assert await page.get_by_role("link", name="Address , done").count() == 1
    async with opened(chrome) as page:
        await page.goto(f"{new_office.address}/setup")
        assert page.url == f"{new_office.address}/login?next=/setup"


async def test_without_script_every_step_can_be_left_out_and_is_asked_for_later(
    new_office: World, chrome: Browser
) -> None:
    async with opened(chrome, java_script_enabled=False) as page:
        await become_admin(page, new_office)
        for heading in ("How shall people be told?", "Does it work?", "Nearly done"):
            await page.get_by_role("link", name="Skip this for now").click()
            await page.get_by_role("heading", name=heading).wait_for()
        left_out = await page.locator(".rows.brief").inner_text()
        assert left_out.split("\n") == ["Public address", "left out", "A channel", "left out", "A test", "left out"]
        await page.get_by_role("link", name="To the overview").click()
        await page.get_by_role("heading", name="Overview").wait_for()
        for words in (
            "The public address is not set",
            "No channel of the chain is set up",
            "No message has reached anybody",
        ):
            await page.get_by_text(words).wait_for()
        await page.get_by_role("link", name="Set the public address").click()
        await page.wait_for_url(f"{new_office.address}/setup/address")


async def test_without_script_a_channel_is_set_up_and_what_is_wrong_is_said(new_office: World, chrome: Browser) -> None:
    async with opened(chrome, java_script_enabled=False) as page:
        await become_admin(page, new_office)
        await page.get_by_label("Public address").fill(new_office.caller.url)
        await page.get_by_role("button", name="Save and try it").click()
        await page.get_by_text("something else answers").wait_for()
        await page.goto(f"{new_office.address}/setup/channel/slack")
        await page.get_by_role("link", name="HTTP").click()
        await page.locator("#s-SLACK_BOT_TOKEN").fill("xapp-1-A1-2-abc")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("This is an app-level token").wait_for()
        await page.locator("#s-SLACK_BOT_TOKEN").fill("xoxb-1-2-wrong")
        await page.locator("#s-SLACK_SIGNING_SECRET").fill(new_office.slack.signing_secret)
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("button", name="Send a test by Slack").click()
        await page.get_by_text("Slack did not take the message").wait_for()
        assert "xoxb-1-2-wrong" not in await page.content()


@pytest.mark.parametrize(
    "path, save, saved",
    [
        ("/setup/channel/slack?way=http", "Save", "Now see whether it works."),
        ("/admin/notifications", "Save Slack", "Saved. It holds from now on."),
    ],
    ids=["in the set-up", "on the channel's card"],
)
async def test_whoever_mends_one_field_need_not_type_the_secrets_again(
    new_office: World, visitor: Page, path: str, save: str, saved: str
) -> None:
    page, token = visitor, "xoxb-1234567890-kept-aside"
    await become_admin(page, new_office)
    await page.goto(f"{new_office.address}{path}")
    room, field = page.locator("#s-SLACK_CHANNEL"), page.locator("#s-SLACK_BOT_TOKEN")
    if not await room.is_visible():
        await page.get_by_text("More settings").first.click()
    await field.fill(token)
    await page.locator("#s-SLACK_SIGNING_SECRET").fill("5ec2e7" + "0a" * 13)
    await room.fill("no channel at all")
    await page.get_by_role("button", name=save, exact=True).click()
    await page.get_by_role("alert").get_by_text("Nothing was saved.").wait_for()
    assert "What you typed is held" in await page.locator("#h-SLACK_BOT_TOKEN").inner_text()
    assert (await field.input_value(), token in await page.content()) == ("", False)
    found = await flaws(page)
    await room.fill("")
    await page.get_by_role("button", name=save, exact=True).click()
    await page.get_by_text(saved).wait_for()
    assert new_office.product.settings.now["SLACK_BOT_TOKEN"] == token
    assert found == []


async def test_everybody_can_choose_the_way_to_slack(new_office: World, visitor: Page) -> None:
    await become_admin(visitor, new_office)
    await visitor.goto(f"{new_office.address}/setup/channel/slack")
    found = await flaws(visitor)
    await press(visitor, "HTTP", "link")
    await visitor.get_by_label("Signing Secret").wait_for()
    assert await visitor.locator("#s-SLACK_APP_TOKEN").count() == 0
    assert found + await flaws(visitor) == []


async def test_everybody_can_use_the_step_of_every_channel(new_office: World, visitor: Page) -> None:
    await become_admin(visitor, new_office)
    found = []
    for name in ("slack", "teams", "email", "webhook"):
        await visitor.goto(f"{new_office.address}/setup/channel/{name}")
        found += await flaws(visitor)
    assert found == []


async def test_a_link_that_is_over_says_what_to_do(new_office: World, visitor: Page) -> None:
    found = []
    for path, words in (("/setup", "the server printed a link"), ("/setup/nonsense", "it prints a new link")):
        await visitor.goto(f"{new_office.address}{path}")
        await visitor.get_by_text(words).wait_for()
        found += await flaws(visitor)
    assert found == []
