"""The mistakes that people make: each is named by the doctor, with its mend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.doctor.round_trip import State
from bot.rehearsal.slack import SlackWorkspace
from tests.doctor.examined import delivered, ended, failing
from tests.rehearsal.listening import listening
from tests.stories.world import ANA, Platforms, World, installed

WRONG_SECRET = "0123456789abcdef0123456789abcdef"
WRONG_TENANT = "11111111-2222-4333-8444-555555555555"


@asynccontextmanager
async def with_mistake(platforms: Platforms, data: Path, **wrong: Any) -> AsyncIterator[World]:
    async with installed(platforms, data, **wrong) as world:
        yield world


async def test_a_sound_installation_has_nothing_to_mend(world: World) -> None:
    assert await failing(world) == []


@pytest.mark.parametrize(
    "wrong, part, name, cause, mend",
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"}, "Slack", "Bot token", "not valid", "OAuth & Permissions"),
        ({"TEAMS_TENANT_ID": WRONG_TENANT}, "Microsoft Teams", "Teams login", "TEAMS_TENANT_ID", "Microsoft Entra"),
        ({"TEAMS_CLIENT_SECRET": "wrong"}, "Microsoft Teams", "Teams login", "AADSTS7000215", "Microsoft Entra"),
        ({"SMTP_PORT": "1"}, "E-mail", "Mail server", "", "SMTP_PORT"),
        ({"SMTP_FROM": ""}, "E-mail", "Settings", "SMTP_FROM", "SPF"),
        ({"SLACK_SIGNING_SECRET": ""}, "Slack", "Clicks", "Buttons cannot answer", "Signing Secret"),
        ({"BASE_URL": "http://nowhere.invalid"}, "Public address", "DNS", "no address in DNS", "BASE_URL"),
        ({"BASE_URL": "http://127.0.0.1:1"}, "Public address", "Reaches us", "does not answer", "BASE_URL"),
        ({"CHAIN": "webhook"}, "Settings", "Chain", "nobody can be told", "Notifications"),
        ({"ALERT_RECIPIENT_EMAIL": "zoe@example.com"}, "Settings", "People", "no operator", "zoe@example.com"),
    ],
)
async def test_a_mistake_is_named_with_its_mend(
    platforms: Platforms, data: Path, wrong: dict[str, str], part: str, name: str, cause: str, mend: str
) -> None:
    async with with_mistake(platforms, data, **wrong) as world:
        found = await failing(world)
    checks = [check for title, check in found if (title, check.name) == (part, name)]
    assert checks, found
    assert (cause in checks[0].cause, mend in checks[0].mend) == (True, True), checks[0]


async def test_a_missing_scope_is_named(platforms: Platforms, data: Path) -> None:
    async with SlackWorkspace(scopes=("chat:write",)) as slack:
        changed = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": slack.bot_token}
        async with with_mistake(platforms, data, **changed) as world:
            found = await failing(world)
    assert ("Slack", "The app lacks users:read, users:read.email.") in [(title, each.cause) for title, each in found]


async def test_a_wrong_signing_secret_shows_as_soon_as_somebody_has_clicked(platforms: Platforms, data: Path) -> None:
    async with with_mistake(platforms, data, SLACK_SIGNING_SECRET=WRONG_SECRET) as world:
        await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        await world.slack.dm(ANA).click("Approve")
        await world.settled()
        [(part, check)] = await failing(world)
    assert (part, check.name) == ("Answers from Slack", "Calls")
    assert "SLACK_SIGNING_SECRET is wrong" in check.cause
    assert "Signing Secret" in check.mend


async def test_without_interactivity_the_round_trip_stops_at_the_click(world: World) -> None:
    world.slack.events_url = None
    trip = await delivered(world)
    clicked = next(hop for hop in trip.hops if hop.name == "Clicked")
    assert (clicked.state, "Interactivity" in clicked.mend) == (State.WAITING, True)


async def test_an_unanswered_round_trip_stops_at_the_click_when_its_time_is_over(world: World) -> None:
    world.slack.events_url = None
    trip_id = (await delivered(world)).id
    await world.forward(minutes=16)
    trip = await ended(world, trip_id)
    assert trip.failed is None
    assert trip.unpressed
    assert (trip.unpressed.name, "Interactivity" in trip.unpressed.mend) == ("Clicked", True)


async def test_an_address_that_leads_to_somebody_else_is_named(platforms: Platforms, data: Path) -> None:
    async def another(_: web.Request) -> web.StreamResponse:
        return web.Response(text="It works!")

    async with listening(another) as url, with_mistake(platforms, data, BASE_URL=url.rpartition("/slack")[0]) as world:
        found = dict(await failing(world))
    assert "something else answers" in found["Public address"].cause
