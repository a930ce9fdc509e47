"""Who asked is called once it has ended: signed, again after a failure, and never at an address that is not allowed."""

import base64
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from bot.rehearsal.caller import Caller
from bot.rehearsal.failure import http, redirect, status
from tests.stories.hands import press
from tests.stories.reach import at_rest
from tests.stories.world import ANA, Json, Platforms, World, installed

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


async def ended(world: World, url: str = "") -> str:
    dm = world.slack.dm(ANA)
    before = len(dm.messages)
    asked = await world.ask_blocked([ANA], callback_url=url or world.caller.url)
    await dm.wait_for(lambda each: len(each.messages) > before)
    await dm.click("Approve")
    return str(asked["id"])


async def callback_of(world: World, id_: str) -> Json:
    """The caller's copy, once something has become of it."""
    await world.end_of(id_)
    await at_rest(world)
    callback: Json = next(each for each in (await world.see(id_))["deliveries"] if each["channel"] == "callback")
    return callback


async def test_a_callback_is_signed_by_standard_webhooks(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, WEBHOOK_SECRET=SECRET) as world:
        id_ = await ended(world)
        told = (await world.caller.wait_for(1))[0]
        verified = Webhook(SECRET).verify(told.raw.decode(), told.headers)
        assert (verified["id"], verified["status"], verified["decision"]["by"]) == (id_, "decided", "Ana")


async def test_a_callback_that_was_changed_on_the_way_does_not_verify(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, WEBHOOK_SECRET=SECRET) as world:
        await ended(world)
        told = (await world.caller.wait_for(1))[0]
        forged = told.raw.decode().replace("decided", "expired")
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(SECRET).verify(forged, told.headers)


async def test_a_callback_carries_the_digest_that_was_approved(world: World) -> None:
    asked = await world.ask_blocked([ANA], callback_url=world.caller.url)
    await press(world, "slack", "Approve")
    assert (await world.caller.wait_for(1))[0].json["digest"] == asked["digest"]


async def test_nothing_is_called_before_the_end(world: World) -> None:
    await world.ask_blocked(approvals=2, callback_url=world.caller.url)
    await world.shown_to_all()
    await press(world, "slack", "Approve")
    await world.shown_to_ben("1 of 2 approvals")
    await world.forward(minutes=5)
    another = await ended(world)
    assert [each.json["id"] for each in await world.caller.wait_for(1)] == [another]


@pytest.mark.parametrize("code", [500, 503, 429])
async def test_a_callback_that_failed_comes_again(world: World, code: int) -> None:
    world.caller.fail(status(code), times=2)
    await ended(world)
    await world.forward_until(lambda: world.caller.told)
    assert [entry.status for entry in world.caller.journal] == [code, code, 204]


async def test_a_repeated_callback_has_the_same_id(world: World) -> None:
    world.caller.fail(status(500, late=True), times=1)
    await ended(world)
    await world.caller.wait_for(1)
    await world.forward_until(lambda: len(world.caller.told) > 1)
    told = world.caller.told
    assert told[0].headers["webhook-id"] == told[1].headers["webhook-id"]


async def test_a_callback_is_made_once(world: World) -> None:
    first = await ended(world)
    assert (await callback_of(world, first))["state"] == "sent"
    await world.forward(hours=2)
    second = await ended(world)
    assert [each.json["id"] for each in await world.caller.wait_for(2)] == [first, second]


async def test_a_redirect_is_not_followed(world: World) -> None:
    async with Caller() as elsewhere:
        world.caller.fail(redirect(elsewhere.url))
        id_ = await ended(world)
        assert ((await callback_of(world, id_))["state"], elsewhere.told) == ("failed", [])


async def test_a_long_answer_of_the_caller_harms_nothing(world: World) -> None:
    world.caller.fail(http(200, "x" * 5_000_000))
    id_ = await ended(world)
    assert (await callback_of(world, id_))["state"] == "sent"


# ---- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.1/told",
        "http://127.1/told",
        "http://0.0.0.0/told",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/told",
        "told",
        "https://user:password@example.com/told",
        "http://example.com/\r\nX-Evil: 1",
    ],
)
async def test_a_private_or_strange_address_is_refused_when_it_is_given(
    platforms: Platforms, data: Path, url: str
) -> None:
    async with installed(platforms, data, ALLOWED_PRIVATE_HOSTS="") as world:
        asked = await world.ask_blocked([ANA], callback_url=url)
        assert (asked.status, asked["errors"][0]["field"]) == (422, "callback_url")


async def test_an_address_that_is_no_longer_allowed_is_not_called(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, ALLOWED_PRIVATE_HOSTS="") as world:
        await world.product.settings.save({"ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}, by="cli")
        asked = await world.ask_blocked([ANA], callback_url=world.caller.url)
        await world.product.settings.save({"ALLOWED_PRIVATE_HOSTS": "10.1.2.3"}, by="cli")
        await press(world, "slack", "Approve")
        callback = await callback_of(world, asked["id"])
        assert (world.caller.journal, callback["state"]) == ([], "failed")
        assert "ALLOWED_PRIVATE_HOSTS" in callback["detail"]


async def test_what_the_caller_is_told_of_a_failure_holds_no_address(world: World) -> None:
    world.caller.fail(status(404))
    id_ = await ended(world, f"{world.caller.url}?key=a-secret-of-theirs")
    callback = await callback_of(world, id_)
    assert (callback["state"], "a-secret-of-theirs" in str(callback)) == ("failed", False)
