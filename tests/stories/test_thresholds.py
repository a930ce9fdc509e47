"""Throughput: what admins set decides whether a reported volume is told, where, and with which limit."""

from pathlib import Path
from typing import Any

import pytest

from bot.dispatch.notice import Conflict, Unfit
from bot.keys import Scope
from bot.thresholds import Draft
from tests.stories.reach import at_rest
from tests.stories.world import ANA, Platforms, World, installed

CALLS = {"user": "dana@example.com", "tool": "crm.read", "window": "1h", "count": 400, "limit": 300}


async def set_for(world: World, limit: int, **fields: Any) -> str:
    return (await world.thresholds.add(Draft(limit=limit, **fields), by="cli")).id


async def test_a_volume_below_what_is_set_is_held_back_with_the_reason(any_world: World) -> None:
    room = any_world.slack.add_channel("ops", [ANA])
    await set_for(any_world, 500, user="Dana@example.com", tool="crm.read", room=room.id)
    told = await any_world.tell("throughput.threshold", context=CALLS)
    await at_rest(any_world)
    reason = "below_threshold: below the threshold of 500 per hour set for dana@example.com and crm.read"
    assert (told["result"], told["reason"], room.messages) == ("suppressed", reason, [])


async def test_a_volume_that_reaches_it_is_told_in_its_room_with_its_limit(any_world: World) -> None:
    room = any_world.slack.add_channel("ops", [ANA])
    await set_for(any_world, 350, tool="crm.read", room=room.id)
    told = await any_world.tell("throughput.threshold", context=CALLS | {"count": 350})
    await room.wait_for("the limit is 350")
    assert (told["result"], any_world.slack.dm(ANA).messages) == ("accepted", [])


async def test_where_nothing_is_set_it_is_told_as_reported(
    platforms: Platforms, data: Path, backend: dict[str, Any]
) -> None:
    room = platforms.slack.add_channel("ops", [ANA])
    async with installed(platforms, data, install_teams=False, SLACK_CHANNEL=room.id, **backend) as world:
        await set_for(world, 5000, user="ben@example.com")
        await set_for(world, 5000, window="24h")
        await set_for(world, 5000, tool="crm.read", on=False)
        assert (await world.tell("throughput.threshold", context=CALLS))["result"] == "accepted"
        await room.wait_for("the limit is 300")


async def test_the_end_is_never_held_back(platforms: Platforms, data: Path) -> None:
    room = platforms.slack.add_channel("ops", [ANA])
    async with installed(platforms, data, install_teams=False, SLACK_CHANNEL=room.id) as world:
        await set_for(world, 500)
        await world.tell("throughput.threshold", context=CALLS | {"count": 3}, status="resolved")
        await room.wait_for("below the limit of 500")


async def test_what_is_held_back_starts_no_cooldown(world: World) -> None:
    id_ = await set_for(world, 500)
    event: dict[str, Any] = {"context": CALLS, "dedup_key": "dana reads"}
    results = [(await world.tell("throughput.threshold", **event))["result"]]
    await world.thresholds.remove(id_, by="cli")
    results.append((await world.tell("throughput.threshold", **event))["result"])
    assert results == ["suppressed", "accepted"]


async def test_other_events_ask_for_no_threshold(world: World) -> None:
    await set_for(world, 500)
    assert (await world.tell("calls.counted", context=CALLS))["result"] == "accepted"


# ---- what producers see --------------------------------------------------------------------------------------------


async def test_a_producer_sees_them_in_the_order_in_which_they_count(any_world: World) -> None:
    everybody = await set_for(any_world, 100, window="24h")
    both = await set_for(any_world, 400, user="dana@example.com", tool="crm.read", room="#ops", on=False)
    key = await any_world.key_for(Scope.EVENTS_WRITE)
    seen = await any_world.call("GET", "/api/v1/thresholds", key=key)
    assert [each["id"] for each in seen["items"]] == [both, everybody]
    assert seen["items"][0] == {
        "id": both,
        "user": "dana@example.com",
        "tool": "crm.read",
        "window": "1h",
        "limit": 400,
        "room": "#ops",
        "on": False,
    }


async def test_a_key_that_may_not_report_does_not_see_them(world: World) -> None:
    key = await world.key_for(Scope.INTERACTIONS_WRITE)
    assert (await world.call("GET", "/api/v1/thresholds", key=key)).status == 403


# ---- setting them --------------------------------------------------------------------------------------------------


async def test_for_the_same_calls_there_is_one(any_world: World) -> None:
    first = await set_for(any_world, 500, user="dana@example.com")
    with pytest.raises(Conflict, match="there is a threshold per hour"):
        await set_for(any_world, 700, user=" DANA@example.com ")
    other = await set_for(any_world, 700, user="dana@example.com", window="24h")
    with pytest.raises(Conflict):
        await any_world.thresholds.change(other, Draft(user="dana@example.com", limit=9), by="cli")
    await any_world.thresholds.change(first, Draft(user="dana@example.com", limit=900), by="cli")
    assert [each.limit for each in await any_world.thresholds.list()] == [900, 700]


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"limit": 0}, "limit"),
        ({"limit": 10**10}, "limit"),
        ({"limit": 5, "window": "1w"}, "window"),
        ({"limit": 5, "user": "x" * 301}, "user"),
        ({"limit": 5, "tool": "a\nb"}, "tool"),
        ({"limit": 5, "room": "a\0"}, "room"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(world: World, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Unfit) as refused:
        await world.thresholds.add(Draft(**fields), by="cli")
    assert (refused.value.field, await world.thresholds.list()) == (field, [])


async def test_every_change_is_in_the_audit_log(any_world: World) -> None:
    id_ = await set_for(any_world, 500)
    await any_world.thresholds.change(id_, Draft(limit=600), by="cli")
    await any_world.thresholds.remove(id_, by="cli")
    written = [action for action, _ in await any_world.audit() if action.startswith("threshold.")]
    assert written == ["threshold.added", "threshold.changed", "threshold.removed"]
