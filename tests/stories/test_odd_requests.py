"""Requests that no program of ours and no browser sends: each is refused in words, and none is a fault of ours."""

import pytest
from yarl import URL

from tests.admin.signed_in import signed_in
from tests.stories.world import ANA, Answered, World

FORM = "application/x-www-form-urlencoded"


CONTROL = ("%00", "a%00b", "a%0Ab")
NO_TEXT = "%ED%A0%80"  # half of a character
LISTS = ("interactions?cursor={}", "deliveries?cursor={}", "audit?subject={}")
THINGS = (
    ("GET", "interactions/{}"),
    ("POST", "interactions/{}/withdraw"),
    ("GET", "operators/{}"),
    ("DELETE", "keys/{}"),
)
PAGES = ("/admin/requests/%00", "/admin/events/%00", "/admin/operators/%00", "/d/%00")


async def asked(world: World, method: str, path: str) -> Answered:
    """The path as it stands, without a client that would write it in another way."""
    url = URL(f"{world.address}/api/v1/{path}", encoded=True)
    headers = {"Authorization": f"Bearer {world.key}"}
    async with world.http.request(method, url, headers=headers) as response:
        return Answered(response.status, await response.json(), response.headers)


@pytest.mark.parametrize("path", LISTS)
async def test_a_program_that_looks_for_a_control_character_is_told_so(any_world: World, path: str) -> None:
    found = [await asked(any_world, "GET", path.format(odd)) for odd in CONTROL]
    assert [each.status for each in found] == [422] * len(CONTROL)


@pytest.mark.parametrize("path", LISTS)
async def test_a_program_that_looks_for_what_is_no_text_finds_nothing(any_world: World, path: str) -> None:
    found = await asked(any_world, "GET", path.format(NO_TEXT))
    assert (found.status, found["items"]) == (200, [])


@pytest.mark.parametrize("method, path", THINGS)
async def test_nothing_has_an_odd_id(any_world: World, method: str, path: str) -> None:
    found = [await asked(any_world, method, path.format(odd)) for odd in (*CONTROL, NO_TEXT)]
    assert [each.status for each in found] == [404] * len(found)


async def test_no_page_is_at_an_address_with_a_control_character(any_world: World) -> None:
    found = []
    async with await signed_in(any_world, ANA) as ana:
        for path in PAGES:
            async with ana.http.get(URL(any_world.address + path, encoded=True)) as response:
                found.append(response.status)
    assert found == [404] * len(PAGES)


@pytest.mark.parametrize("path", ["/login", "/d/some.token"])
@pytest.mark.parametrize("kind, body", [(f"{FORM}; charset=nonsense", b"email=a"), (FORM, b"email=%ff\xff")])
async def test_a_form_that_is_no_text_is_refused(world: World, path: str, kind: str, body: bytes) -> None:
    headers = {"Content-Type": kind, "Accept": "text/html"}
    async with world.http.post(world.address + path, data=body, headers=headers) as response:
        assert response.status == 400
