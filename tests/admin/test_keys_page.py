"""The page of API keys: made and shown once, used, revoked."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.admin.signed_in import Visiting, signed_in
from tests.stories.world import ANA, World

FORM = {"name": "gateway", "scope.events:write": "on"}


@pytest.fixture
async def anas(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


def key_on(html: str) -> str:
    found = re.search(r"gb_[\w-]+", html)
    return found[0] if found else ""


async def test_a_key_is_shown_once_and_works(world: World, anas: Visiting) -> None:
    made = await anas.post("/admin/keys", FORM)
    key = key_on(made.html)
    event = {"type": "demo", "summary": "It works", "severity": "info", "source": "test"}
    told = await world.call("POST", "/api/v1/events", event, key=key)
    assert (told.status, key_on((await anas.get("/admin/keys")).html)) == (202, "")


async def test_a_key_may_do_what_was_ticked_and_no_more(world: World, anas: Visiting) -> None:
    key = key_on((await anas.post("/admin/keys", FORM)).html)
    assert (await world.call("GET", "/api/v1/interactions", key=key)).status == 403


async def test_a_revoked_key_is_refused(world: World, anas: Visiting) -> None:
    key = key_on((await anas.post("/admin/keys", FORM)).html)
    made = next(each for each in await world.keys.list() if each.name == "gateway")
    seen = await anas.post(f"/admin/keys/{made.id}/revoke")
    refused = await world.call("POST", "/api/v1/events", {"type": "demo", "summary": "?"}, key=key)
    assert (refused.status, "The key gateway is revoked" in seen.words) == (401, True)


@pytest.mark.parametrize(
    "form, words", [({"name": "gateway"}, "needs a scope"), ({"scope.admin": "on"}, "needs a name")]
)
async def test_what_is_missing_is_said(anas: Visiting, form: dict[str, str], words: str) -> None:
    seen = await anas.post("/admin/keys", form)
    assert (seen.status, words in seen.words) == (422, True)


@pytest.mark.parametrize(
    "form, marked",
    [
        ({"name": "gateway"}, "<fieldset"),
        ({"scope.admin": "on"}, '<input type="text" id="name"'),
        ({**FORM, "operator": "op_gone"}, '<select id="operator"'),
    ],
)
async def test_the_field_that_is_wrong_is_marked_and_no_other(
    anas: Visiting, form: dict[str, str], marked: str
) -> None:
    seen = await anas.post("/admin/keys", form)
    tags = re.findall(r"<[^>]*aria-describedby=\"wrong\"[^>]*>", seen.html)
    assert [each.startswith(marked) for each in tags] == [True]


async def test_making_and_revoking_is_written_down(world: World, anas: Visiting) -> None:
    await anas.post("/admin/keys", FORM)
    made = next(each for each in await world.keys.list() if each.name == "gateway")
    await anas.post(f"/admin/keys/{made.id}/revoke")
    ana = f"operator:{await world.operator_id(ANA)}"
    assert (await world.audit())[-2:] == [("key.created", ana), ("key.revoked", ana)]
