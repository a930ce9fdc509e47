"""What goes out, held against Microsoft's own models and schema, and what Microsoft documents, played in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botbuilder.schema import Activity

from tests.channels.teams.world import QUESTION, World

CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "botframework"
there = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the platforms' contracts are not beside this clone")


async def sent(world: World) -> list[dict[str, Any]]:
    await world.install_in_channel()
    await world.install()
    await world.ask()
    await world.tell_room(thread="one")
    await world.teams.chat("ana@example.com").say("hello")
    await world.settled()
    return [
        each.body
        for each in world.teams.journal
        if each.path.endswith("/activities") and each.method == "POST" and isinstance(each.body, dict)
    ]


async def test_microsofts_models_know_every_field_that_goes_out(world: World) -> None:
    unknown = {key for body in await sent(world) for key in Activity().deserialize(body).additional_properties}
    assert unknown == set()


@there
async def test_every_activity_that_goes_out_fits_the_connectors_schema(world: World) -> None:
    api = json.loads((CONTRACTS / "ConnectorAPI.json").read_text())
    schema = {"$ref": "#/definitions/Activity", "definitions": api["definitions"]}
    problems = [
        problem.message
        for body in await sent(world)
        for problem in jsonschema.Draft4Validator(schema).iter_errors(body)
    ]
    assert problems == []


@there
async def test_a_chat_is_begun_as_the_connectors_schema_says(world: World) -> None:
    api = json.loads((CONTRACTS / "ConnectorAPI.json").read_text())
    schema = {"$ref": "#/definitions/ConversationParameters", "definitions": api["definitions"]}
    await world.install_in_channel()
    await world.ask("ben@example.com", QUESTION)
    begun = next(each.body for each in world.teams.journal if each.path.endswith("/v3/conversations"))
    jsonschema.Draft4Validator(schema).validate(begun)


def documented() -> dict[str, dict[str, Any]]:
    """Microsoft's own examples of what comes in, by name."""
    files = sorted((CONTRACTS / "teams-activities").glob("*.json"))
    found = {file.stem: json.loads(file.read_text()) for file in files if "outgoing" not in file.name}
    return {name: activity for name, activity in found.items() if "serviceUrl" in activity}


@there
@pytest.mark.parametrize("name", documented() or ["none"])
async def test_what_microsoft_documents_is_taken(world: World, name: str) -> None:
    activity = documented()[name]
    activity["serviceUrl"] = world.teams.service_url
    activity["channelData"]["tenant"]["id"] = world.teams.tenant_id
    if "tenantId" in activity["conversation"]:
        activity["conversation"]["tenantId"] = world.teams.tenant_id
    assert (await world.teams.deliver(activity)).status == 200


WEIGH = """
import sys
import bot.channels.registry as registry
registry.channel_class("teams")
{load}
pages = int(open("/proc/self/statm").read().split()[1])
heavy = ("botbuilder", "botframework", "msrest", "jwt")
print(pages * 4096 // 2**20, sum(name.startswith(heavy) for name in sys.modules))
"""


def weighed(load: str = "") -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", WEIGH.format(load=load)], capture_output=True, text=True, check=True)
    megabytes, modules = done.stdout.split()
    return int(megabytes), int(modules)


def test_a_server_without_teams_does_not_load_the_bots_libraries() -> None:
    assert weighed()[1] == 0


def test_the_bots_libraries_leave_room_under_a_hundred_megabytes() -> None:
    assert weighed("import bot.channels.teams_inbound")[0] < 80
