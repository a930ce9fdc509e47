"""What comes to /api/messages and is not the Bot Connector's, not our tenant's, or leads our token elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.caller import Caller
from tests.stories.world import BEN, CLEO, Answered, Platforms, World, installed

Json = dict[str, Any]
ELSEWHERE = "https://smba.trafficmanager.net/emea/"
EVIL = "https://evil.example/"
PLAIN = "http://smba.trafficmanager.net/emea/"


async def click_of(world: World) -> tuple[Answered, Json]:
    asked = await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    return asked, world.teams.chat(BEN).invoke("Approve")


async def still_open(world: World, asked: Answered) -> bool:
    await world.settled()
    return bool((await world.see(asked["id"]))["status"] == "pending")


TOKENS: tuple[tuple[str, Json], ...] = (
    ("no algorithm", {"alg": "none"}),
    ("HS256 with the public key", {"alg": "HS256"}),
    ("an unknown key", {"key": "stranger", "kid": "stranger"}),
    ("another key under a known name", {"key": "stranger", "kid": "teams-1"}),
    ("expired", {"exp": 1}),
    ("no exp", {"exp": None}),
    ("another audience", {"aud": "22222222-2222-4222-8222-222222222222"}),
    ("no audience", {"aud": None}),
    ("another issuer", {"iss": "https://evil.example"}),
    ("the emulator's issuer", {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"}),
    ("no service URL", {"serviceurl": None}),
    ("another service URL", {"serviceurl": ELSEWHERE}),
)


@pytest.mark.parametrize("forged", [row[1] for row in TOKENS], ids=[row[0] for row in TOKENS])
async def test_a_click_with_a_forged_token_is_refused(world: World, forged: Json) -> None:
    asked, activity = await click_of(world)
    delivery = await world.teams.deliver(activity, token=world.teams.token(**forged))
    assert (delivery.status, await still_open(world, asked)) == (401, True)


async def test_a_click_without_a_token_is_refused(world: World) -> None:
    asked, activity = await click_of(world)
    delivery = await world.teams.deliver(activity, token=None)
    assert (delivery.status, await still_open(world, asked)) == (401, True)


async def test_a_forged_token_is_audited(world: World) -> None:
    _, activity = await click_of(world)
    await world.teams.deliver(activity, token=world.teams.token(alg="none"))
    await world.settled()
    assert (await world.audit())[-1][0] == "click.refused"


# ---- where our token goes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said, claimed, status",
    [
        (ELSEWHERE, None, 401),
        (EVIL, EVIL, 403),
        (PLAIN, PLAIN, 403),
        (None, None, 401),
        ("https://smba.trafficmanager.net@evil.example/", "https://smba.trafficmanager.net@evil.example/", 403),
        ("https://smba.trafficmanager.net.evil.example/", "https://smba.trafficmanager.net.evil.example/", 403),
    ],
)
async def test_a_service_url_that_is_not_microsofts_is_refused(
    world: World, said: str | None, claimed: str | None, status: int
) -> None:
    asked, activity = await click_of(world)
    activity["serviceUrl"] = said
    if said is None:
        del activity["serviceUrl"]
    token = world.teams.token(**({"serviceurl": claimed} if claimed else {}))
    delivery = await world.teams.deliver(activity, token=token)
    assert (delivery.status, await still_open(world, asked)) == (status, True)


async def test_an_installation_with_another_address_moves_no_conversation(world: World) -> None:
    """The next card still goes where it went before, and no token to the stranger."""
    chat = world.teams.chat(BEN)
    async with Caller() as stranger:
        activity = world.teams.activities.installation(chat.thread, chat.thread.members[0], "add")
        activity["serviceUrl"] = f"{stranger.origin}/"
        token = world.teams.token(serviceurl=f"{stranger.origin}/")
        assert (await world.teams.deliver(activity, token=token)).status == 403
        await world.ask_blocked([BEN])
        await world.shown_to_ben("Keep blocked")
        assert stranger.journal == []


# ---- who -------------------------------------------------------------------------------------------------------------


FOREIGN = "33333333-3333-4333-8333-333333333333"


def another_tenant(activity: Json) -> None:
    activity["channelData"]["tenant"]["id"] = FOREIGN


def another_tenant_in_the_conversation(activity: Json) -> None:
    activity["conversation"]["tenantId"] = FOREIGN


def no_tenant(activity: Json) -> None:
    del activity["channelData"]["tenant"]
    del activity["conversation"]["tenantId"]


@pytest.mark.parametrize(
    "change", [another_tenant, another_tenant_in_the_conversation, no_tenant], ids=lambda change: change.__name__
)
async def test_another_tenant_is_refused_and_audited(world: World, change: Callable[[Json], None]) -> None:
    asked, activity = await click_of(world)
    change(activity)
    delivery = await world.teams.send(activity)
    assert (delivery.status, await still_open(world, asked)) == (403, True)
    ben = world.teams.state.person(BEN)
    assert (await world.audit())[-1] == ("click.refused", f"teams:{ben.aad_object_id}")


async def test_a_click_that_comes_again_has_one_effect(world: World) -> None:
    asked, activity = await click_of(world)
    for _ in range(3):
        assert (await world.teams.send(activity)).status == 200
    assert (await world.see(asked["id"]))["status"] == "decided"
    assert [action for action, _ in await world.audit() if action == "click.refused"] == []


# ---- values that were changed ----------------------------------------------------------------------------------------


def data_of(activity: Json) -> Json:
    data: Json = activity["value"]["action"]["data"]
    return data


def another_request(world: World, activity: Json) -> None:
    data_of(activity)["token"] = "0" * 26 + data_of(activity)["token"][26:]


def cut(world: World, activity: Json) -> None:
    data_of(activity)["token"] = data_of(activity)["token"][:-4]


def another_digest(world: World, activity: Json) -> None:
    delivery, _, mac = data_of(activity)["token"].split(".")
    data_of(activity)["token"] = f"{delivery}.{'0' * 16}.{mac}"


def another_choice(world: World, activity: Json) -> None:
    data_of(activity)["choice"] = "approve_all"


def no_text(world: World, activity: Json) -> None:
    data_of(activity).update(token={"id": 1}, choice=["approve"])


def somebody_else(world: World, activity: Json) -> None:
    cleo = world.teams.state.person(CLEO)
    activity["from"] = {"id": cleo.id, "name": "Ben", "aadObjectId": cleo.aad_object_id}


FORGED = (another_request, cut, another_digest, another_choice, no_text, somebody_else)


@pytest.mark.parametrize("change", FORGED, ids=lambda change: change.__name__)
async def test_a_value_that_was_changed_decides_nothing(world: World, change: Callable[[World, Json], None]) -> None:
    asked, activity = await click_of(world)
    change(world, activity)
    delivery = await world.teams.send(activity)
    assert (delivery.status, await still_open(world, asked)) == (200, True)
    assert (await world.audit())[-1][0] == "click.refused"


async def test_a_name_that_was_changed_does_not_make_another_person(world: World) -> None:
    asked, activity = await click_of(world)
    somebody_else(world, activity)
    activity["from"]["userPrincipalName"] = activity["from"]["email"] = BEN
    await world.teams.send(activity)
    assert await still_open(world, asked)


async def test_a_card_that_refreshes_itself_decides_nothing(world: World) -> None:
    asked, activity = await click_of(world)
    activity["value"]["trigger"] = "automatic"
    await world.teams.send(activity)
    assert await still_open(world, asked)


# ---- not set up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["TEAMS_APP_ID", "TEAMS_CLIENT_SECRET", "TEAMS_TENANT_ID"])
async def test_without_its_settings_there_is_no_such_address(platforms: Platforms, data: Path, name: str) -> None:
    unset: Json = {name: ""}
    async with installed(platforms, data, install_teams=False, **unset) as world:
        chat = world.teams.chat(BEN)
        activity = world.teams.activities.installation(chat.thread, chat.thread.members[0], "add")
        assert (await world.teams.deliver(activity)).status == 404
