"""What comes to /slack/events and is not Slack's, not ours, or came before: nothing of it decides anything."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.stories.hands import press
from tests.stories.world import ANA, CLEO, Answered, Platforms, World, installed

Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"


async def click_of(world: World) -> tuple[Answered, Json]:
    """A request, and Ana's approving click on it that was not sent yet."""
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    return asked, world.slack.dm(ANA).payload("Approve")


def form(payload: Json) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


async def still_open(world: World, asked: Answered) -> bool:
    """After everything that the product had to do beside its answers."""
    await world.settled()
    return bool((await world.see(asked["id"]))["status"] == "pending")


# ---- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": None},
        {"X-Slack-Request-Timestamp": None},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "-1"},
    ],
    ids=str,
)
async def test_a_request_with_a_bad_header_is_refused(world: World, headers: Mapping[str, str | None]) -> None:
    asked, payload = await click_of(world)
    delivery = await world.slack.deliver(form(payload), headers, content_type=FORM)
    assert (delivery.status, await still_open(world, asked)) == (401, True)


async def test_a_request_signed_with_another_secret_is_refused(world: World) -> None:
    asked, payload = await click_of(world)
    delivery = await world.slack.deliver(form(payload), content_type=FORM, secret="0" * 32)
    assert (delivery.status, await still_open(world, asked)) == (401, True)


@pytest.mark.parametrize("off", [-302, 302])
async def test_a_request_from_another_time_is_refused(world: World, off: float) -> None:
    asked, payload = await click_of(world)
    delivery = await world.slack.deliver(form(payload), content_type=FORM, timestamp=time.time() + off)
    assert (delivery.status, await still_open(world, asked)) == (401, True)


async def test_a_body_that_was_changed_after_signing_is_refused(world: World) -> None:
    asked, payload = await click_of(world)
    at = str(int(time.time()))
    headers = {
        "X-Slack-Signature": world.slack.sign(form({**payload, "actions": []}), at),
        "X-Slack-Request-Timestamp": at,
    }
    delivery = await world.slack.deliver(form(payload), headers, content_type=FORM)
    assert (delivery.status, await still_open(world, asked)) == (401, True)


async def test_a_forged_request_is_audited(world: World) -> None:
    _, payload = await click_of(world)
    await world.slack.deliver(form(payload), content_type=FORM, secret="0" * 32)
    await world.settled()
    assert ("click.refused", "slack:") in await world.audit()


async def test_without_a_signing_secret_there_is_no_such_address(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SLACK_SIGNING_SECRET="") as world:
        asked, payload = await click_of(world)
        delivery = await world.slack.deliver(form(payload), content_type=FORM)
        assert (delivery.status, await still_open(world, asked)) == (404, True)


# ---- again -----------------------------------------------------------------------------------------------------------


async def test_the_same_request_again_has_one_effect(world: World) -> None:
    asked, payload = await click_of(world)
    body, at = form(payload), str(int(time.time()))
    headers = {"X-Slack-Signature": world.slack.sign(body, at), "X-Slack-Request-Timestamp": at}
    for _ in range(3):
        assert (await world.slack.deliver(body, headers, content_type=FORM)).status == 200
    assert (await world.end_of(asked["id"]))["status"] == "decided"
    await world.settled()
    assert [action for action, _ in await world.audit() if action == "interaction.decided"] == ["interaction.decided"]
    assert world.whispers() == []


async def test_an_approval_that_is_replayed_for_the_next_request_approves_nothing(world: World) -> None:
    _, payload = await click_of(world)
    await world.slack.interact(payload)
    await world.shown_to_ana("Approved by Ana")
    again = await world.ask_blocked([ANA])
    await world.slack.interact(payload)
    assert await still_open(world, again)


async def test_a_message_that_slack_tells_again_is_heard_once(world: World) -> None:
    dm = world.slack.dm(ANA)
    await dm.say("help")
    await dm.wait_for("You can write")
    person = world.slack.state.person(ANA)
    envelope = world.slack.payloads.message_event(dm.room, dm.room.messages[0], person)
    before = len(dm.messages)
    for attempt in range(3):
        headers = {"X-Slack-Retry-Num": str(attempt + 1), "X-Slack-Retry-Reason": "http_timeout"}
        await world.slack.deliver(json.dumps(envelope).encode(), headers)
    await dm.wait_for(lambda each: len(each.messages) > before)
    await world.settled()
    assert len(dm.messages) == before + 1


# ---- from elsewhere --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"team": {"id": "T0ELSEWHERE", "domain": "elsewhere"}},
        {"team": None, "enterprise": {"id": "E0ELSEWHERE"}},
        {"team": None},
        {"api_app_id": "A0OTHER"},
    ],
    ids=str,
)
async def test_a_click_from_another_workspace_or_app_is_refused_and_audited(world: World, change: Json) -> None:
    await press_once(world)
    asked, payload = await click_of(world)
    await world.slack.interact({**payload, **change})
    assert await still_open(world, asked)
    assert (await world.audit())[-1][0] == "click.refused"


async def press_once(world: World) -> None:
    """The product learns which app it is from Slack's own first words."""
    await world.ask_blocked([ANA])
    await press(world, "slack", "Approve")
    await world.shown_to_ana("Approved by Ana")


@pytest.mark.parametrize("said", [{"team_id": "T0ELSEWHERE"}, {"team_id": "T0REHEARSE"}, {}], ids=str)
async def test_a_user_of_another_workspace_is_a_stranger_although_their_address_is_anas(
    world: World, said: dict[str, str]
) -> None:
    """Slack Connect shows people of other workspaces, and their profile may bear any address."""
    asked, payload = await click_of(world)
    foreign = world.slack.add_person("Ana", ANA, team="T0ELSEWHERE")
    payload["user"] = {"id": foreign.id, **said}
    await world.slack.interact(payload)
    assert await still_open(world, asked)
    assert (await world.audit())[-1][0] == "click.refused"


# ---- values that were changed ----------------------------------------------------------------------------------------


def another_request(world: World, payload: Json) -> None:
    value = payload["actions"][0]["value"]
    payload["actions"][0]["value"] = "0" * 26 + value[26:]


def cut(world: World, payload: Json) -> None:
    payload["actions"][0]["value"] = payload["actions"][0]["value"][:-4]


def unsealed(world: World, payload: Json) -> None:
    payload["actions"][0]["value"] = payload["actions"][0]["value"].rpartition(".")[0]


def another_digest(world: World, payload: Json) -> None:
    delivery, _, mac = payload["actions"][0]["value"].split(".")
    payload["actions"][0]["value"] = f"{delivery}.{'0' * 16}.{mac}"


def nothing(world: World, payload: Json) -> None:
    payload["actions"][0]["value"] = ""


def an_object(world: World, payload: Json) -> None:
    payload["actions"][0]["value"] = {"id": 1}


def not_ascii(world: World, payload: Json) -> None:
    payload["actions"][0]["value"] = "ü" + payload["actions"][0]["value"]


def another_choice(world: World, payload: Json) -> None:
    payload["actions"][0]["action_id"] = "choice:approve_all"


def somebody_else(world: World, payload: Json) -> None:
    payload["user"]["id"] = world.slack.state.person(CLEO).id


FORGED = (another_request, cut, unsealed, another_digest, nothing, an_object, not_ascii, another_choice, somebody_else)


@pytest.mark.parametrize("change", FORGED, ids=lambda change: change.__name__)
async def test_a_value_that_was_changed_decides_nothing(world: World, change: Callable[[World, Json], None]) -> None:
    asked, payload = await click_of(world)
    change(world, payload)
    delivery = await world.slack.interact(payload)
    assert (delivery.status in {200, 400}, await still_open(world, asked)) == (True, True)


@pytest.mark.parametrize("change", FORGED, ids=lambda change: change.__name__)
async def test_a_value_that_was_changed_is_audited(world: World, change: Callable[[World, Json], None]) -> None:
    _, payload = await click_of(world)
    change(world, payload)
    await world.slack.interact(payload)
    await world.settled()
    assert (await world.audit())[-1][0] == "click.refused"


async def test_the_token_of_a_page_is_no_button(world: World) -> None:
    asked = await world.ask_blocked()
    await world.shown_to_all()
    payload = world.slack.dm(ANA).payload("Approve")
    payload["actions"][0]["value"] = (await world.page_of()).url.rpartition("/")[2]
    await world.slack.interact(payload)
    assert await still_open(world, asked)
