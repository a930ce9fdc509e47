"""Health: what the doctor finds, and the round trip that names the hop that failed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.admin.signed_in import Seen, Visiting, signed_in
from tests.stories.world import ANA, BEN, MIA, Platforms, World, a_moment, installed

WORKS = "The way to you and back works."


async def told(browser: Visiting, address: str, words: str) -> Seen:
    """The page as soon as it says this, or as it stands after five seconds."""
    seen = await browser.get(address)
    try:
        async with asyncio.timeout(5):
            while words not in seen.words:
                await a_moment()
                seen = await browser.get(address)
    except TimeoutError:
        pass
    return seen


async def test_everything_that_the_doctor_finds_stands_on_the_page(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get("/admin/health")
    assert seen.status == 200
    assert "Scopes for messages ok" in seen.words
    assert "Reaches us ok" in seen.words
    assert "Mail server ok" in seen.words


async def test_no_secret_is_on_the_page(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.get("/admin/health")
    assert not [secret for secret in world.product.settings.now.secrets if secret in seen.html]


async def test_a_round_trip_in_slack_goes_all_the_way(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "slack"})
        await world.shown_to_ana("It works")
        await world.slack.dm(ANA).click("It works")
        await world.shown_to_ana("It works, chosen by Ana")
        seen = await told(browser, begun.at, WORKS)
    assert WORKS in seen.words


async def test_a_round_trip_by_mail_goes_all_the_way(world: World) -> None:
    async with await signed_in(world, MIA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "email"})
        await world.shown_to_mia()
        await (await world.page_of(MIA)).press("It works")
        await world.shown_to_mia(2)
        seen = await told(browser, begun.at, WORKS)
    assert WORKS in seen.words


async def test_before_the_click_it_says_what_it_waits_for(world: World) -> None:
    async with await signed_in(world, BEN) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "teams"})
        await world.shown_to_ben("It works")
        seen = await told(browser, begun.at, "Delivered done")
    assert "Delivered done" in seen.words
    assert "Clicked waiting" in seen.words


async def test_a_channel_that_is_not_set_up_takes_no_round_trip(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        seen = await browser.post("/admin/health/trip", {"channel": "webhook"})
    assert "That channel is not set up" in seen.words


@pytest.mark.parametrize(
    "hop, wrong, mend",
    [
        ("Signature", {"SLACK_SIGNING_SECRET": "0123456789abcdef0123456789abcdef"}, "Signing Secret"),
        ("Delivered", {"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"}, "token"),
    ],
)
async def test_the_hop_that_failed_is_named(
    platforms: Platforms, data: Path, hop: str, wrong: dict[str, Any], mend: str
) -> None:
    async with installed(platforms, data, **wrong) as world, await signed_in(world, ANA) as browser:
        begun = await browser.post("/admin/health/trip", {"channel": "slack"})
        if hop != "Delivered":
            await world.shown_to_ana("It works")
            await world.slack.dm(ANA).click("It works")
        seen = await told(browser, begun.at, "It failed")
    assert f"It failed at “{hop}”." in seen.words
    assert mend in seen.words
