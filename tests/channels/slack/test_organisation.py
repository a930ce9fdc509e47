"""An app that is installed for a whole organisation: requests name one of its workspaces, and the organisation."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from pydantic import JsonValue

from bot.rehearsal.failure import http
from bot.rehearsal.platform import Json
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of

BRANCH = {"id": "T0BRANCH", "domain": "branch", "enterprise_id": "E0ORG", "enterprise_name": "Org"}
FROM_BRANCH: Json = {"team": BRANCH, "enterprise": {"id": "E0ORG", "name": "Org"}, "is_enterprise_install": True}
FROM_ORG: Json = {**FROM_BRANCH, "team": None}
FROM_ELSEWHERE: Json = {"team": {"id": "T0ELSEWHERE"}, "enterprise": {"id": "E0ELSEWHERE", "name": "Elsewhere"}}


def home(workspace: SlackWorkspace, team: str | None, *, whole: bool) -> None:
    """What Slack says of the token: a workspace's, or the organisation's."""
    token = {"ok": True, "team_id": team, "enterprise_id": "E0ORG", "user_id": "U0GATEBOT1", "bot_id": "B0GATEBOT1"}
    workspace.fail(http(200, json.dumps({**token, "is_enterprise_install": whole})), path="auth.test")


@pytest.fixture(params=[None, "E0ORG"], ids=["without a team", "the organisation as its team"])
async def org(
    request: pytest.FixtureRequest, workspace: SlackWorkspace, session: ClientSession
) -> AsyncIterator[World]:
    home(workspace, request.param, whole=True)
    async with world_of(workspace, session, SLACK_SIGNING_SECRET=workspace.signing_secret) as world:
        of_org: dict[str, JsonValue] = {"id": "U0ANA", "enterprise_id": "E0ORG", "teams": ["T0BRANCH"]}
        world.profile_says("U0ANA", {"team_id": "T0BRANCH", "enterprise_user": of_org})
        yield world


async def clicked(world: World, change: Json) -> None:
    await world.ask()
    payload: dict[str, Any] = {**world.slack.dm("ana@example.com").payload("Approve"), **change}
    payload["user"]["team_id"] = (change["team"] or BRANCH)["id"]
    await world.slack.interact(payload)
    await world.settled()


@pytest.mark.parametrize("change", [FROM_BRANCH, FROM_ORG], ids=["with a workspace", "without a workspace"])
async def test_a_click_in_any_of_its_workspaces_counts(org: World, change: Json) -> None:
    await clicked(org, change)
    assert [(each.person.subject, each.person.email) for each in org.desk.clicks] == [
        ("T0BRANCH:U0ANA", "ana@example.com")
    ]


async def test_a_message_and_a_command_in_any_of_its_workspaces_are_heard(org: World) -> None:
    dm, person = org.slack.dm("ana@example.com"), org.slack.state.person("ana@example.com")
    await org.ask()
    branch = {"team_id": "T0BRANCH", "enterprise_id": "E0ORG"}
    command = org.slack.payloads.command(dm.room, person, "/gatebell", "pending")
    await org.slack.push.command({**command, **branch, "is_enterprise_install": "true"})
    event = org.slack.payloads.message_event(dm.room, dm.last, person)
    told = [{"enterprise_id": "E0ORG", "team_id": None, "user_id": "U0GATEBOT1", "is_enterprise_install": True}]
    await org.slack.push.event({**event, **branch, "authorizations": told})
    await org.settled()
    assert [person.email for _, person in org.talk.heard] == ["ana@example.com"] * 2


async def test_a_click_from_another_organisation_is_refused(org: World) -> None:
    await clicked(org, FROM_ELSEWHERE)
    assert (org.desk.clicks, len(org.desk.refusals)) == ([], 1)


async def test_an_app_of_one_workspace_hears_no_other_workspace_of_its_organisation(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    home(workspace, "T0REHEARSE", whole=False)
    async with world_of(workspace, session, SLACK_SIGNING_SECRET=workspace.signing_secret) as world:
        await clicked(world, {**FROM_BRANCH, "is_enterprise_install": False})
    assert (world.desk.clicks, len(world.desk.refusals)) == ([], 1)
