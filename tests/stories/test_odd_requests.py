"""Requests that no program of ours and no browser sends: each is refused in words, and none is a fault of ours."""

import pytest
from yarl import URL

from tests.admin.signed_in import signed_in
from tests.stories.world import ANA, World

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%0A", "%ED%A0%80"])
@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/api/v1/interactions?cursor={}"),
        ("GET", "/api/v1/deliveries?cursor={}"),
        ("GET", "/api/v1/audit?subject={}"),
        ("GET", "/api/v1/interactions/{}"),
        ("POST", "/api/v1/interactions/{}/withdraw"),
        ("GET", "/api/v1/operators/{}"),
        ("DELETE", "/api/v1/keys/{}"),
    ],
)
async def test_a_program_that_sends_a_control_character_is_told_so(
    any_world: World, method: str, path: str, odd: str
) -> None:
    url = URL(any_world.address + path.format(odd), encoded=True)
    headers = {"Authorization": f"Bearer {any_world.key}"}
    async with any_world.http.request(method, url, headers=headers) as response:
        assert response.status in {200, 404, 422}


@pytest.mark.parametrize("path", ["/admin/requests/%00", "/admin/events/%00", "/admin/operators/%00", "/d/%00"])
async def test_a_page_at_an_address_with_a_control_character_is_not_there(any_world: World, path: str) -> None:
    ana = await signed_in(any_world, ANA)
    async with ana, ana.http.get(URL(any_world.address + path, encoded=True)) as response:
        assert response.status == 404


@pytest.mark.parametrize("path", ["/login", "/d/some.token"])
@pytest.mark.parametrize("kind, body", [(f"{FORM}; charset=nonsense", b"email=a"), (FORM, b"email=%ff\xff")])
async def test_a_form_that_is_no_text_is_refused(world: World, path: str, kind: str, body: bytes) -> None:
    headers = {"Content-Type": kind, "Accept": "text/html"}
    async with world.http.post(world.address + path, data=body, headers=headers) as response:
        assert response.status == 400
