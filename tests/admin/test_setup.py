"""The first run: from the printed link to a server that reaches a person."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from interactions.model import Role
from tests.admin.signed_in import Seen, Visiting, access_of, signed_in
from tests.stories.world import ANA, BEN, Platforms, World, installed

OWNER = "olga@example.com"


@pytest.fixture
async def new(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """A server on which nobody is an operator, and nothing is set up but where the mailbox is not."""
    unset: dict[str, Any] = dict.fromkeys(
        ("SLACK_BOT_TOKEN", "TEAMS_APP_ID", "SMTP_HOST", "SMTP_FROM", "ALERT_RECIPIENT_EMAIL"), ""
    )
    unset |= {
        "SLACK_SIGNING_SECRET": "",
        "SMTP_PORT": "",
        "SMTP_SECURITY": "",
        "SMTP_TO": "",
        "TEAMS_CLIENT_SECRET": "",
        "TEAMS_TENANT_ID": "",
    }
    async with installed(platforms, data, install_teams=False, **unset) as world:
        await world.product.store.write(lambda tx: tx.run("UPDATE operator SET removed_at = 0"))
        yield world


async def setup_link(world: World) -> str:
    secret = await access_of(world).setup_link()
    assert secret
    return f"/setup/{secret}"


async def become_admin(browser: Visiting, link: str, email: str = OWNER) -> Seen:
    page = await browser.get(link)
    return await browser.post_raw(link, {"seal": page.seal, "email": email, "name": "Olga"})


async def test_the_printed_link_makes_an_admin_who_is_signed_in(new: World) -> None:
    async with Visiting(new) as browser:
        moved = await become_admin(browser, await setup_link(new))
        page = await browser.get(moved.headers["Location"])
    assert (page.status, page.at, "Signed in as Olga" in page.words) == (200, f"{new.address}/setup/address", True)


async def test_the_way_from_the_link_to_a_message_in_the_mailbox(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.post("/setup/address", {"BASE_URL": new.address})
        assert "reached itself" in seen.words
        mail = {"SMTP_HOST": new.mail.host, "SMTP_PORT": str(new.mail.port), "SMTP_SECURITY": "none"}
        seen = await browser.post("/setup/channel/email", {**mail, "SMTP_FROM": "bell@example.com"})
        assert "see whether it works" in seen.words
        seen = await browser.post("/setup/test", {"channel": "email"})
        assert "took the message" in seen.words
        seen = await browser.get("/setup")
        assert "Gatebell is ready" in seen.words
    assert "this channel works" in str(new.mail.of(OWNER)[-1].text)


@pytest.mark.parametrize("email", [OWNER, BEN], ids=["who is told", "somebody else"])
async def test_somebody_who_was_told_of_an_event_does_not_close_the_set_up(
    platforms: Platforms, data: Path, email: str
) -> None:
    async with installed(platforms, data, install_teams=False, ALERT_RECIPIENT_EMAIL=OWNER) as world:
        await world.product.store.write(lambda tx: tx.run("UPDATE operator SET removed_at = 0"))
        link = await setup_link(world)
        await world.tell("demo.event")
        assert [each.role for each in await world.operators.everybody()] == [Role.OPERATOR]
        async with Visiting(world) as browser:
            moved = await become_admin(browser, link, email)
            page = await browser.get(moved.headers["Location"])
            again = await become_admin(browser, link, "eve@example.com")
        admins = [(each.email, each.name) for each in await world.operators.everybody() if each.role is Role.ADMIN]
        assert (page.status, again.status, admins) == (200, 403, [(email, "Olga")])
        assert await access_of(world).setup_link() is None


async def test_a_channel_outside_the_chain_joins_it_when_it_is_set_up(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.post("/setup/channel/webhook", {"WEBHOOK_URL": new.caller.url})
        assert "put at the end of the chain" in seen.words
    await new.tell("demo.event")
    assert await new.caller.wait_for(1)


async def test_a_chain_of_the_environment_is_named_where_the_wizard_cannot_change_it(
    platforms: Platforms, data: Path
) -> None:
    unset: dict[str, Any] = {"CHAIN": "slack", "SLACK_BOT_TOKEN": ""}
    async with (
        installed(platforms, data, install_teams=False, **unset) as world,
        await signed_in(world, ANA) as browser,
    ):
        seen = await browser.post("/setup/channel/webhook", {"WEBHOOK_URL": world.caller.url})
    assert "until webhook is added to CHAIN" in seen.words


async def test_the_link_works_once(new: World) -> None:
    link = await setup_link(new)
    async with Visiting(new) as first, Visiting(new) as second:
        pages = [await each.get(link) for each in (first, second)]
        forms = [{"seal": page.seal, "email": f"{name}@example.com"} for name, page in zip("ab", pages, strict=True)]
        seen = await asyncio.gather(first.post_raw(link, forms[0]), second.post_raw(link, forms[1]))
    assert (sorted(each.status for each in seen), len(await new.operators.everybody())) == ([303, 403], 1)


async def test_a_mistyped_address_does_not_use_the_link_up(new: World) -> None:
    link = await setup_link(new)
    async with Visiting(new) as browser:
        wrong = await become_admin(browser, link, "olga at example")
        right = await become_admin(browser, link)
    assert (wrong.status, right.status) == (422, 303)


async def test_the_link_is_worth_nothing_once_there_is_an_admin(new: World) -> None:
    link = await setup_link(new)
    await new.operators.add(OWNER, role=Role.ADMIN, by="cli")
    async with Visiting(new) as browser:
        assert (await browser.get(link)).status == 403


async def test_no_link_is_made_once_there_is_an_admin(world: World) -> None:
    assert await access_of(world).setup_link() is None


async def test_the_link_is_over_after_a_day(new: World) -> None:
    link = await setup_link(new)
    await new.forward(hours=24)
    async with Visiting(new) as browser:
        assert (await browser.get(link)).status == 403


async def test_without_the_link_the_page_says_where_it_is(new: World) -> None:
    async with Visiting(new) as browser:
        seen = await browser.get("/setup")
    assert (seen.status, "Open that link" in seen.words, seen.seal) == (200, True, "")


@pytest.mark.parametrize("path", ["/", "/admin", "/login"])
async def test_while_nobody_is_there_every_door_leads_to_the_set_up(new: World, path: str) -> None:
    async with Visiting(new) as browser:
        seen = await browser.get(path)
    assert (seen.at, "not set up yet" in seen.words) == (f"{new.address}/setup", True)


async def test_it_goes_on_where_it_was_left_and_says_what_was_left_out(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        await browser.post("/setup/address", {"BASE_URL": new.address})
        resumed, ended = await browser.get("/setup"), await browser.get("/setup/done")
    assert resumed.at == f"{new.address}/setup/channel"
    assert "Nearly done" in ended.words
    left_out = [f"{step} left out" in ended.words for step in ("Public address", "A channel", "A test")]
    assert left_out == [False, True, True]


async def test_an_address_that_leads_elsewhere_is_called_that(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.post("/setup/address", {"BASE_URL": new.caller.url})
    assert ("reached itself" in seen.words, "something else answers" in seen.words) == (False, True)


async def test_a_channel_that_does_not_take_the_test_says_why(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        await browser.post("/setup/channel/slack", {"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_SIGNING_SECRET": "a" * 32})
        seen = await browser.post("/setup/test", {"channel": "slack"})
    assert ("did not take the message" in seen.words, "xoxb-wrong" in seen.html) == (True, False)


async def test_a_cause_is_told_once(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        mail = {"SMTP_HOST": new.mail.host, "SMTP_PORT": "1", "SMTP_SECURITY": "none", "SMTP_FROM": "bell@example.com"}
        await browser.post("/setup/channel/email", mail)
        seen = await browser.post("/setup/test", {"channel": "email"})
    assert seen.words.count("the mail server cannot be reached") == 1


async def test_a_test_that_reached_nobody_is_still_to_be_done(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        mail = {"SMTP_HOST": new.mail.host, "SMTP_PORT": "1", "SMTP_SECURITY": "none", "SMTP_FROM": "bell@example.com"}
        await browser.post("/setup/channel/email", mail)
        seen = await browser.post("/setup/test", {"channel": "email"})
        assert "Check SMTP_HOST and SMTP_PORT" in seen.words
        ended = await browser.get("/setup/done")
    assert "A test left out" in ended.words


async def test_each_step_says_which_ones_are_done(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        await browser.post("/setup/address", {"BASE_URL": new.address})
        seen = await browser.get("/setup/channel")
    assert "Address , done Channel Test Done" in seen.words


async def test_what_logs_in_is_asked_for_together_and_the_guide_is_beside_it(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.get("/setup/channel/email")
    order = [
        "E-mail in three steps",
        "SMTP_HOST",
        "STARTTLS (port 587), the default TLS (port 465) none",
        "SMTP_USERNAME",
        "SMTP_PASSWORD",
        "SMTP_FROM",
        "More settings",
        "SMTP_TO",
    ]
    assert [each for each in order if each in seen.words] == order
    assert sorted(order, key=seen.words.index) == order


async def test_the_guide_of_slack_names_its_fields_and_stays_in_the_set_up(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.get("/setup/channel/slack?way=http")
    assert seen.words.index("Slack in four steps") < seen.words.index("Bot User OAuth Token needed")
    assert ('<a href="/setup/address">set the public address</a>' in seen.html, "/admin/settings" in seen.html) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    "query, named, left",
    [
        ("?way=http", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"),
        ("?way=socket", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"),
        ("", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"),
    ],
    ids=["http", "socket", "what an address of this machine allows"],
)
async def test_each_way_to_slack_names_what_it_needs_alone(new: World, query: str, named: str, left: str) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.get(f"/setup/channel/slack{query}")
        both = await browser.get("/admin/notifications")
    assert (f'name="{named}"' in seen.html, left in seen.html, "SLACK_BOT_TOKEN" in seen.html) == (True, False, True)
    assert all(f'name="{each}"' in both.html for each in (named, left))


async def test_the_way_that_was_set_up_is_shown_again(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        await browser.post("/setup/channel/slack?way=http", {"SLACK_SIGNING_SECRET": "a" * 32})
        seen = await browser.get("/setup/channel/slack")
    assert '<a href="/setup/channel/slack?way=http" aria-current="true">HTTP</a>' in seen.html


async def test_what_the_way_still_lacks_is_named_and_the_way_stays(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        seen = await browser.post("/setup/channel/slack?way=socket", {"SLACK_BOT_TOKEN": "xoxb-1-2-abc"})
    assert seen.at == f"{new.address}/setup/channel/slack?way=socket"
    assert "Saved. Still missing: SLACK_APP_TOKEN." in seen.words


async def test_of_a_webhook_no_clicks_are_expected(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        step = await browser.get("/setup/channel/webhook")
        await browser.post("/setup/channel/webhook", {"WEBHOOK_URL": new.caller.url})
        seen = await browser.post("/setup/test", {"channel": "webhook"})
    assert ("Webhook took the message" in seen.words, "clicks come back" in seen.words) == (True, False)
    assert "Where these values come from" not in step.words


async def test_a_secret_that_was_saved_is_shown_in_no_step(new: World) -> None:
    async with Visiting(new) as browser:
        await become_admin(browser, await setup_link(new))
        await browser.post("/setup/channel/slack", {"SLACK_BOT_TOKEN": "xoxb-1234567890-secret"})
        seen = await browser.get("/setup/channel/slack")
    assert ("xoxb-1234567890-secret" in seen.html, "cret" in seen.words) == (False, True)


async def test_the_steps_are_for_admins(world: World) -> None:
    async with await signed_in(world, BEN) as browser:
        assert (await browser.get("/setup/channel", follow=False)).status == 403


async def test_a_page_that_is_not_there_leads_to_the_overview(world: World) -> None:
    async with Visiting(world) as browser:
        seen = await browser.get("/nope")
    assert (seen.status, '<a href="/admin">To the overview</a>' in seen.html) == (404, True)
