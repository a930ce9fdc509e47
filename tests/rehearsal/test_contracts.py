"""What the rehearsal sends to an app, held to the platforms' own schemas and samples where those are present."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.slack_message import Message
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_state import Posted

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"
pytestmark = pytest.mark.skipif(not CONTRACTS.exists(), reason="the platforms' contracts are not beside this clone")
TEAMS_SAMPLES = "botframework/teams-activities"


def sample(path: str) -> Any:
    return json.loads((CONTRACTS / path).read_text())


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """Every field's path; a list counts by its first entry."""
    if isinstance(value, dict):
        nested = (keys_of(each, f"{prefix}.{key}") for key, each in value.items())
        return {f"{prefix}.{key}" for key in value}.union(*nested)
    return keys_of(value[0], f"{prefix}[]") if isinstance(value, list) and value else set()


async def activities() -> dict[str, Any]:
    """One activity of each kind as the rehearsal makes it, by the name of Microsoft's sample."""
    async with TeamsTenant() as teams:
        ana = teams.add_person("Ana Silva", "ana@example.com")
        personal = teams.chat(ana).thread
        channel = teams.add_channel("Alerts", [ana]).thread
        make = teams.activities
        post = Posted("17", {"id": "17"}, by_bot=True)
        action = {"id": "exec", "title": "Execute", "verb": "execute"}
        added = [make.installation(channel, ana, each) for each in ("add", "remove", "add-upgrade", "remove-upgrade")]
        return {
            "installationUpdate.add.channel": added[0],
            "installationUpdate.remove.channel": added[1],
            "installationUpdate.add-upgrade.channel": added[2],
            "installationUpdate.remove-upgrade.channel": added[3],
            "installationUpdate.add.personal": make.installation(personal, ana, "add"),
            "installationUpdate.remove.personal": make.installation(personal, ana, "remove"),
            "conversationUpdate.bot-added.personal": make.membership(personal, ana, added=True),
            "conversationUpdate.bot-added.team": make.membership(channel, ana, added=True),
            "message.text.personal": make.message(personal, ana, "hello", None),
            "message.action-submit.personal": make.submit(
                personal, ana, post, {"kind": "a", "token": "b", "choice": "c"}
            ),
            "invoke.adaptiveCard-action.execute.personal": make.execute(
                personal, ana, post, action, {"token": "t", "choice": "c"}
            ),
            "invoke.adaptiveCard-action.refresh.personal": make.refresh(
                personal, ana, post, {"verb": "refresh", "data": {"token": "t"}}
            ),
        }


KINDS = (
    "installationUpdate.add.channel",
    "installationUpdate.remove.channel",
    "installationUpdate.add-upgrade.channel",
    "installationUpdate.remove-upgrade.channel",
    "installationUpdate.add.personal",
    "installationUpdate.remove.personal",
    "conversationUpdate.bot-added.personal",
    "conversationUpdate.bot-added.team",
    "message.text.personal",
    "message.action-submit.personal",
    "invoke.adaptiveCard-action.execute.personal",
    "invoke.adaptiveCard-action.refresh.personal",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_activity_has_every_field_of_microsofts_sample(kind: str) -> None:
    made = (await activities())[kind]
    assert keys_of(sample(f"{TEAMS_SAMPLES}/{kind}.json")) - keys_of(made) == set()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_activity_fits_the_connectors_schema(kind: str) -> None:
    made = (await activities())[kind]
    for attachment in made.get("attachments", []):
        attachment["content"] = {}  # the schema says object where Teams sends the HTML as a string
    definitions = sample("botframework/ConnectorAPI.json")["definitions"]
    Draft4Validator({"$ref": "#/definitions/Activity", "definitions": definitions}).validate(made)


async def test_the_signature_is_the_one_of_slacks_documentation() -> None:
    vector = sample("slack/signature-vector.json")
    timestamp = vector["headers"]["X-Slack-Request-Timestamp"]
    slack = SlackWorkspace()
    made = slack.sign(vector["body"].encode(), timestamp, vector["signing_secret"])
    assert made == vector["headers"]["X-Slack-Signature"]


async def test_a_submitted_view_has_every_field_of_slacks_sample() -> None:
    async with SlackWorkspace() as slack:
        ana = slack.add_person("Ana Silva", "ana@example.com")
        trigger = slack.state.new_trigger(ana.id)
        wanted = sample("slack/payloads/view_submission-2.json")
        view = {key: wanted["view"][key] for key in ("type", "title", "submit", "close", "blocks", "callback_id")}
        opened = slack.api.call("views.open", slack.bot_token, {"trigger_id": trigger, "view": view})
        modal = slack.modals(ana)[0].fill({"Detailed Request": "x"})
        made = slack.payloads.view_submission(modal.view, ana)
    assert (opened["ok"], keys_of(wanted) - keys_of(made)) == (True, set())


async def test_a_command_has_every_field_of_slacks_sample() -> None:
    text = (CONTRACTS / "slack/payloads/slash_command-4.urlencoded.txt").read_text()
    async with SlackWorkspace() as slack:
        ana = slack.add_person("Ana Silva", "ana@example.com")
        made = slack.payloads.command(slack.dm(ana).room, ana, "/gatebell", "list")
    assert set(re.findall(r"(\w+)=", text)) - set(made) == set()


async def test_a_message_event_has_every_field_of_slacks_sample() -> None:
    wanted = sample("slack/payloads/event_callback.message-3.json")
    async with SlackWorkspace() as slack:
        ana = slack.add_person("Ana Silva", "ana@example.com")
        message = Message(slack.state.new_ts(), ana.id, "hello", from_bot=False)
        made = slack.payloads.message_event(slack.dm(ana).room, message, ana)
    # `authed_users` went away in favour of `authorizations`; the sample mentions somebody, this message does not.
    left_out = {".authed_users", ".event.blocks[].elements[].elements[].user_id"}
    assert keys_of(wanted) - keys_of(made) - left_out == set()
