"""The page of operators: adding, welcoming, roles, accounts, sessions, removing."""

import re
from collections.abc import AsyncIterator

import pytest

from interactions.model import Role
from tests.admin.signed_in import Visiting, signed_in
from tests.stories.world import ANA, BEN, CLEO, MIA, World

DAN = "dan@example.com"


@pytest.fixture
async def anas(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def path_of(world: World, email: str) -> str:
    return f"/admin/operators/{await world.operator_id(email)}"


async def test_somebody_added_is_welcomed_with_the_way_to_sign_in(world: World, anas: Visiting) -> None:
    await anas.post("/admin/operators", {"email": DAN, "name": "Dan", "role": "viewer", "welcome": "on"})
    await world.mail.wait_for(1, to=DAN)
    letter = world.mail.of(DAN)[0]
    assert (f"{world.address}/login" in letter.links, "viewer" in letter.text) == (True, True)
    assert ("operator.welcomed", f"operator:{await world.operator_id(ANA)}") in await world.audit()


async def test_a_role_is_called_what_it_is(world: World, anas: Visiting) -> None:
    seen = await anas.post("/admin/operators", {"email": DAN, "name": "Dan", "role": "viewer", "welcome": "on"})
    await world.mail.wait_for(1, to=DAN)
    assert "Dan was added as a viewer." in seen.words
    assert "You are a viewer here." in world.mail.of(DAN)[0].text
    assert "viewer: looks, decides nothing" in seen.words


async def test_nobody_is_welcomed_unasked(world: World, anas: Visiting) -> None:
    await anas.post("/admin/operators", {"email": DAN, "role": "operator"})
    await world.settled()
    assert (world.mail.of(DAN), await world.operators.by_email(DAN) is not None) == ([], True)


async def test_somebody_who_is_there_already_is_said_to_be(anas: Visiting) -> None:
    seen = await anas.post("/admin/operators", {"email": BEN, "role": "operator"})
    assert (seen.status, "is an operator already" in seen.words, BEN in seen.html) == (422, True, True)


@pytest.mark.parametrize("welcome", [{}, {"welcome": "on"}])
async def test_whoever_mends_an_address_welcomes_nobody_unasked(anas: Visiting, welcome: dict[str, str]) -> None:
    seen = await anas.post("/admin/operators", {"email": BEN, "role": "operator", **welcome})
    assert ('name="welcome" value="on" checked' in seen.html) is bool(welcome)


async def test_another_role_is_given(world: World, anas: Visiting) -> None:
    await anas.post(await path_of(world, BEN), {"name": "Benjamin", "role": "viewer"})
    ben = await world.operators.get(await world.operator_id(BEN))
    assert (ben.name, ben.role) == ("Benjamin", Role.VIEWER)


async def test_a_page_that_was_open_for_long_gives_nobody_their_old_role_back(world: World, anas: Visiting) -> None:
    shown = {"was.name": "Ben", "was.role": "operator"}
    await anas.post(await path_of(world, BEN), {**shown, "name": "Ben", "role": "viewer"})
    await anas.post(await path_of(world, BEN), {**shown, "name": "Benjamin", "role": "operator"})
    ben = await world.operators.get(await world.operator_id(BEN))
    assert (ben.name, ben.role) == ("Benjamin", Role.VIEWER)


async def test_nothing_is_written_down_where_nothing_was_changed(world: World, anas: Visiting) -> None:
    before = await world.audit()
    page = await anas.get(await path_of(world, BEN))
    form = dict(re.findall(r'name="(was.(?:name|role))" value="([^"]*)"', page.html))
    form |= {"name": form["was.name"], "role": form["was.role"]}
    seen = await anas.post(await path_of(world, BEN), form)
    assert ("Nothing was changed." in seen.words, await world.audit()) == (True, before)


async def test_the_last_admin_stays_one(world: World, anas: Visiting) -> None:
    seen = await anas.post(await path_of(world, ANA), {"name": "Ana", "role": "viewer"})
    ana = await world.operators.get(await world.operator_id(ANA))
    assert ("Somebody has to be an admin, and ana@example.com is the only one" in seen.words, ana.role) == (
        True,
        Role.ADMIN,
    )


async def test_an_account_is_linked_and_unlinked(world: World, anas: Visiting) -> None:
    path = await path_of(world, MIA)
    full = f"{world.slack.team_id}:U0MIA"
    await anas.post(f"{path}/link", {"platform": "slack", "account": "U0MIA"})
    linked = await world.operators.by_identity("slack", full)
    await anas.post(f"{path}/unlink", {"platform": "slack", "account": full})
    assert (linked and linked.name, await world.operators.by_identity("slack", full)) == ("Mia", None)
    assert [action for action, _ in await world.audit()][-2:] == ["operator.linked", "operator.unlinked"]


async def test_somebody_linked_by_hand_decides_there(world: World, anas: Visiting) -> None:
    cleo = world.slack.state.person(CLEO)
    await anas.post(f"{await path_of(world, MIA)}/link", {"platform": "slack", "account": cleo.id})
    asked = await world.ask_blocked(to=[MIA])
    await world.slack.dm(CLEO).wait_for("Approve")
    await world.slack.dm(CLEO).click("Approve")
    assert (await world.see(asked["id"], wait=5))["decision"]["by"] == "Mia"


async def test_only_platforms_that_know_people_are_offered(world: World, anas: Visiting) -> None:
    page = await anas.get(await path_of(world, MIA))
    assert re.findall(r'<option value="(\w+)">', page.html.split('name="platform"')[1].split("</select>")[0]) == [
        "slack",
        "teams",
    ]
    assert "Slack knows people by a member ID" in page.words


@pytest.mark.parametrize(
    "platform, account, words",
    [
        ("email", "mia@example.com", "email has no accounts of people"),
        ("slack", "mia", "Slack knows people by a member ID"),
        ("teams", "mia", "Teams knows people by an object ID"),
        ("slack", "", "Slack knows people by"),
    ],
)
async def test_what_is_no_account_is_said_to_be_none(
    world: World, anas: Visiting, platform: str, account: str, words: str
) -> None:
    seen = await anas.post(f"{await path_of(world, MIA)}/link", {"platform": platform, "account": account})
    mia = await world.operators.get(await world.operator_id(MIA))
    assert (words.casefold() in seen.words.casefold(), mia.identities) == (True, ())


async def test_what_was_wrong_is_said_however_much_was_typed(world: World, anas: Visiting) -> None:
    """A browser drops a cookie of more than 4096 bytes, and with it whatever was to be said."""
    path = await path_of(world, MIA)
    form = {"seal": (await anas.get(path)).seal, "platform": "😀" * 3000, "account": "U0MIA"}
    answered = await anas.post_raw(f"{path}/link", form)
    assert len(answered.headers["Set-Cookie"]) < 4096
    assert "😀" in (await anas.get(path)).words


async def test_whoever_is_removed_is_signed_out_and_no_operator(world: World, anas: Visiting) -> None:
    path = await path_of(world, BEN)
    async with await signed_in(world, BEN) as bens:
        seen = await anas.post(f"{path}/remove")
        assert ((await bens.get("/admin/me", follow=False)).status, "Ben is removed" in seen.words) == (303, True)
    assert (await anas.get(path)).status == 404


async def test_nobody_removes_themselves(world: World, anas: Visiting) -> None:
    seen = await anas.post(f"{await path_of(world, ANA)}/remove")
    assert "cannot remove yourself" in seen.words


async def test_an_admin_signs_somebody_out(world: World, anas: Visiting) -> None:
    async with await signed_in(world, BEN) as bens:
        await anas.post(f"{await path_of(world, BEN)}/sessions/end-all")
        assert (await bens.get("/admin/me", follow=False)).status == 303
    assert ("session.revoked", f"operator:{await world.operator_id(ANA)}") in await world.audit()


async def test_a_hostile_name_is_only_text(world: World, anas: Visiting) -> None:
    await world.operators.add(DAN, "<img src=x onerror=alert(1)>", by="cli")
    page = await anas.get("/admin/operators")
    assert ("<img src=x" in page.html, "<img src=x onerror=alert(1)>" in page.words) == (False, True)
