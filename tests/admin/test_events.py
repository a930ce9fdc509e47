"""Events: what came in, what became of it and why, without the secrets that came along."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.signed_in import Seen, Visiting, signed_in
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, Platforms, World, installed

SECRET = "xoxb-1234567890-abcdefghij"


@pytest.fixture
async def ben(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, BEN) as browser:
        yield browser


async def opened(browser: Visiting, told: object) -> Seen:
    return await browser.get(f"/admin/events/{told}")


async def test_an_event_leads_to_the_copies_it_became(world: World, ben: Visiting) -> None:
    told = await world.tell("demo.event", "Something happened", context={"disk": "sda"})
    await at_rest(world)
    page = await opened(ben, told["event_id"])
    assert "Passed on." in page.words
    assert "Ana told" in page.words
    assert '"disk": "sda"' in page.words
    assert "/admin/deliveries/" in page.html


async def test_a_repetition_says_why_nobody_heard_of_it(world: World, ben: Visiting) -> None:
    await world.tell("demo.event")
    again = await world.tell("demo.event")
    words = (await opened(ben, again["event_id"])).words
    assert "Held back, as it was told before." in words
    assert "within the last 60 minutes" in words


async def test_a_switched_off_class_says_where_to_switch_it_on(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, EVENTS_DISABLED="demo.event") as world:
        told = await world.tell("demo.event")
        async with await signed_in(world, ANA) as browser:
            words = (await opened(browser, told["event_id"])).words
    assert "Told to nobody." in words
    assert "switch it on again under Notifications" in words


async def test_a_room_that_is_not_set_is_named_as_what_is_missing(platforms: Platforms, data: Path) -> None:
    calls = {"user": "dana@example.com", "tool": "crm.read", "window": "1h", "count": 400, "limit": 300}
    async with installed(platforms, data, install_teams=False, SMTP_TO="") as world:
        told = await world.tell("throughput.threshold", context=calls)
        await at_rest(world)
        async with await signed_in(world, ANA) as browser:
            words = (await opened(browser, told["event_id"])).words
    assert "Nobody was told." in words
    assert "No room is set. Set SLACK_CHANNEL or SMTP_TO" in words
    assert "Link their account" not in words


async def test_an_event_that_asks_leads_to_its_request(world: World, ben: Visiting) -> None:
    context = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": "/a"}, "ask": True}
    told = await world.tell("destructive_action.blocked", context=context)
    page = await opened(ben, told["event_id"])
    assert f"/admin/requests/{told['interaction_id']}" in page.html
    request = await ben.get(f"/admin/requests/{told['interaction_id']}")
    assert f"/admin/events/{told['event_id']}" in request.html


async def test_lists_are_narrowed(world: World, ben: Visiting) -> None:
    await world.tell("demo.one", "First", severity="high")
    await world.tell("demo.two", "Second", severity="low")
    await world.tell("demo.two", "Second", severity="low")
    for query, expected in {
        "?type=demo.one": 1,
        "?severity=low": 2,
        "?result=deduplicated": 1,
        "?type=none": 0,
    }.items():
        page = await ben.get(f"/admin/events{query}")
        assert page.html.count('<a href="/admin/events/') == expected, query


async def test_secrets_that_came_along_are_not_shown(world: World, ben: Visiting) -> None:
    context = {"api_token": "hunter22hunter22", "error": f"refused {SECRET}"}
    told = await world.tell(
        "custom", f"It said {SECRET}", details=f"and {SECRET}", context=context, labels={"a": SECRET}
    )
    for page in (await opened(ben, told["event_id"]), await ben.get("/admin/events")):
        assert (page.status, SECRET in page.html, "hunter22" in page.html) == (200, False, False)


async def test_markup_that_came_along_is_text(world: World, ben: Visiting) -> None:
    text = "<script>alert(1)</script>"
    told = await world.tell("custom", text, details=text, source=text, context={text: text}, labels={text: text})
    for page in (await opened(ben, told["event_id"]), await ben.get("/admin/events")):
        assert "<script>alert" not in page.html


async def test_an_event_that_there_is_not_is_not_found(ben: Visiting) -> None:
    assert (await opened(ben, "nothing")).status == 404
