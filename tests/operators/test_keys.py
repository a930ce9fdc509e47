from collections.abc import Coroutine
from typing import Any

import pytest

from bot.audit.ledger import Ledger
from bot.dispatch.notice import Unfit, Unknown
from bot.keys import GUESSES, MOST_NOTED, NOTED_AT, NOTED_FOR, ApiKey, Keys, Scope
from bot.store import Store
from tests.operators.conftest import Clock


@pytest.fixture
def keys(store: Store, ledger: Ledger, clock: Clock) -> Keys:
    return Keys(store, ledger, clock)


async def test_a_new_key_opens_what_its_scopes_say(keys: Keys) -> None:
    new = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    found = await keys.verify(new.key)
    assert found is not None
    assert found.id == new.id
    assert found.allows(Scope.EVENTS_WRITE)
    assert not found.allows(Scope.INTERACTIONS_WRITE)


async def test_admin_is_every_scope(keys: Keys) -> None:
    new = await keys.create("root", [Scope.ADMIN], by="cli")
    found = await keys.verify(new.key)
    assert found is not None
    assert all(found.allows(scope) for scope in Scope)


@pytest.mark.parametrize("key", ["", "gb_", "gb_wrong", "xoxb-1", "gb_\udcff"])
async def test_a_wrong_key_is_nobody(keys: Keys, key: str) -> None:
    await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    assert await keys.verify(key) is None


async def test_a_revoked_key_is_nobody_at_once(keys: Keys) -> None:
    new = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    await keys.verify(new.key)
    await keys.revoke("monitor", by="cli")
    assert await keys.verify(new.key) is None


async def test_a_key_that_another_replica_revoked_is_nobody_seconds_later(
    keys: Keys, store: Store, ledger: Ledger, clock: Clock
) -> None:
    new = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    await keys.verify(new.key)
    await Keys(store, ledger, clock).revoke(new.id, by="cli")
    clock.forward(5)
    assert await keys.verify(new.key) is None


async def test_the_key_itself_is_nowhere_in_the_database(keys: Keys, store: Store) -> None:
    new = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    rows = await store.read(lambda tx: tx.rows("SELECT * FROM api_key"))
    audit = await store.read(lambda tx: tx.rows("SELECT * FROM audit"))
    assert new.key not in str([dict(row) for row in [*rows, *audit]])


async def test_its_last_use_is_written_down_at_most_once_a_minute(keys: Keys, clock: Clock) -> None:
    new = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    await keys.verify(new.key)
    first = clock().timestamp()
    clock.forward(30)
    await keys.verify(new.key)
    assert [key.last_used_at for key in await keys.list()] == [first]
    clock.forward(40)
    await keys.verify(new.key)
    assert [key.last_used_at for key in await keys.list()] == [first + 70]


async def test_a_name_that_two_keys_have_does_not_say_which_to_revoke(keys: Keys) -> None:
    await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    with pytest.raises(Unknown, match="2 keys"):
        await keys.revoke("monitor", by="cli")


async def test_a_key_that_is_named_like_the_id_of_another_does_not_shield_it(keys: Keys) -> None:
    wanted = await keys.create("monitor", [Scope.EVENTS_WRITE], by="cli")
    shield = await keys.create(wanted.id, [Scope.EVENTS_WRITE], by="cli")
    assert (await keys.revoke(wanted.id, by="cli")).id == wanted.id
    assert (await keys.verify(wanted.key), await keys.verify(shield.key) is not None) == (None, True)


async def test_a_key_for_nobody_we_know_is_refused(keys: Keys) -> None:
    with pytest.raises(Unfit):
        await keys.create("robot", [Scope.INTERACTIONS_WRITE], by="cli", operator_id="nobody")


async def test_a_key_without_a_scope_is_refused(keys: Keys) -> None:
    with pytest.raises(Unfit, match="events:write"):
        await keys.create("idle", [], by="cli")


async def test_too_many_guesses_from_one_address_have_to_wait(keys: Keys, clock: Clock) -> None:
    waits = [keys.guessed("192.0.2.1") for _ in range(GUESSES + 1)]
    assert waits[:-1] == [None] * GUESSES
    assert waits[-1] == 60
    assert keys.guessed("192.0.2.2") is None
    clock.forward(60)
    assert keys.guessed("192.0.2.1") is None


class Beside:
    """Work that no request waits for, done when a test asks for it."""

    def __init__(self) -> None:
        self.work: list[Coroutine[Any, Any, None]] = []

    def __call__(self, work: Coroutine[Any, Any, None]) -> None:
        self.work.append(work)

    async def done(self) -> None:
        while self.work:
            await self.work.pop(0)


async def refusals(ledger: Ledger, action: str = "key.refused") -> list[str]:
    return [entry.subject for entry in await ledger.list(limit=1000) if entry.action == action]


@pytest.fixture
def beside() -> Beside:
    return Beside()


@pytest.fixture
def watched(store: Store, ledger: Ledger, clock: Clock, beside: Beside) -> Keys:
    return Keys(store, ledger, clock, beside)


async def test_repeated_wrong_keys_from_one_address_are_one_entry_an_hour(
    watched: Keys, ledger: Ledger, clock: Clock, beside: Beside
) -> None:
    for _ in range(10 * NOTED_AT):
        watched.guessed("192.0.2.1")
    await beside.done()
    assert await refusals(ledger) == ["192.0.2.1"]
    clock.forward(NOTED_FOR)
    for _ in range(NOTED_AT):
        watched.guessed("192.0.2.1")
    await beside.done()
    assert await refusals(ledger) == ["192.0.2.1"] * 2


async def test_a_slip_of_the_hand_is_no_entry(watched: Keys, ledger: Ledger, beside: Beside) -> None:
    for _ in range(NOTED_AT - 1):
        watched.guessed("192.0.2.1")
    await beside.done()
    assert await refusals(ledger) == []


async def test_whoever_guesses_from_many_addresses_fills_no_log(watched: Keys, ledger: Ledger, beside: Beside) -> None:
    for number in range(2 * MOST_NOTED * NOTED_AT):
        watched.guessed(f"2001:db8::{number // NOTED_AT:x}")
    await beside.done()
    assert len(await refusals(ledger)) == MOST_NOTED


async def test_a_key_that_lacks_the_scope_is_one_entry_an_hour_for_each_scope_and_address(
    watched: Keys, ledger: Ledger, clock: Clock, beside: Beside
) -> None:
    key = ApiKey("01K", "gateway", frozenset({Scope.METRICS}))
    for _ in range(3):
        for scope in (Scope.EVENTS_WRITE, Scope.INTERACTIONS_READ):
            watched.lacks(key, [scope], "192.0.2.1")
    watched.lacks(key, [Scope.EVENTS_WRITE], "192.0.2.2")
    await beside.done()
    assert await refusals(ledger, "call.refused") == ["192.0.2.2", "192.0.2.1", "192.0.2.1"]
    clock.forward(NOTED_FOR)
    watched.lacks(key, [Scope.EVENTS_WRITE], "192.0.2.1")
    await beside.done()
    newest = (await ledger.list(limit=1))[0]
    assert (newest.actor, newest.detail) == ("key:01K", {"why": "the key lacks the scope events:write"})


async def test_a_key_that_calls_from_many_addresses_fills_no_log_and_hides_no_guesser(
    watched: Keys, ledger: Ledger, beside: Beside
) -> None:
    key = ApiKey("01K", "gateway", frozenset({Scope.METRICS}), operator_id="01A")
    for number in range(2 * MOST_NOTED):
        watched.lacks(key, [Scope.ADMIN], f"2001:db8::{number:x}")
    for _ in range(NOTED_AT):
        watched.guessed("192.0.2.1")
    await beside.done()
    assert (len(await refusals(ledger, "call.refused")), await refusals(ledger)) == (MOST_NOTED, ["192.0.2.1"])
    assert (await ledger.list(limit=2))[1].actor == "operator:01A"
