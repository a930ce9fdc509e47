import pytest

from tests.api.conftest import Api


async def test_a_person_is_added_changed_and_removed(api: Api) -> None:
    added = await api.call("POST", "/api/v1/operators", json={"email": "Dan@example.com", "name": "Dan"})
    changed = await api.call("PATCH", "/api/v1/operators/dan@example.com", json={"role": "viewer"})
    removed = await api.call("DELETE", f"/api/v1/operators/{(await added.json())['id']}")
    assert [each.status for each in (added, changed, removed)] == [201, 200, 204]
    assert (await changed.json())["role"] == "viewer"
    left = await (await api.call("GET", "/api/v1/operators")).json()
    assert "dan@example.com" not in [each["email"] for each in left["items"]]


async def test_the_same_person_twice_is_a_conflict(api: Api) -> None:
    response = await api.call("POST", "/api/v1/operators", json={"email": "ana@example.com"})
    assert (response.status, (await response.json())["errors"][0]["field"]) == (409, "email")


async def test_an_account_is_linked_to_a_person(api: Api) -> None:
    link = {"platform": "slack", "subject": "T1:U1"}
    linked = await api.call("POST", "/api/v1/operators/ana@example.com/identities", json=link)
    assert (await linked.json())["identities"] == [link]


@pytest.mark.parametrize(
    "link, field",
    [
        ({"platform": "email", "subject": "ana@example.com"}, "platform"),
        ({"platform": "slack", "subject": "Ana"}, "subject"),
        ({"platform": "slack", "subject": "U1"}, "subject"),
        ({"platform": "teams", "subject": "Ana"}, "subject"),
    ],
)
async def test_what_no_platform_calls_anybody_is_not_linked(api: Api, link: dict[str, str], field: str) -> None:
    refused = await api.call("POST", "/api/v1/operators/ana@example.com/identities", json=link)
    assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, field)


async def test_the_last_admin_stays_one(api: Api) -> None:
    asked = [("PATCH", {"role": "viewer"}), ("DELETE", None)]
    path = "/api/v1/operators/ana@example.com"
    assert [(await api.call(verb, path, json=body)).status for verb, body in asked] == [409, 409]


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(api: Api) -> None:
    new = await (await api.call("POST", "/api/v1/keys", json={"name": "m", "scopes": ["interactions:read"]})).json()
    assert (await api.call("GET", "/api/v1/interactions", new["key"])).status == 200
    assert new["key"] not in await (await api.call("GET", "/api/v1/keys")).text()
    assert (await api.call("DELETE", f"/api/v1/keys/{new['id']}")).status == 204
    assert (await api.call("GET", "/api/v1/interactions", new["key"])).status == 401


async def test_a_key_may_be_made_for_one_operator(api: Api) -> None:
    body = {"name": "bens", "scopes": ["interactions:write"], "operator": "ben@example.com"}
    new = await (await api.call("POST", "/api/v1/keys", json=body)).json()
    asked = await api.ask(audience={"operators": ["ben@example.com"]})
    assert (await api.decide(asked, key=new["key"])).status == 200


async def test_only_an_admin_changes_people_and_keys(api: Api) -> None:
    asked = [("GET", "/api/v1/operators"), ("POST", "/api/v1/keys"), ("GET", "/api/v1/audit")]
    assert [(await api.call(verb, path, "agent", json={})).status for verb, path in asked] == [403, 403, 403]


async def test_the_audit_log_tells_who_did_what(api: Api) -> None:
    await api.call("DELETE", "/api/v1/operators/ben@example.com")
    log = await (await api.call("GET", "/api/v1/audit?subject=ben@example.com")).json()
    assert [each["action"] for each in log["items"]] == ["operator.removed", "operator.added"]
    assert log["items"][0]["actor"].startswith("key:")


async def test_the_audit_log_is_read_page_by_page(api: Api) -> None:
    first = await (await api.call("GET", "/api/v1/audit?limit=2")).json()
    rest = await (await api.call("GET", f"/api/v1/audit?cursor={first['next_cursor']}")).json()
    seqs = [each["seq"] for each in (*first["items"], *rest["items"])]
    assert seqs == list(range(len(seqs), 0, -1))


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/v1/operators", "/api/v1/audit", "/api/v1/interactions"])
async def test_what_a_key_may_read_is_kept_by_no_cache(api: Api, path: str) -> None:
    assert (await api.call("GET", path)).headers["Cache-Control"] == "no-store"
