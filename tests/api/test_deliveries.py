"""The list of deliveries: paged, and each key sees only what it led to."""

from typing import Any

from bot.keys import Scope
from tests.api.conftest import Api


async def listed(api: Api, key: str = "admin", query: str = "") -> dict[str, Any]:
    response = await api.call("GET", f"/api/v1/deliveries{query}", key)
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    return found


async def test_the_newest_copies_come_first_in_pages(api: Api) -> None:
    asked = [(await api.ask())["id"] for _ in range(3)]
    first = await listed(api, query="?limit=2")
    rest = await listed(api, query=f"?limit=2&cursor={first['next_cursor']}")
    assert {each["interaction_id"] for each in first["items"] + rest["items"]} == set(asked)
    ids = [each["id"] for each in first["items"] + rest["items"]]
    assert (ids, rest["next_cursor"]) == (sorted(ids, reverse=True), None)


async def test_a_key_sees_only_what_it_led_to(api: Api) -> None:
    await api.key("mine", Scope.INTERACTIONS_WRITE, Scope.INTERACTIONS_READ, Scope.EVENTS_WRITE)
    await api.ask("agent")
    mine = (await api.ask("mine"))["id"]
    await api.call("POST", "/api/v1/events", "mine", json={"type": "a", "summary": "b"})
    await api.call("POST", "/api/v1/events", "agent", json={"type": "c", "summary": "d"})
    assert [each["interaction_id"] for each in (await listed(api, "mine"))["items"]] == [None, mine]
    assert len((await listed(api))["items"]) == 4


async def test_it_takes_the_scope_to_read(api: Api) -> None:
    assert (await api.call("GET", "/api/v1/deliveries", "other")).status == 403
