"""The API in wrong hands and with wrong bodies: refused in plain words, never 500, and nothing is asked."""

import json
from io import BytesIO
from typing import Any

import pytest

from bot.keys import Scope
from tests.stories.hands import press
from tests.stories.world import ANA, BEN, CLEO, Answered, World

Json = dict[str, Any]
ASKING: Json = {
    "kind": "blocked_action",
    "payload": {"agent": "Archivist", "tool": "drive.delete"},
    "audience": {"operators": [ANA]},
}
EVERYWHERE = (
    ("POST", "/api/v1/events"),
    ("POST", "/api/v1/interactions"),
    ("GET", "/api/v1/interactions"),
    ("GET", "/api/v1/interactions/x"),
    ("POST", "/api/v1/interactions/x/consume"),
    ("POST", "/api/v1/interactions/x/withdraw"),
    ("POST", "/api/v1/interactions/x/decide"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/operators"),
    ("GET", "/api/v1/keys"),
)
OTHERS: tuple[tuple[str, str, Json | None], ...] = (
    ("GET", "", None),
    ("POST", "/consume", {"digest": "0" * 64}),
    ("POST", "/withdraw", {}),
)


# ---- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method, path", EVERYWHERE)
@pytest.mark.parametrize("token", ["", "gb_wrong", "Bearer", "gb_" + "x" * 5000, "notify_x", "ü"])
async def test_without_a_right_key_nothing_is_told(world: World, method: str, path: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with world.http.request(method, world.address + path, json={}, headers=headers) as response:
        problem = await response.json()
    assert (response.status, problem["status"]) == (401, 401)


async def test_a_revoked_key_is_refused_at_once(world: World) -> None:
    made = await world.call("POST", "/api/v1/keys", {"name": "old", "scopes": ["interactions:write"]})
    assert (await world.call("GET", "/api/v1/interactions", key=made["key"])).status == 200
    await world.call("DELETE", f"/api/v1/keys/{made['id']}")
    assert (await world.call("GET", "/api/v1/interactions", key=made["key"])).status == 401


@pytest.mark.parametrize(
    "scope, method, path, body",
    [
        (Scope.EVENTS_WRITE, "POST", "/api/v1/interactions", ASKING),
        (Scope.INTERACTIONS_READ, "POST", "/api/v1/interactions", ASKING),
        (Scope.INTERACTIONS_WRITE, "POST", "/api/v1/events", {"type": "t", "summary": "s"}),
        (Scope.INTERACTIONS_WRITE, "GET", "/api/v1/audit", None),
        (Scope.INTERACTIONS_WRITE, "POST", "/api/v1/operators", {"email": CLEO}),
        (Scope.METRICS, "POST", "/api/v1/keys", {"name": "more", "scopes": ["admin"]}),
    ],
)
async def test_a_key_does_only_what_its_scopes_say(
    world: World, scope: Scope, method: str, path: str, body: Json | None
) -> None:
    answer = await world.call(method, path, body, key=await world.key_for(scope))
    assert answer.status == 403


@pytest.mark.parametrize("method, path, body", OTHERS)
async def test_another_producers_request_does_not_exist(
    world: World, method: str, path: str, body: Json | None
) -> None:
    asked = await world.ask_blocked([ANA])
    other = await world.key_for(Scope.INTERACTIONS_WRITE)
    answer = await world.call(method, f"/api/v1/interactions/{asked['id']}{path}", body, key=other)
    missing = await world.call(method, f"/api/v1/interactions/{'0' * 26}{path}", body, key=other)
    assert (answer.status, answer["detail"]) == (404, missing["detail"])


async def test_another_producers_requests_are_not_listed(world: World) -> None:
    await world.ask_blocked([ANA])
    other = await world.key_for(Scope.INTERACTIONS_WRITE)
    assert (await world.call("GET", "/api/v1/interactions", key=other))["items"] == []


async def test_guessing_keys_is_slowed_down(world: World) -> None:
    tries = [(await world.call("GET", "/api/v1/audit", key=f"gb_guess{number}")) for number in range(40)]
    assert {each.status for each in tries} == {401, 429}
    assert (tries[-1].status, int(tries[-1].headers["Retry-After"]) > 0) == (429, True)


async def test_guessing_keys_is_in_the_audit_log_once_and_without_the_keys(world: World) -> None:
    for number in range(40):
        await world.call("GET", "/api/v1/audit", key=f"gb_guess{number}")
    await world.until(lambda: not world.product.spawned.tasks)
    entries = [each for each in (await world.call("GET", "/api/v1/audit"))["items"] if each["action"] == "key.refused"]
    assert ([each["subject"] for each in entries], "gb_guess" in str(entries)) == (["127.0.0.1"], False)


async def test_a_right_key_still_works_beside_a_guesser(world: World) -> None:
    for number in range(40):
        await world.call("GET", "/api/v1/audit", key=f"gb_guess{number}")
    assert (await world.call("GET", "/api/v1/audit")).status == 200


# ---- deciding over the API -------------------------------------------------------------------------------------------


async def decide(world: World, asked: Answered, key: str) -> Answered:
    return await world.call("POST", f"/api/v1/interactions/{asked['id']}/decide", {"choice": "approve"}, key=key)


async def test_an_admins_key_decides_for_nobody(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    assert (await decide(world, asked, world.key)).status == 403
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_an_operator_who_was_not_asked_does_not_decide(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    answer = await decide(world, asked, await world.key_for(Scope.INTERACTIONS_WRITE, of=BEN))
    assert (answer.status, "You were not asked" in answer["detail"]) == (403, True)


async def test_the_key_of_somebody_who_was_removed_decides_nothing(world: World) -> None:
    asked = await world.ask_blocked()
    key = await world.key_for(Scope.INTERACTIONS_WRITE, of=BEN)
    await world.operators.remove(await world.operator_id(BEN), by="cli")
    assert (await decide(world, asked, key)).status == 404
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_the_requester_does_not_approve_over_the_api(world: World) -> None:
    asked = await world.ask_blocked([ANA, BEN], requested_by={"email": ANA})
    answer = await decide(world, asked, await world.key_for(Scope.INTERACTIONS_WRITE, of=ANA))
    assert (answer.status, "your own request" in answer["detail"]) == (403, True)


async def test_whoever_asks_cannot_answer_itself(world: World) -> None:
    """The key that asked belongs to an agent; it does not become Ana by naming her."""
    agent = await world.key_for(Scope.INTERACTIONS_WRITE)
    asked = await world.call("POST", "/api/v1/interactions", ASKING, key=agent)
    assert (await decide(world, asked, agent)).status == 403
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_a_stranger_cannot_be_asked(world: World) -> None:
    asked = await world.ask_blocked([CLEO])
    assert (asked.status, asked["errors"][0]["field"]) == (422, "audience.operators[0]")


# ---- bodies ----------------------------------------------------------------------------------------------------------

DEEP = 10_000
BODIES: tuple[tuple[str, bytes, set[int]], ...] = (
    ("nothing", b"", {400}),
    ("no JSON", b"{", {400}),
    ("a list of numbers", b"[1]", {400, 422}),
    ("null", b"null", {400, 422}),
    ("not UTF-8", b'{"kind": "\xff"}', {400}),
    ("UTF-16", '{"kind": "x"}'.encode("utf-16"), {400}),
    ("10 MiB", b'{"kind": "' + b"x" * (10 * 1024 * 1024) + b'"}', {413}),
    ("objects 10,000 deep", b'{"payload":' * DEEP + b"1" + b"}" * DEEP, {400}),
    ("lists 10,000 deep", b'{"payload": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}", {400}),
    ("brackets that do not close", b"[" * 500_000, {400}),
    ("NaN", json.dumps({**ASKING, "expires_in": float("nan")}).encode(), {400}),
    ("Infinity", json.dumps({**ASKING, "expires_in": float("inf")}).encode(), {400}),
    ("NaN in arguments", b'{"kind": "blocked_action", "payload": {"agent": "A", "arguments": NaN}}', {400}),
    ("a lone surrogate", json.dumps({**ASKING, "thread": "\ud800"}).encode(), {400}),
    ("a lone surrogate as a key", json.dumps({**ASKING, "payload": {"\udfff": 1}}).encode(), {400}),
    ("a key twice", b'{"kind": "blocked_action", "kind": "clarification"}', {400}),
    ("a number with 5,000 digits", b'{"expires_in": ' + b"9" * 5000 + b"}", {400, 422}),
    ("a number beyond every double", b'{"expires_in": 1e999}', {400, 422}),
)  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/interactions", "/api/v1/events"])
@pytest.mark.parametrize("body, statuses", [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_a_body_that_cannot_be_read_is_refused(world: World, path: str, body: bytes, statuses: set[int]) -> None:
    headers = {"Authorization": f"Bearer {world.key}", "Content-Type": "application/json"}
    async with world.http.post(world.address + path, data=BytesIO(body), headers=headers) as response:
        problem = await response.json(content_type=None)
    assert response.status in statuses, problem
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "change, field",
    [
        ({"kindd": "x"}, "kindd"),
        ({"payload": {**ASKING["payload"], "tol": "x"}}, "payload.tol"),
        ({"audience": {"operators": [ANA], "everybody": True}}, "audience.everybody"),
        ({"requested_by": {"mail": ANA}}, "requested_by.mail"),
        ({"expires_in": -1}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"approvals": 0}, "approvals"),
        ({"approvals": True}, "approvals"),
        ({"reason": "always"}, "reason"),
        ({"payload": []}, "payload"),
        ({"kind": "sudo"}, "kind"),
        ({"payload": {"agent": "", "tool": "t"}}, "payload.agent"),
        ({"payload": {"agent": "\u202e\u200b", "tool": "t"}}, "payload.agent"),
        ({"payload": {"agent": "A", "tool": "t", "arguments": {"n": 2**60}}}, "payload.arguments.n"),
        ({"audience": {"operators": [ANA] * 51}}, "audience.operators"),
        ({"status": "decided"}, "status"),
        ({"decision": {"choice": "approve"}}, "decision"),
    ],
    ids=str,
)
async def test_what_does_not_fit_is_named(world: World, change: Json, field: str) -> None:
    answer = await world.call("POST", "/api/v1/interactions", {**ASKING, **change})
    assert (answer.status, field in [each["field"] for each in answer["errors"]]) == (422, True), answer.body


async def test_choices_that_are_none_or_too_many_or_cannot_be_told_apart_are_refused(world: World) -> None:
    two: list[Json] = [{"id": "a", "label": "A"}, {"id": "a", "label": "B"}]
    many = [{"id": f"c{each}", "label": "C"} for each in range(101)]
    other: Json = {"choices": [{"id": "other", "label": "Yes"}], "allow_other": True}
    wrong: list[Json] = [{"choices": two}, {"choices": many}, {"choices": []}, other]
    for choices in wrong:
        answer = await world.ask("clarification", {"question": "Which?", **choices}, [ANA])
        assert answer.status == 422, choices


@pytest.mark.parametrize("id_", ["x", "0" * 26, "..%2F..%2Fhealthz", "%00", "' OR 1=1 --", "x" * 4000, "%ED%A0%80"])
async def test_an_id_that_nobody_has_is_not_found(world: World, id_: str) -> None:
    async with world.http.get(
        f"{world.address}/api/v1/interactions/{id_}", headers={"Authorization": f"Bearer {world.key}"}
    ) as response:
        assert response.status in {400, 404}


async def test_an_endless_idempotency_key_is_refused_and_nothing_is_asked(world: World) -> None:
    headers = {"Idempotency-Key": "x" * 5000}
    assert (await world.call("POST", "/api/v1/interactions", ASKING, headers=headers)).status == 422
    assert (await world.call("GET", "/api/v1/interactions"))["items"] == []


async def test_the_digest_of_a_changed_request_is_another(world: World) -> None:
    """What was approved for one request is of no use for the next that says something else."""
    first = await world.ask_blocked([ANA])
    await press(world, "slack", "Approve")
    await world.end_of(first["id"])
    second = await world.ask("blocked_action", {"agent": "Archivist", "tool": "drive.wipe"}, [ANA])
    used = await world.call("POST", f"/api/v1/interactions/{first['id']}/consume", {"digest": second["digest"]})
    assert used.status == 422


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/api/v1/openapi.json", "/testing/clock"])
async def test_a_proxy_gives_a_stranger_no_more_than_everybody_may_see(world: World, path: str) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    method = "POST" if path == "/testing/clock" else "GET"
    async with world.http.request(method, world.address + path, headers=headers, json={"advance": 1}) as response:
        expected = {"/metrics": 401, "/testing/clock": 403}.get(path, 200)
        assert response.status == expected
