"""An approval is used once, for exactly what was shown; asking twice is asking once; waiting ends with the answer."""

import asyncio
import time
from datetime import datetime

import pytest

from bot.keys import Scope
from tests.stories.hands import press
from tests.stories.world import ANA, BEN, Answered, World


async def approved(world: World, label: str = "Approve") -> Answered:
    asked = await world.ask_blocked([ANA], expires_in=60)
    await press(world, "slack", label)
    await world.end_of(asked["id"])
    return asked


async def use(world: World, asked: Answered, digest: str = "", key: str | None = None) -> Answered:
    body = {"digest": digest or asked["digest"]}
    return await world.call("POST", f"/api/v1/interactions/{asked['id']}/consume", body, key=key)


# ---- using an approval -----------------------------------------------------------------------------------------------


async def test_an_approval_is_used_once(world: World) -> None:
    asked = await approved(world)
    first, second = await use(world, asked), await use(world, asked)
    assert (first.status, first["consumed"], second.status) == (200, True, 409)


@pytest.mark.parametrize("backend", ["sqlite", "postgres"], indirect=True)
async def test_twenty_uses_at_once_are_one(any_world: World) -> None:
    asked = await approved(any_world)
    used = await asyncio.gather(*(use(any_world, asked) for _ in range(20)))
    assert sorted(each.status for each in used) == [200] + [409] * 19


async def test_another_digest_is_refused_and_uses_nothing_up(world: World) -> None:
    asked = await approved(world)
    changed = "0" * 64
    assert (await use(world, asked, changed)).status == 422
    assert (await use(world, asked)).status == 200


async def test_the_beginning_of_the_digest_is_not_enough(world: World) -> None:
    asked = await approved(world)
    assert (await use(world, asked, asked["digest"][:16])).status == 422


async def test_what_was_denied_cannot_be_used(world: World) -> None:
    asked = await approved(world, "Keep blocked")
    used = await use(world, asked)
    assert (used.status, "Kept blocked by Ana" in used["detail"]) == (409, True)


async def test_what_nobody_has_answered_cannot_be_used(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    assert (await use(world, asked)).status == 409


async def test_what_expired_is_gone(world: World) -> None:
    asked = await world.ask_blocked([ANA], expires_in=60)
    await world.forward(seconds=61)
    await world.end_of(asked["id"])
    assert (await use(world, asked)).status == 410


async def test_what_was_withdrawn_cannot_be_used(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.withdraw(asked["id"])
    assert (await use(world, asked)).status == 409


async def test_one_of_two_approvals_cannot_be_used(world: World) -> None:
    asked = await world.ask_blocked(approvals=2)
    await press(world, "slack", "Approve")
    await world.shown_to_ana("1 of 2 approvals")
    assert (await use(world, asked)).status == 409


async def test_another_producer_cannot_use_it(world: World) -> None:
    asked = await approved(world)
    other = await world.key_for(Scope.INTERACTIONS_WRITE)
    assert (await use(world, asked, key=other)).status == 404
    assert (await use(world, asked)).status == 200


async def test_a_use_is_audited(world: World) -> None:
    asked = await approved(world)
    await use(world, asked)
    assert (await world.audit())[-1][0] == "interaction.consumed"


@pytest.mark.parametrize("digest", ["", "0" * 64], ids=["a second use", "another digest"])
async def test_a_use_that_is_refused_is_audited(world: World, digest: str) -> None:
    asked = await approved(world)
    if not digest:
        await use(world, asked)
    await use(world, asked, digest)
    assert (await world.audit())[-1][0] == "consume.refused"


async def test_the_digest_says_what_was_shown(world: World) -> None:
    """Whatever differs in what a person sees differs in the digest; who is asked, and how long, does not."""
    one = await world.ask_blocked([ANA])
    same = await world.ask_blocked(expires_in=60)
    payload = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": "/reports/2025.pdf"}}
    other = await world.ask("blocked_action", payload, [ANA])
    for_dana = await world.ask_blocked([ANA], requested_by={"email": "dana@example.com"})
    assert one["digest"] == same["digest"]
    assert len({one["digest"], other["digest"], for_dana["digest"]}) == 3


# ---- asking twice ----------------------------------------------------------------------------------------------------


async def test_the_same_key_and_body_give_the_same_request(world: World) -> None:
    one = await world.ask_blocked([ANA], idempotency_key="run-1")
    two = await world.ask_blocked([ANA], idempotency_key="run-1")
    assert (one.status, two.status, one["id"]) == (201, 200, two["id"])


async def test_the_same_key_and_another_body_are_a_conflict(world: World) -> None:
    await world.ask_blocked([ANA], idempotency_key="run-1")
    two = await world.ask_blocked([ANA], idempotency_key="run-1", approvals=1, expires_in=5)
    assert (two.status, two["errors"][0]["field"]) == (409, "idempotency_key")


@pytest.mark.parametrize("backend", ["sqlite", "postgres"], indirect=True)
async def test_ten_times_the_same_at_once_is_asked_once(any_world: World) -> None:
    world = any_world
    asked = await asyncio.gather(*(world.ask_blocked([ANA], idempotency_key="run-1") for _ in range(10)))
    assert len({each["id"] for each in asked}) == 1
    assert sorted(each.status for each in asked) == [200] * 9 + [201]
    await world.shown_to_ana("Keep blocked")
    await world.ask("clarification", {"question": "What next?", "choices": [{"id": "a", "label": "A"}]}, [ANA])
    await world.shown_to_ana("What next?")
    assert len(world.slack.dm(ANA).messages) == 2


async def test_the_key_may_come_as_a_header(world: World) -> None:
    body = {"kind": "blocked_action", "payload": {"agent": "A", "tool": "t"}, "audience": {"operators": [ANA]}}
    asked = [
        await world.call("POST", "/api/v1/interactions", body, headers={"Idempotency-Key": "run-1"}) for _ in range(2)
    ]
    assert asked[0]["id"] == asked[1]["id"]


async def test_another_producers_key_of_the_same_name_is_another_request(world: World) -> None:
    mine = await world.ask_blocked([ANA], idempotency_key="run-1")
    body = {"kind": "blocked_action", "payload": {"agent": "A", "tool": "t"}, "audience": {"operators": [ANA]}}
    other = await world.key_for(Scope.INTERACTIONS_WRITE)
    theirs = await world.call("POST", "/api/v1/interactions", {**body, "idempotency_key": "run-1"}, key=other)
    assert (theirs.status, theirs["id"] != mine["id"]) == (201, True)


async def test_after_the_decision_the_same_request_gives_the_decision(world: World) -> None:
    await world.ask_blocked([ANA], idempotency_key="run-1")
    await press(world, "slack", "Approve")
    await world.shown_to_ana("Approved by Ana")
    again = await world.ask_blocked([ANA], idempotency_key="run-1")
    assert (again["status"], again["decision"]["choice"]) == ("decided", "approve")


# ---- waiting ---------------------------------------------------------------------------------------------------------


async def test_a_wait_ends_with_the_decision_and_not_later(world: World) -> None:
    """The best of five, because machines are busy; whoever only looks again takes about half a second."""
    assert min([await gap_after_decision(world) for _ in range(5)]) < 0.2


async def gap_after_decision(world: World) -> float:
    asked = await world.ask_blocked([BEN])
    await world.teams.chat(BEN).wait_for(lambda chat: chat.labels)
    waiting = await beginning_to_wait(world, asked["id"])
    await world.click_in_teams("Approve")
    seen = await waiting
    return time.time() - datetime.fromisoformat(seen["decision"]["decided_at"]).timestamp()


async def beginning_to_wait(world: World, id_: str) -> asyncio.Task[Answered]:
    """Whoever came later and did not wait has been answered, so this one waits already."""
    waiting = asyncio.create_task(world.end_of(id_))
    await asyncio.sleep(0)
    await world.see(id_)
    return waiting


async def test_a_wait_that_is_over_says_pending(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    assert (await world.see(asked["id"], wait=0.1))["status"] == "pending"


async def test_many_may_wait_for_the_same_answer(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Approve")
    waiting = [await beginning_to_wait(world, asked["id"]) for _ in range(20)]
    await world.slack.dm(ANA).click("Approve")
    assert {each["status"] for each in await asyncio.gather(*waiting)} == {"decided"}


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "soon"])
async def test_a_wait_that_makes_no_sense_is_refused(world: World, wait: str) -> None:
    asked = await world.ask_blocked([ANA])
    assert (await world.call("GET", f"/api/v1/interactions/{asked['id']}", params={"wait": wait})).status == 422
