import asyncio
import time
from typing import Any

import pytest

from tests.api.conftest import ASKED, Api


async def test_a_question_is_put_and_seen(api: Api) -> None:
    asked = await api.ask(expires_in=60)
    seen = await (await api.call("GET", f"/api/v1/interactions/{asked['id']}", "agent")).json()
    assert (asked["status"], len(asked["digest"])) == ("pending", 64)
    assert seen["deliveries"][0]["reader"].startswith("operator:")
    assert {**seen, "deliveries": []} == asked


@pytest.mark.parametrize(
    "change, field",
    [
        ({"kind": "blocked_acton"}, "kind"),
        ({"payload": {"agent": "a"}}, "payload.tool"),
        ({"payload": {"agent": "a", "tool": "t", "argumants": 1}}, "payload.argumants"),
        ({"payload": {"agent": "a", "tool": "t", "arguments": {"n": 2**53}}}, "payload.arguments.n"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": 1e12}, "expires_in"),
        ({"approvals": 3}, "approvals"),
        ({"audience": {"operators": ["cleo@example.com"]}}, "audience.operators[0]"),
        ({"audience": {"operator": []}}, "audience.operator"),
        ({"callback_url": "http://127.0.0.1/x"}, "callback_url"),
        ({"callback_url": "http://169.254.169.254/"}, "callback_url"),
        ({"callback_url": "file:///etc/passwd"}, "callback_url"),
        ({"reason": "always"}, "reason"),
    ],
)
async def test_what_does_not_fit_is_named(api: Api, change: dict[str, Any], field: str) -> None:
    response = await api.call("POST", "/api/v1/interactions", "agent", json=ASKED | change)
    assert response.status == 422
    assert [each["field"] for each in (await response.json())["errors"]] == [field]


async def test_the_same_key_and_body_is_the_same_question(api: Api) -> None:
    asked = await api.ask(idempotency_key="k1")
    again = await api.call("POST", "/api/v1/interactions", "agent", json=ASKED, headers={"Idempotency-Key": "k1"})
    assert (again.status, (await again.json())["id"]) == (200, asked["id"])


async def test_the_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    await api.ask(idempotency_key="k1")
    again = await api.call(
        "POST", "/api/v1/interactions", "agent", json=ASKED | {"idempotency_key": "k1", "approvals": 1, "expires_in": 5}
    )
    assert again.status == 409


async def test_another_producers_idempotency_key_is_its_own(api: Api) -> None:
    asked = await api.ask(idempotency_key="k1")
    other = await api.ask("other", idempotency_key="k1")
    assert asked["id"] != other["id"]


async def test_two_idempotency_keys_do_not_say_which(api: Api) -> None:
    body = ASKED | {"idempotency_key": "k1"}
    response = await api.call("POST", "/api/v1/interactions", "agent", json=body, headers={"Idempotency-Key": "k2"})
    assert response.status == 422


async def test_whoever_was_asked_decides_and_the_waiting_caller_hears_at_once(api: Api) -> None:
    asked = await api.ask()
    waiting = asyncio.create_task(api.call("GET", f"/api/v1/interactions/{asked['id']}?wait=30", "agent"))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    assert (await api.decide(asked)).status == 200
    heard = await (await waiting).json()
    assert time.monotonic() - started < 5
    assert (heard["status"], heard["decision"]["approved"], heard["decision"]["by"]) == ("decided", True, "Ana")


async def test_waiting_ends_when_its_time_is_over(api: Api) -> None:
    asked = await api.ask()
    seen = await (await api.call("GET", f"/api/v1/interactions/{asked['id']}?wait=0.2", "agent")).json()
    assert seen["status"] == "pending"


async def test_waiting_ends_when_the_server_shuts_down(api: Api) -> None:
    asked = await api.ask()
    waiting = asyncio.create_task(api.call("GET", f"/api/v1/interactions/{asked['id']}?wait=30", "agent"))
    await asyncio.sleep(0.1)
    api.product.state.closing = True
    assert (await asyncio.wait_for(waiting, 5)).status == 200


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "nan"])
async def test_a_wait_that_is_none_is_refused(api: Api, wait: str) -> None:
    asked = await api.ask()
    assert (await api.call("GET", f"/api/v1/interactions/{asked['id']}?wait={wait}", "agent")).status == 422


CLARIFICATION = {
    "question": "Which contract?",
    "choices": [{"id": "signed", "label": "The signed one"}, {"id": "draft", "label": "The draft"}],
    "allow_other": True,
}


@pytest.mark.parametrize(
    "body, field, mend",
    [
        ({"choice": "burn"}, "choice", "Send one of signed, draft, other."),
        ({"choice": "other"}, "inputs.other", "Send a text of 1 to 2000 characters."),
    ],
)
async def test_an_answer_that_does_not_fit_is_named_as_the_body_names_it(
    api: Api, body: dict[str, Any], field: str, mend: str
) -> None:
    asked = await api.ask(kind="clarification", payload=CLARIFICATION)
    answer = await api.call("POST", f"/api/v1/interactions/{asked['id']}/decide", "ana", json=body)
    errors = (await answer.json())["errors"]
    assert (answer.status, [(each["field"], each["mend"]) for each in errors]) == (422, [(field, mend)])


async def test_a_reason_that_is_missing_is_named_as_the_body_names_it(api: Api) -> None:
    asked = await api.ask(reason="required_on_denial")
    errors = (await (await api.decide(asked, "keep_blocked")).json())["errors"]
    assert [(each["field"], each["mend"]) for each in errors] == [("reason", "Send a text of 1 to 2000 characters.")]


@pytest.mark.parametrize("key, status", [("ben", 403), ("agent", 403), ("admin", 403)])
async def test_nobody_decides_who_was_not_asked(api: Api, key: str, status: int) -> None:
    asked = await api.ask()
    assert (await api.decide(asked, key=key)).status == status
    seen = await (await api.call("GET", f"/api/v1/interactions/{asked['id']}", "agent")).json()
    assert seen["status"] == "pending"


async def test_a_second_decision_comes_too_late(api: Api) -> None:
    asked = await api.ask()
    await api.decide(asked)
    late = await api.decide(asked, "keep_blocked")
    assert (late.status, "Already decided" in (await late.json())["detail"]) == (409, True)


async def test_an_approval_is_used_once_and_for_what_was_shown(api: Api) -> None:
    asked = await api.ask()
    consume = f"/api/v1/interactions/{asked['id']}/consume"
    early = await api.call("POST", consume, "agent", json={"digest": asked["digest"]})
    await api.decide(asked)
    other = await api.call("POST", consume, "agent", json={"digest": "0" * 64})
    first = await api.call("POST", consume, "agent", json={"digest": asked["digest"]})
    second = await api.call("POST", consume, "agent", json={"digest": asked["digest"]})
    assert [each.status for each in (early, other, first, second)] == [409, 422, 200, 409]


async def test_a_denial_cannot_be_used(api: Api) -> None:
    asked = await api.ask()
    await api.decide(asked, "keep_blocked")
    used = await api.call(
        "POST", f"/api/v1/interactions/{asked['id']}/consume", "agent", json={"digest": asked["digest"]}
    )
    assert used.status == 409


async def test_what_was_withdrawn_says_so(api: Api) -> None:
    asked = await api.ask()
    path = f"/api/v1/interactions/{asked['id']}/withdraw"
    withdrawn = await (await api.call("POST", path, "agent", json={"because": "not needed"})).json()
    again = await api.call("POST", path, "agent")
    assert (withdrawn["status"], withdrawn["because"], again.status) == ("withdrawn", "not needed", 409)


@pytest.mark.parametrize("verb, path", [("GET", ""), ("POST", "/withdraw"), ("POST", "/consume")])
async def test_another_producers_question_is_not_there(api: Api, verb: str, path: str) -> None:
    asked = await api.ask()
    body = {"json": {"digest": asked["digest"]}} if path == "/consume" else {}
    assert (await api.call(verb, f"/api/v1/interactions/{asked['id']}{path}", "other", **body)).status == 404


async def test_questions_are_listed_page_by_page_and_only_ones_own(api: Api) -> None:
    asked = [await api.ask() for _ in range(3)]
    await api.ask("other")
    first = await (await api.call("GET", "/api/v1/interactions?limit=2", "agent")).json()
    rest = await (await api.call("GET", f"/api/v1/interactions?cursor={first['next_cursor']}", "agent")).json()
    listed = [each["id"] for each in (*first["items"], *rest["items"])]
    assert (listed, rest["next_cursor"]) == (sorted((each["id"] for each in asked), reverse=True), None)


async def test_an_admin_sees_every_question(api: Api) -> None:
    await api.ask()
    await api.ask("other")
    everything = await (await api.call("GET", "/api/v1/interactions?status=pending")).json()
    assert len(everything["items"]) == 2


async def who(api: Api, action: str) -> list[tuple[str, str, str]]:
    """(actor, on behalf of whom, place) of every entry of this action; keys by their names."""
    names = {each["id"]: each["name"] for each in (await (await api.call("GET", "/api/v1/keys")).json())["items"]}
    entries = (await (await api.call("GET", "/api/v1/audit")).json())["items"]
    return [
        (f"key {names[each['actor'].removeprefix('key:')]}", each["on_behalf"], each["place"])
        for each in entries
        if each["action"] == action
    ]


async def test_a_decision_through_the_api_is_written_down_for_the_key_and_its_operator(api: Api) -> None:
    assert (await api.decide(await api.ask())).status == 200
    assert await who(api, "interaction.decided") == [("key ana", "ana@example.com", "api")]


async def test_a_refused_one_too(api: Api) -> None:
    assert (await api.decide(await api.ask(), key="ben")).status == 403
    assert await who(api, "click.refused") == [("key ben", "ben@example.com", "api")]


async def test_whoever_takes_a_question_back_through_the_api_is_written_down(api: Api) -> None:
    ana = (await api.operators.everybody())[0].id
    for key in ("agent", "ana"):
        asked = await api.ask(key, audience={"operators": ["ben@example.com"]})
        assert (await api.call("POST", f"/api/v1/interactions/{asked['id']}/withdraw", key)).status == 200
    assert await who(api, "interaction.withdrawn") == [
        ("key ana", f"operator:{ana}", "api"),
        ("key agent", "", "api"),
    ]


# ---- nobody approves their own ---------------------------------------------------------------------------------------

BOTH = {"operators": ["ana@example.com", "ben@example.com"]}


async def test_with_their_own_key_nobody_approves_what_they_asked_with_it(api: Api) -> None:
    asked = await api.ask("ana", audience=BOTH)
    assert asked["requested_by"] == {"email": "ana@example.com"}
    assert (await api.decide(asked, key="ana")).status == 403
    assert (await api.decide(asked, key="ben")).status == 200


async def test_with_an_operators_own_key_nobody_else_is_named_as_who_asks(api: Api) -> None:
    body = ASKED | {"audience": BOTH, "requested_by": {"email": "dana@example.com"}}
    response = await api.call("POST", "/api/v1/interactions", "ana", json=body)
    assert (response.status, (await response.json())["errors"][0]["field"]) == (422, "requested_by.email")


@pytest.mark.parametrize(
    "email",
    [
        "Ana <ana@example.com>",
        "mailto:ana@example.com",
        '"ana"@example.com',
        "ana",
        "ana@example.com.",
        "ana@example.com, ben@example.com",
        "\N{FULLWIDTH LATIN SMALL LETTER A}na@example.com",
        "ana\N{FULLWIDTH COMMERCIAL AT}example.com",
        "ana@example\N{IDEOGRAPHIC FULL STOP}com",
        "an\N{ZERO WIDTH SPACE}a@example.com",
    ],
)
async def test_who_asks_is_named_in_the_one_way_in_which_people_are_compared(api: Api, email: str) -> None:
    body = ASKED | {"requested_by": {"email": email}}
    response = await api.call("POST", "/api/v1/interactions", "agent", json=body)
    assert (response.status, (await response.json())["errors"][0]["field"]) == (422, "requested_by.email")


async def test_who_was_not_asked_does_not_learn_whether_it_has_ended(api: Api) -> None:
    asked = await api.ask()
    before = await (await api.decide(asked, key="ben")).json()
    await api.call("POST", f"/api/v1/interactions/{asked['id']}/withdraw", "agent")
    assert await (await api.decide(asked, key="ben")).json() == before
