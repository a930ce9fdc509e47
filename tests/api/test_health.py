import pytest

from tests.api.conftest import Api


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/docs"])
async def test_what_everybody_may_ask(api: Api, path: str) -> None:
    assert (await api.call("GET", path, None)).status == 200


async def test_without_a_database_it_lives_but_is_not_ready(api: Api) -> None:
    await api.product.store.stop()
    ready = await api.call("GET", "/readyz", None)
    assert (ready.status, (await ready.json())["reason"]) == (
        503,
        "the database cannot be written: the database is closed",
    )
    assert (await api.call("GET", "/healthz", None)).status == 200


async def test_being_ready_was_tried_by_writing(api: Api) -> None:
    await api.call("GET", "/readyz", None)
    assert await api.product.store.read(lambda tx: tx.row("SELECT key FROM seen WHERE key = 'readyz'"))


async def test_while_shutting_down_it_is_not_ready(api: Api) -> None:
    api.product.state.closing = True
    assert (await api.call("GET", "/readyz", None)).status == 503


@pytest.mark.parametrize("key, status", [(None, 401), ("agent", 403), ("admin", 200)])
async def test_whom_a_proxy_brings_needs_a_key_for_metrics(api: Api, key: str | None, status: int) -> None:
    response = await api.call("GET", "/metrics", key, headers={"X-Forwarded-For": "192.0.2.1"})
    assert response.status == status


async def test_a_request_is_counted_by_its_pattern_not_its_address(api: Api) -> None:
    await api.call("GET", "/api/v1/interactions/secretive", "agent")
    counted = await (await api.call("GET", "/metrics", None)).text()
    assert 'gatebell_http_requests_total{method="GET",route="/api/v1/interactions/{id}",status="404"} 1.0' in counted
    assert "secretive" not in counted


async def test_the_clock_of_a_test_moves_expiry(api: Api) -> None:
    asked = await api.ask(expires_in=3600)
    moved = await api.call("POST", "/testing/clock", None, json={"advance": 3601})
    consume = f"/api/v1/interactions/{asked['id']}/consume"
    assert moved.status == 200
    assert (await api.decide(asked)).status in {403, 409}
    used = await api.call("POST", consume, "agent", json={"digest": asked["digest"]})
    assert used.status in {409, 410}


@pytest.mark.parametrize("advance", [-1, "x", None, 1e300])
async def test_the_clock_moves_forward_only(api: Api, advance: object) -> None:
    assert (await api.call("POST", "/testing/clock", None, json={"advance": advance})).status == 422


@pytest.mark.parametrize("environ", [{}])
async def test_a_real_clock_cannot_be_moved(api: Api) -> None:
    assert (await api.call("POST", "/testing/clock", None, json={"advance": 1})).status == 404


@pytest.mark.parametrize(
    "verb, path, status",
    [
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/events", 405),
        ("PUT", "/healthz", 405),
        ("GET", "/api/v1", 404),
    ],
)
async def test_a_wrong_address_is_a_problem_document(api: Api, verb: str, path: str, status: int) -> None:
    response = await api.call(verb, path)
    assert (response.status, response.content_type) == (status, "application/problem+json")


async def test_a_stranger_is_not_told_what_the_database_says(api: Api) -> None:
    await api.product.store.stop()
    ready = await api.call("GET", "/readyz", None, headers={"X-Forwarded-For": "192.0.2.1"})
    assert (ready.status, (await ready.json())["reason"]) == (503, "the database cannot be written")


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
async def test_no_page_moves_the_clock(api: Api, header: dict[str, str]) -> None:
    body = b'{"advance": 60}'
    headers = {"Content-Type": "text/plain", **header}
    assert (await api.call("POST", "/testing/clock", None, data=body, headers=headers)).status == 403
