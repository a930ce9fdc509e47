import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from aiohttp import web

from gatebell import (
    AsyncGatebell,
    Changed,
    Denied,
    Expired,
    Gatebell,
    GatebellError,
    Rejected,
    Undeliverable,
    Unreachable,
    Withdrawn,
)
from tests.api.conftest import Api
from tests.client.conftest import Flaky, closed_port

T = TypeVar("T")
DAY = 86400.0


async def blocking(call: Callable[[], T]) -> T:
    """What the blocking client does, beside the server's event loop."""
    return await asyncio.to_thread(call)


async def newest(api: Api) -> dict[str, Any]:
    """The question that was asked last, as soon as there is one."""
    for _ in range(200):
        listed = (await (await api.call("GET", "/api/v1/interactions?status=pending")).json())["items"]
        if listed:
            found: dict[str, Any] = listed[0]
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError("nothing was asked")


async def payload(api: Api, asked: dict[str, Any]) -> str:
    row = await api.product.store.read(
        lambda tx: tx.row("SELECT payload FROM interaction WHERE id = :id", {"id": asked["id"]})
    )
    assert row is not None
    return str(row["payload"])


async def test_an_event_is_reported(gate: Gatebell) -> None:
    told = await blocking(lambda: gate.event("backup.failed", "No backup", severity="high", context={"n": 1}))
    again = await blocking(lambda: gate.event("backup.failed", "No backup", severity="high", context={"n": 1}))
    assert (told.result, again.result) == ("accepted", "deduplicated")


async def test_a_wrong_field_is_told_with_its_mend(gate: Gatebell) -> None:
    with pytest.raises(Rejected, match=r"severity: .* Send one of") as caught:
        await blocking(lambda: gate.event("a", "b", severity="loud"))
    assert (caught.value.status, caught.value.errors[0].field) == (422, "severity")


async def test_a_function_runs_once_a_person_has_said_yes(api: Api, gate: Gatebell) -> None:
    ran: list[list[str]] = []

    @gate.requires_approval(to="ana@example.com")
    def delete_files(paths: list[str], force: bool = False) -> int:
        """Delete files for good."""
        ran.append(paths)
        return len(paths)

    running = asyncio.create_task(blocking(lambda: delete_files(["/a", "/b"])))
    asked = await newest(api)
    assert ran == []
    assert '"arguments": {"paths": ["/a", "/b"], "force": false}' in await payload(api, asked)
    await api.decide(asked, "execute")
    assert (await running, ran) == (2, [["/a", "/b"]])


async def test_a_coroutine_runs_once_a_person_has_said_yes(api: Api, gate_async: AsyncGatebell) -> None:
    @gate_async.requires_approval(to="ana@example.com")
    async def delete(path: str) -> str:
        return f"{path} is gone"

    running = asyncio.create_task(delete("/a"))
    await api.decide(await newest(api), "execute")
    assert await running == "/a is gone"


async def test_a_coroutine_may_wait_on_the_blocking_client_too(api: Api, gate: Gatebell) -> None:
    @gate.requires_approval(to="ana@example.com")
    async def delete(path: str) -> str:
        return f"{path} is gone"

    running = asyncio.create_task(delete("/a"))
    await api.decide(await newest(api), "execute")
    assert await running == "/a is gone"


async def test_a_function_may_want_two_people_and_a_reason(api: Api, gate_async: AsyncGatebell) -> None:
    ran: list[str] = []

    @gate_async.requires_approval(to=["ana@example.com", "ben@example.com"], approvals=2, reason="required_on_denial")
    async def delete(path: str) -> None:
        ran.append(path)

    running = asyncio.create_task(delete("/a"))
    asked = await newest(api)
    assert (await api.decide(asked, "cancel")).status == 422, "a no wants its reason"
    await api.decide(asked, "execute")
    await asyncio.sleep(0.1)
    assert ran == []
    await api.decide(asked, "execute", "ben")
    await running
    assert ran == ["/a"]


async def test_a_yes_is_used_up_before_the_function_runs(api: Api, gate_async: AsyncGatebell) -> None:
    @gate_async.requires_approval(to="ana@example.com")
    async def delete() -> bool:
        found = await (await api.call("GET", f"/api/v1/interactions/{asked['id']}")).json()
        return bool(found["consumed"])

    running = asyncio.create_task(delete())
    asked = await newest(api)
    await api.decide(asked, "execute")
    assert await running


async def test_after_a_no_nothing_runs(api: Api, gate_async: AsyncGatebell) -> None:
    ran = False

    @gate_async.requires_approval(to="ana@example.com")
    async def delete() -> None:
        nonlocal ran
        ran = True

    running = asyncio.create_task(delete())
    await api.decide(await newest(api), "cancel")
    with pytest.raises(Denied, match="Ana said no"):
        await running
    assert not ran


async def test_arguments_that_change_while_a_person_looks_are_not_used(api: Api, gate_async: AsyncGatebell) -> None:
    @gate_async.requires_approval(to="ana@example.com")
    async def delete(paths: list[str]) -> None:
        raise AssertionError("it ran")

    paths = ["/a"]
    running = asyncio.create_task(delete(paths))
    asked = await newest(api)
    paths.append("/etc")
    await api.decide(asked, "execute")
    with pytest.raises(Changed):
        await running


async def test_nobody_answers_in_time(api: Api, gate_async: AsyncGatebell) -> None:
    running = asyncio.create_task(
        gate_async.approve("drive.delete", {"path": "/a"}, to="ana@example.com", expires_in=0.3)
    )
    with pytest.raises(Expired):
        await _with_worker(api, running)


async def test_a_question_that_is_withdrawn_says_so(api: Api, gate_async: AsyncGatebell) -> None:
    running = asyncio.create_task(gate_async.approve("drive.delete", to="ana@example.com"))
    await gate_async.withdraw((await newest(api))["id"], "not needed")
    with pytest.raises(Withdrawn, match="not needed"):
        await running


async def test_nobody_can_be_reached(api: Api, gate_async: AsyncGatebell) -> None:
    running = asyncio.create_task(gate_async.approve("drive.delete", to="ana@example.com", expires_in=7 * DAY))
    await newest(api)
    await api.call("POST", "/testing/clock", None, json={"advance": DAY + 1})
    with pytest.raises(Undeliverable, match="Nobody could be reached: "):
        await _with_worker(api, running)


async def test_an_approval_counts_once(api: Api, gate_async: AsyncGatebell) -> None:
    running = asyncio.create_task(gate_async.approve("drive.delete", to="ana@example.com"))
    await api.decide(await newest(api), "execute")
    approved = await running
    await gate_async.consume(approved)
    with pytest.raises(Rejected) as caught:
        await gate_async.consume(approved)
    assert caught.value.status == 409


@pytest.mark.parametrize(
    "choices, taken, expected",
    [(["Staging", "Prod: EU"], "2", "Prod: EU"), ({"st": "Staging", "eu": "Prod"}, "eu", "eu")],
)
async def test_a_person_chooses(
    api: Api, gate_async: AsyncGatebell, choices: list[str] | dict[str, str], taken: str, expected: str
) -> None:
    running = asyncio.create_task(gate_async.choose("Where?", choices, to="ana@example.com"))
    await api.decide(await newest(api), taken)
    assert await running == expected


async def test_a_wait_that_is_over_gives_the_question_as_it_stands(gate_async: AsyncGatebell) -> None:
    asked = await gate_async.ask(
        "clarification", {"question": "?", "choices": [{"id": "a", "label": "A"}]}, to="ana@example.com"
    )
    assert (await gate_async.wait(asked, 0.2)).status == "pending"


async def test_a_request_that_is_not_answered_is_sent_again_with_the_same_key(flaky: Flaky) -> None:
    made = {"id": "i", "kind": "k", "status": "pending", "digest": "d", "url": "u"}
    flaky.answers = [None, web.Response(status=503), web.json_response(made, status=201)]
    async with AsyncGatebell(f"http://127.0.0.1:{flaky.port}", "gb_x") as gate:
        await gate.ask("k", {})
    assert len(flaky.asked) == 3
    keys = [body["idempotency_key"] for _, _, body in flaky.asked if isinstance(body, dict)]
    assert (len(keys), len(set(keys))) == (3, 1)


async def test_a_wait_survives_a_restart_of_the_server(flaky: Flaky) -> None:
    pending = {"id": "i", "kind": "k", "status": "pending", "digest": "d", "url": "u"}
    flaky.answers = [
        web.json_response(pending),
        None,
        web.Response(status=502),
        web.json_response(pending | {"status": "expired"}),
    ]
    async with AsyncGatebell(f"http://127.0.0.1:{flaky.port}", "gb_x", patience=0.1) as gate:
        assert (await gate.wait("i")).status == "expired"


async def test_a_wait_for_a_while_ends_although_the_server_is_away() -> None:
    async with AsyncGatebell(f"http://127.0.0.1:{closed_port()}", "gb_x", patience=0.5) as gate:
        with pytest.raises(Unreachable, match="could not be reached"):
            await asyncio.wait_for(gate.wait("i", seconds=0.1), 5)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(text="<title>Sign in</title>", content_type="text/html"),
        lambda: web.Response(status=302, headers={"Location": "/login"}),
    ],
    ids=["page", "redirect"],
)
async def test_another_server_is_not_taken_for_gatebell(flaky: Flaky, answer: Callable[[], web.Response]) -> None:
    flaky.answers = [answer()]
    async with AsyncGatebell(f"http://127.0.0.1:{flaky.port}", "gb_x") as gate:
        with pytest.raises(Rejected, match="not Gatebell: see GATEBELL_URL"):
            await gate.event("a", "b")


async def test_an_approval_that_may_be_used_up_is_not_used(flaky: Flaky, gate_async: AsyncGatebell) -> None:
    asked = await gate_async.ask(
        "clarification", {"question": "?", "choices": [{"id": "a", "label": "A"}]}, to="ana@example.com"
    )
    flaky.answers = [None]
    async with AsyncGatebell(f"http://127.0.0.1:{flaky.port}", "gb_x") as gate:
        with pytest.raises(Unreachable, match="unclear"):
            await gate.consume(asked)
    assert len(flaky.asked) == 1


async def test_a_server_that_is_away_is_said_when_patience_is_over() -> None:
    async with AsyncGatebell(f"http://127.0.0.1:{closed_port()}", "gb_x", patience=0.5) as gate:
        with pytest.raises(Unreachable, match="could not be reached"):
            await gate.event("a", "b")


def test_without_a_key_it_says_how_to_get_one() -> None:
    with pytest.raises(GatebellError, match="gatebell key create"):
        Gatebell("http://127.0.0.1:1", "")


def test_an_address_without_its_scheme_is_refused_at_once() -> None:
    with pytest.raises(GatebellError, match="begins with http:// or https://"):
        Gatebell("gatebell.example.com", "gb_x")


def test_a_key_that_was_not_copied_whole_is_refused_at_once() -> None:
    with pytest.raises(GatebellError, match="not copied whole"):
        Gatebell("http://127.0.0.1:1", "gb_…")


def test_a_key_is_not_shown() -> None:
    assert "gb_secret" not in repr(Gatebell("http://127.0.0.1:1", "gb_secret"))


async def _with_worker(api: Api, waiting: asyncio.Task[T]) -> T:
    """Let the product work on timers while somebody waits."""
    working = asyncio.create_task(api.product.dispatcher.run())
    try:
        return await asyncio.wait_for(waiting, 10)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
