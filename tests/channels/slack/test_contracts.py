"""Held against Slack's own payloads and block schemas, where they lie beside the project."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.channels.slack.world import ENDED, QUESTION, WITH_REASON, World

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "slack"
pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="Slack's contracts do not lie beside this clone")

PAYLOADS = {file.stem: file.read_bytes() for file in sorted(CONTRACTS.glob("payloads/*.json"))}
FORMS = {file.stem: file.read_bytes().strip() for file in sorted(CONTRACTS.glob("payloads/*.txt"))}


@pytest.mark.parametrize("name", PAYLOADS)
async def test_whatever_slack_sends_to_others_is_answered_and_decides_nothing(world: World, name: str) -> None:
    delivery = await world.slack.deliver(PAYLOADS[name])
    await world.settled()
    assert delivery.status == 200
    assert (world.desk.clicks, world.talk.heard) == ([], [])


@pytest.mark.parametrize("name", FORMS)
async def test_a_command_of_another_workspace_is_answered_and_does_nothing(world: World, name: str) -> None:
    delivery = await world.slack.deliver(FORMS[name], content_type="application/x-www-form-urlencoded")
    await world.settled()
    assert delivery.status == 200
    assert world.talk.heard == []


def schema(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads((CONTRACTS / f"{name}.schema.json").read_text()))


def blocks_of(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from body.get("blocks", [])
    for attachment in body.get("attachments", []):
        yield from attachment["blocks"]


async def test_every_block_that_is_sent_is_one_of_slacks(world: World) -> None:
    for card in (QUESTION, ENDED, WITH_REASON, world.too_long()):
        await world.ask(card)
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    sent = [block for call in world.called("chat.postMessage") for block in blocks_of(call.body)]
    assert len(sent) > 10
    assert [error.message for block in sent for error in schema("KnownBlock").iter_errors(block)] == []


async def test_every_window_that_is_opened_is_one_of_slacks(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    world.desk.seconds = 1.2
    await world.slack.dm("ana@example.com").click("Review full request")
    await world.settled()
    views = [call.body["view"] for call in (*world.called("views.open"), *world.called("views.update"))]
    assert len(views) == 2
    assert [error.message for view in views for error in schema("ModalView").iter_errors(view)] == []
