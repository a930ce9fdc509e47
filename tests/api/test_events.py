import io
import json
import re
from typing import Any

import pytest

from bot.canonical import DEPTH
from bot.keys import Scope
from tests.api.conftest import Api

EVENT: dict[str, Any] = {"type": "backup.failed", "severity": "high", "summary": "No backup tonight", "source": "db-1"}
ASKED: dict[str, Any] = {"kind": "blocked_action", "payload": {"agent": "a", "tool": "t"}}


async def test_an_event_is_accepted_with_an_id(api: Api) -> None:
    response = await api.call("POST", "/api/v1/events", "agent", json=EVENT)
    assert (response.status, (await response.json())["result"]) == (202, "accepted")


async def test_the_same_again_is_held_back_and_says_why(api: Api) -> None:
    await api.call("POST", "/api/v1/events", "agent", json=EVENT)
    told = await (await api.call("POST", "/api/v1/events", "agent", json=EVENT)).json()
    assert told["result"] == "deduplicated"
    assert "within the last 60 minutes" in told["reason"]


async def test_a_list_is_answered_in_order(api: Api) -> None:
    events = [EVENT, EVENT, EVENT | {"type": "disk.full"}]
    told = await (await api.call("POST", "/api/v1/events", "agent", json=events)).json()
    assert [each["result"] for each in told] == ["accepted", "deduplicated", "accepted"]


@pytest.mark.parametrize("word", ["warning", "WARNING", "medium"])
async def test_warning_is_understood_as_medium(api: Api, word: str) -> None:
    await api.call("POST", "/api/v1/events", "agent", json=EVENT | {"severity": word})
    rows = await api.product.store.read(lambda tx: tx.rows("SELECT severity FROM event"))
    assert [row["severity"] for row in rows] == ["medium"]


@pytest.mark.parametrize("word, phase", [("active", "firing"), ("firing", "firing"), ("resolved", "resolved")])
async def test_active_is_understood_as_firing(api: Api, word: str, phase: str) -> None:
    await api.call("POST", "/api/v1/events", "agent", json=EVENT | {"status": word})
    rows = await api.product.store.read(lambda tx: tx.rows("SELECT phase FROM event"))
    assert [row["phase"] for row in rows] == [phase]


@pytest.mark.parametrize(
    "change, field, mend",
    [
        ({"severity": "loud"}, "severity", "Send one of 'critical', 'high', 'medium', 'low' or 'info'."),
        ({"summary": None}, "summary", "Send a string."),
        ({"dedup_key": "k" * 1_000}, "dedup_key", "Send at most 255."),
        ({"sumary": "x"}, "sumary", "Did you mean summary?"),
        ({"occurred_at": "yesterday"}, "occurred_at", "See /api/docs for what fits."),
        ({"occurred_at": 1_700_000_000}, "occurred_at", "See /api/docs for what fits."),
        ({"occurred_at": "1700000000"}, "occurred_at", "See /api/docs for what fits."),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "See /api/docs for what fits."),
        ({"source": "a\r\nb"}, "source", "See /api/docs for what fits."),
        ({"labels": {"a": 1}}, "labels.a", "Send a string."),
        ({"context": []}, "context", "Send an object."),
    ],
)
async def test_a_wrong_field_is_named_with_its_mend(api: Api, change: dict[str, Any], field: str, mend: str) -> None:
    response = await api.call("POST", "/api/v1/events", "agent", json=EVENT | change)
    problem = await response.json()
    assert (response.status, response.content_type) == (422, "application/problem+json")
    assert [(each["field"], each["mend"]) for each in problem["errors"]] == [(field, mend)]


@pytest.mark.parametrize(
    "path, body, field, mend",
    [
        ("events", 3, "the body", "Send an object."),
        ("events", [EVENT, "x"], "[1]", "Send an object."),
        ("interactions", ASKED | {"audience": []}, "audience", "Send an object."),
        ("interactions", ASKED | {"approvals": 1.5}, "approvals", "Send a whole number."),
        ("interactions", ASKED | {"approvals": 0}, "approvals", "Send a number that is at least 1."),
        ("interactions", ASKED | {"approvals": 21}, "approvals", "Send a number that is at most 20."),
        ("interactions", ASKED | {"expires_in": "9"}, "expires_in", "Send a number."),
        ("interactions", ASKED | {"expires_in": 0}, "expires_in", "Send a number that is greater than 0."),
    ],
)
async def test_what_json_has_no_word_for_is_in_no_problem(
    api: Api, path: str, body: Any, field: str, mend: str
) -> None:
    problem = await (await api.call("POST", f"/api/v1/{path}", "agent", json=body)).json()
    assert [(each["field"], each["mend"]) for each in problem["errors"]] == [(field, mend)]
    assert not re.search(r"dict|instance|\bmodel\b|[a-z]In\b", str(problem))


@pytest.mark.parametrize("query, mend", [("limit=many", "Send a whole number."), ("limit=0", "that is at least 1.")])
async def test_a_wrong_page_says_what_fits(api: Api, query: str, mend: str) -> None:
    problem = await (await api.call("GET", f"/api/v1/interactions?{query}", "agent")).json()
    assert problem["errors"][0]["mend"].endswith(mend)


async def test_what_is_missing_is_named_in_the_mend_under_the_title_of_the_documentation(api: Api) -> None:
    problem = await (await api.call("POST", "/api/v1/events", "agent", json={"summary": "x"})).json()
    assert (problem["title"], [each["mend"] for each in problem["errors"]]) == (
        "Unprocessable Content",
        ['Add "type".'],
    )


async def test_the_words_of_every_problem_begin_with_a_capital(api: Api) -> None:
    asked = {"kind": "clarification", "payload": {}, "audience": {"operators": ["nobody-here"]}}
    wrong = await (await api.call("POST", "/api/v1/interactions", "agent", json=asked)).json()
    unknown = await (await api.call("GET", "/api/v1/interactions/none", "agent")).json()
    details = [unknown["detail"], *(each["detail"] for each in (*wrong["errors"], *unknown["errors"]))]
    assert [words for words in details if not words[0].isupper()] == []


async def test_a_wrong_event_of_a_list_is_named_and_none_is_stored(api: Api) -> None:
    response = await api.call("POST", "/api/v1/events", "agent", json=[EVENT, EVENT | {"severity": "loud"}])
    assert [each["field"] for each in (await response.json())["errors"]] == ["[1].severity"]
    assert await api.product.store.read(lambda tx: tx.rows("SELECT id FROM event")) == []


async def test_a_context_that_its_type_does_not_know_is_named_and_nothing_of_its_list_is_stored(api: Api) -> None:
    event = EVENT | {"type": "throughput.threshold", "context": {"count": "many"}}
    response = await api.call("POST", "/api/v1/events", "agent", json=[EVENT, event])
    assert response.status == 422
    assert await api.product.store.read(lambda tx: tx.rows("SELECT id FROM event")) == []
    assert "[1].context.count" in [each["field"] for each in (await response.json())["errors"]]


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b'{"type": "a", "summary": "\xff"}', 400),
        (b'{"type": "a", "type": "b", "summary": "x"}', 400),
        (b'{"type": "a", "summary": "\\ud800"}', 400),
        (b'{"type": "a", "summary": "x", "context": {"n": NaN}}', 400),
        (b'{"type": "a", "summary": "x", "context": ' + b'{"a": ' + b"[" * DEPTH + b"]" * DEPTH + b"}" + b"}", 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"type": "a", "summary": "' + b"x" * 2**20 + b'"}', 413),
    ],
)
async def test_a_broken_body_is_the_callers_fault(api: Api, body: bytes, status: int) -> None:
    response = await api.call("POST", "/api/v1/events", "agent", data=io.BytesIO(body))
    assert (response.status, response.content_type) == (status, "application/problem+json")


async def test_a_nul_does_no_harm(api: Api) -> None:
    response = await api.call("POST", "/api/v1/events", "agent", json=EVENT | {"summary": "a\0b"})
    assert response.status == 202


@pytest.mark.parametrize("key, status", [(None, 401), ("gb_wrong", 401), ("Basic x", 401), ("other", 403)])
async def test_only_a_key_with_the_scope_may_report(api: Api, key: str | None, status: int) -> None:
    response = await api.call("POST", "/api/v1/events", key, json=EVENT)
    assert (response.status, response.content_type) == (status, "application/problem+json")


async def test_guessing_keys_is_slowed_down_but_a_right_key_passes(api: Api) -> None:
    for _ in range(20):
        assert (await api.call("POST", "/api/v1/events", "gb_guess", json=EVENT)).status == 401
    guessed = await api.call("POST", "/api/v1/events", "gb_guess", json=EVENT)
    assert (guessed.status, int(guessed.headers["Retry-After"]) > 0) == (429, True)
    assert (await api.call("POST", "/api/v1/events", "agent", json=EVENT)).status == 202


async def test_nothing_is_accepted_while_shutting_down(api: Api) -> None:
    api.product.state.closing = True
    response = await api.call("POST", "/api/v1/events", "agent", json=EVENT)
    assert (response.status, response.headers["Retry-After"]) == (503, "2")


async def test_nothing_is_accepted_without_a_database(api: Api) -> None:
    await api.call("POST", "/api/v1/events", "agent", json=EVENT)
    await api.product.store.stop()
    response = await api.call("POST", "/api/v1/events", "agent", json=EVENT | {"type": "disk.full"})
    assert (response.status, response.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("user, status", [("", 422), ("dana@example.com", 422), ("ana@example.com", 202)])
async def test_an_event_that_asks_with_an_operators_own_key_names_this_operator(
    api: Api, user: str, status: int
) -> None:
    ana = await api.operators.by_email("ana@example.com")
    assert ana is not None
    await api.key("anas", Scope.EVENTS_WRITE, Scope.INTERACTIONS_WRITE, operator=ana.id)
    decision = {"operators": ["ben@example.com"]}
    context = {"agent": "a", "tool": "t", "user": user, "decision": decision}
    event = {"type": "destructive_action.blocked", "summary": "s", "context": context}
    response = await api.call("POST", "/api/v1/events", "anas", json=event)
    assert (response.status, [each["field"] for each in (await response.json()).get("errors", [])]) == (
        status,
        ["context.user"] if status == 422 else [],
    )


async def test_a_body_of_nothing_but_wrong_fields_is_answered_in_few_words(api: Api) -> None:
    for count in (100, 50_000):
        body = json.dumps({f"wrong{number}": 1 for number in range(count)}).encode()
        response = await api.call("POST", "/api/v1/events", "agent", data=io.BytesIO(body))
        assert (response.status, len(await response.read()) < 10_000) == (422, True)


async def test_a_name_of_a_megabyte_does_not_come_back(api: Api) -> None:
    for body in (b'{"%s": 1}', b'{"%s": 1, "%s": 1}'):
        response = await api.call("POST", "/api/v1/events", "agent", data=body.replace(b"%s", b"a" * 500_000))
        assert (response.status in {400, 422}, len(await response.read()) < 5000) == (True, True)
