"""Settings, the doctor's lines, and what a start costs."""

import subprocess
import sys

import pytest
from aiohttp import ClientSession

from bot.channels.contract import CanCheck, CanUpdate, Channel, HasRoutes, Runs
from bot.channels.slack import Slack
from bot.provisioning.slack import MINIMAL
from bot.rehearsal.failure import error
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of

FIELDS = {field.name: field for field in Slack.fields}


@pytest.mark.parametrize(
    "name, given, stored",
    [
        ("SLACK_BOT_TOKEN", " xoxb-1-2-abc\n", "xoxb-1-2-abc"),
        ("SLACK_SIGNING_SECRET", "5f0e6c2b9d7a4e318c1b2a3d4e5f6071 ", "5f0e6c2b9d7a4e318c1b2a3d4e5f6071"),
        ("SLACK_APP_TOKEN", "xapp-1-A1-2-abc", "xapp-1-A1-2-abc"),
        ("SLACK_CHANNEL", " #alerts ", "#alerts"),
        ("SLACK_CHANNEL", "C0123456789", "C0123456789"),
        ("SLACK_API_URL", "https://slack-gov.com/api", "https://slack-gov.com/api/"),
        ("SLACK_API_URL", "http://127.0.0.1:9000/api/", "http://127.0.0.1:9000/api/"),
    ],
)
def test_a_good_value_is_stored_clean(name: str, given: str, stored: str) -> None:
    assert FIELDS[name].check(given) == stored


@pytest.mark.parametrize(
    "name, given, words",
    [
        ("SLACK_BOT_TOKEN", "xapp-1-A1-2-abc", "SLACK_APP_TOKEN"),
        ("SLACK_BOT_TOKEN", "xoxp-1-2-abc", "user's token"),
        ("SLACK_BOT_TOKEN", "hello", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-1 2", "copy it again"),
        ("SLACK_SIGNING_SECRET", "xoxb-1-2-abcdefghijklmnop", "is a token"),
        ("SLACK_SIGNING_SECRET", "5f0e6c2b", "too short"),
        ("SLACK_APP_TOKEN", "xoxb-1-2-abc", "xapp-"),
        ("SLACK_CHANNEL", "my room", "C0123456789"),
        ("SLACK_API_URL", "slack.com", "no address"),
        ("SLACK_API_URL", "ftp://slack.com/api/", "no address"),
        ("SLACK_API_URL", "http://slack.example/api/", "unencrypted"),
    ],
)
def test_a_wrong_value_is_explained(name: str, given: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as wrong:
        FIELDS[name].check(given)
    assert not FIELDS[name].secret or given not in str(wrong.value)


def test_secrets_are_marked_and_every_field_says_how_to_mend_it() -> None:
    assert {name for name, field in FIELDS.items() if field.secret} == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
    }
    assert all(field.mend and field.meaning and field.channel == "slack" for field in FIELDS.values())


def test_the_module_does_not_load_slacks_libraries() -> None:
    told = "import sys, bot.channels.slack; print(*sorted(name for name in sys.modules if name.startswith('slack_')))"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


BOLT_BEGINS = """
import asyncio, sys
from bot.channels.slack import Slack

async def main():
    loading = asyncio.create_task(Slack({}, None)._inbound())
    await asyncio.sleep(0)
    print(hasattr(sys.modules.get("renderers.block_kit"), "render"), flush=True)
    loading.cancel()

asyncio.run(main())
"""


def test_what_sending_imports_is_whole_before_a_thread_imports_bolt() -> None:
    """Python lets two threads that wait for each other in a circle of imports see modules that are half there."""
    told = subprocess.run([sys.executable, "-c", BOLT_BEGINS], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"


async def test_slack_can_all_that_a_channel_can(world: World) -> None:
    for ability in (Channel, CanUpdate, CanCheck, HasRoutes, Runs):
        assert isinstance(world.channel, ability)


async def test_a_sound_setting_passes_every_check(world: World) -> None:
    assert [(each.name, each.ok) for each in await world.channel.check()] == [
        ("Bot token", True),
        ("Scopes for messages", True),
        ("Scopes for chat", True),
        ("Clicks", True),
    ]


async def test_a_refused_token_is_explained(world: World) -> None:
    world.slack.fail(error("invalid_auth"), path="auth.test")
    [check] = await world.channel.check()
    assert (check.ok, "not valid" in check.cause, "OAuth & Permissions" in check.mend) == (False, True, True)


async def test_lacking_scopes_are_named(session: ClientSession) -> None:
    async with SlackWorkspace(scopes=("chat:write",)) as slack, world_of(slack, session) as world:
        lines = {each.name: each for each in await world.channel.check()}
    assert lines["Scopes for messages"].cause == "The app lacks users:read, users:read.email."
    assert lines["Scopes for chat"].cause == "The app lacks im:history."


async def test_an_app_for_messages_and_buttons_alone_is_well_and_told_what_it_does_without(
    session: ClientSession,
) -> None:
    async with (
        SlackWorkspace(scopes=[grant.scope for grant in MINIMAL]) as slack,
        world_of(slack, session, SLACK_SIGNING_SECRET=slack.signing_secret) as world,
    ):
        lines = {each.name: each for each in await world.channel.check()}
    assert [each.name for each in lines.values() if not each.ok] == []
    assert "im:history" in lines["Scopes for chat"].cause
    assert "Bot Token Scopes" in lines["Scopes for chat"].mend


async def test_without_a_way_in_the_doctor_says_that_buttons_cannot_answer(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async with world_of(workspace, session) as world:
        check = (await world.channel.check())[-1]
    assert (check.ok, "SLACK_SIGNING_SECRET" in check.cause) == (False, True)


async def test_a_refused_app_token_is_explained(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(workspace, session, SLACK_APP_TOKEN="xapp-wrong") as world:
        check = (await world.channel.check())[-1]
    assert (check.name, check.ok) == ("Socket Mode", False)
    assert "connections:write" in check.mend


async def test_without_a_token_there_is_one_line(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(workspace, session, SLACK_BOT_TOKEN="") as world:
        [check] = await world.channel.check()
    assert (check.ok, check.cause) == (False, "SLACK_BOT_TOKEN is empty.")
