"""Overview: what waits, what is broken, what the last day brought, and what to do where there is nothing yet."""

from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.failure import error
from tests.admin.signed_in import signed_in
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed


async def seen(world: World, who: str = ANA) -> str:
    async with await signed_in(world, who) as browser:
        page = await browser.get("/admin")
        assert page.status == 200
        return page.words


async def test_before_anything_it_shows_how_to_send_the_first_event(world: World) -> None:
    words = await seen(world)
    assert f"curl {world.address}/api/v1/events" in words
    assert "Nothing waits for an answer" in words


async def test_without_a_channel_it_leads_an_admin_to_set_one_up(platforms: Platforms, data: Path) -> None:
    off: dict[str, Any] = {"SLACK_BOT_TOKEN": "", "SMTP_HOST": "", "TEAMS_APP_ID": "", "TEAMS_CLIENT_SECRET": ""}
    async with installed(platforms, data, install_teams=False, **off) as world:
        async with await signed_in(world, ANA) as browser:
            assert '<a href="/setup/channel">Set up a channel</a>' in (await browser.get("/admin")).html
        assert "An admin can set one up" in await seen(world, BEN)


async def test_a_channel_outside_the_chain_is_listed_as_one_that_tells_nobody(platforms: Platforms, data: Path) -> None:
    alone: dict[str, Any] = {"SLACK_BOT_TOKEN": "", "SMTP_HOST": "", "TEAMS_APP_ID": "", "TEAMS_CLIENT_SECRET": ""}
    async with installed(platforms, data, install_teams=False, WEBHOOK_URL="http://127.0.0.1:9/", **alone) as world:
        words = await seen(world)
    assert "Webhook not in the chain" in words
    assert "No channel of the chain is set up" in words


async def test_an_admin_is_shown_what_was_left_out_of_the_set_up(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        page = await browser.get("/admin")
        assert f"links in messages lead to {world.address}, which others cannot open" in page.words
        assert "No message has reached anybody yet. Send yourself a test" in page.words
        await world.tell("demo.event")
        await world.shown_to_ana("Something happened")
        await at_rest(world)
        await world.product.settings.save({"BASE_URL": "https://gatebell.example.com"}, "cli")
        assert "Left out of the set-up" not in (await browser.get("/admin")).words


async def test_whoever_cannot_set_it_up_is_not_asked_to(world: World) -> None:
    assert "Left out of the set-up" not in await seen(world, BEN)


async def test_what_has_waited_longest_comes_first_with_how_long(world: World) -> None:
    await world.ask_blocked(to=[ANA])
    await world.forward(minutes=5)
    await world.ask("clarification", {"question": "Which?", "choices": [{"id": "a", "label": "A"}]}, [BEN])
    await world.forward(minutes=2)
    words = await seen(world)
    older = words.index("waiting for 7 minutes")
    assert older < words.index("waiting for 2 minutes")
    assert "asked: Ben" in words[older:]


async def test_only_whoever_was_asked_is_told_so(world: World) -> None:
    await world.ask_blocked(to=[ANA])
    assert ("you are asked" in await seen(world, ANA), "you are asked" in await seen(world, BEN)) == (True, False)


async def test_a_broken_channel_says_why_and_since_when(world: World) -> None:
    world.slack.fail(error("invalid_auth"), path="chat.postMessage")
    await world.tell("demo.event")
    await at_rest(world)
    words = await seen(world)
    assert "Slack broken" in words
    assert "invalid_auth" in words
    assert "renew the channel's credentials" in words


async def test_an_empty_queue_says_that_nothing_waits(world: World) -> None:
    assert "Queue Nothing waits to be sent." in await seen(world)


async def test_the_day_is_counted(world: World) -> None:
    await world.tell("demo.event")
    await world.tell("demo.event")
    asked = await world.ask_blocked(to=[MIA])
    await world.shown_to_mia()
    await world.call("POST", f"/api/v1/interactions/{asked['id']}/withdraw")
    await at_rest(world)
    words = await seen(world)
    for figure in ("Events came in 2", "Held back 1", "Copies sent 2", "Requests asked 1", "without an answer 1"):
        assert figure in words


async def test_yesterday_is_not_counted(world: World) -> None:
    await world.tell("demo.event")
    await at_rest(world)
    await world.forward(hours=25)
    assert "Events came in 0" in await seen(world)


@pytest.mark.parametrize("address", ["/admin", "/admin/requests", "/admin/events", "/admin/deliveries", "/admin/audit"])
async def test_a_stranger_is_led_to_the_sign_in(world: World, address: str) -> None:
    async with world.http.get(f"{world.address}{address}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"].startswith("/login")) == (303, True)
