"""Throughput → Threshold settings, without script."""

import re
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.admin.signed_in import Visiting, signed_in
from tests.stories.world import ANA, BEN, World

LIST = "/admin/throughput/thresholds"
FORM = {"user": "Dana@example.com", "tool": "crm.read", "window": "24h", "limit": "12,000", "room": "#ops", "on": "on"}


@pytest.fixture
async def anas(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def only(world: World) -> str:
    (found,) = await world.thresholds.list()
    return found.id


async def test_it_says_what_happens_while_nothing_is_set(anas: Visiting) -> None:
    assert "Whatever your gateway reports" in (await anas.get(LIST)).words


async def test_one_is_set_and_listed(world: World, anas: Visiting) -> None:
    seen = await anas.post(LIST, FORM)
    assert "Set: 12,000 per day set for dana@example.com and crm.read." in seen.words
    assert "dana@example.com, crm.read 12,000 calls per day, told in #ops on" in seen.words


async def test_one_is_changed(world: World, anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    place = f"{LIST}/{await only(world)}"
    assert 'value="12000"' in (await anas.get(place)).html
    seen = await anas.post(place, FORM | {"limit": "7", "room": "", "on": ""})
    assert "dana@example.com, crm.read 7 calls per day, told in each channel's own room off" in seen.words


async def test_one_is_switched_off_and_on(world: World, anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    place = f"{LIST}/{await only(world)}/switch"
    states = []
    for on in ("off", "off", "on"):
        await anas.post(place, {"on": on})
        states += [each.on for each in await world.thresholds.list()]
    assert states == [False, False, True]


async def test_a_page_that_was_open_for_long_switches_nothing_on_again(world: World, anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    place = f"{LIST}/{await only(world)}"
    shown = dict(re.findall(r'name="(was[.][a-z]+)" value="([^"]*)"', (await anas.get(place)).html))
    form = shown | {name.removeprefix("was."): value for name, value in shown.items()}
    await anas.post(f"{place}/switch", {"on": "off"})
    refused = await anas.post(place, form | {"limit": "0"})
    kept = dict(re.findall(r'name="(was[.][a-z]+)" value="([^"]*)"', refused.html))
    await anas.post(place, form | kept | {"limit": "7"})
    (now,) = await world.thresholds.list()
    assert (refused.status, now.limit, now.on, now.room) == (422, 7, False, "#ops")


async def test_one_is_removed(world: World, anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    seen = await anas.post(f"{LIST}/{await only(world)}/remove")
    assert ("Removed: 12,000 per day" in seen.words, await world.thresholds.list()) == (True, [])


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"limit": "many"}, "The limit is a whole number"),
        ({"limit": "0"}, "The limit is a whole number"),
        ({"window": "1w"}, "The window is one of 1h, 24h"),
        ({"room": "x" * 301}, "The room is one line"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    world: World, anas: Visiting, changed: Mapping[str, str], words: str
) -> None:
    seen = await anas.post(LIST, {**FORM, **changed})
    assert (seen.status, words in seen.words, 'value="crm.read"' in seen.html) == (422, True, True)
    assert await world.thresholds.list() == []


async def test_a_second_one_for_the_same_calls_is_refused(anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    seen = await anas.post(LIST, FORM)
    assert (seen.status, "There is a threshold per day for dana@example.com and crm.read already" in seen.words) == (
        422,
        True,
    )


async def test_it_says_when_such_events_are_switched_off(world: World, anas: Visiting) -> None:
    await world.product.settings.save({"EVENTS_DISABLED": "throughput.threshold"}, "cli")
    assert "switched off under Notifications" in (await anas.get(LIST)).words


async def test_only_admins_find_it(world: World) -> None:
    async with await signed_in(world, BEN) as bens:
        assert "Threshold settings" not in (await bens.get("/admin")).words


async def test_an_event_that_was_held_back_says_by_what(world: World, anas: Visiting) -> None:
    await anas.post(LIST, FORM)
    calls = {"user": "dana@example.com", "tool": "crm.read", "window": "24h", "count": 400, "limit": 300}
    told = await world.tell("throughput.threshold", context=calls)
    seen = await anas.get(f"/admin/events/{told['event_id']}")
    assert "Below the threshold of 12,000 per day set for dana@example.com and crm.read." in seen.words
