import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.audit.ledger import Ledger
from bot.channels.contract import Person
from bot.dispatch.notice import Conflict, Unfit, Unknown
from bot.operators import Operators, recognise
from bot.signing import derive
from bot.store import Store, open_store
from interactions.model import Role
from tests.operators.conftest import Clock


@pytest.fixture
def operators(store: Store, ledger: Ledger, clock: Clock) -> Operators:
    return Operators(store, ledger, clock)


async def test_an_address_is_found_whatever_its_case(operators: Operators) -> None:
    ana = await operators.add(" Ana@Example.com", "Ana", Role.ADMIN, by="cli")
    found = await operators.by_email("ana@EXAMPLE.com")
    assert found is not None
    assert (found.id, found.name, found.email, found.role) == (ana.id, "Ana", "ana@example.com", Role.ADMIN)


@pytest.mark.parametrize("email", ["", "ana", "ana@", "@example.com", "a@b\r\nBcc: c@d", "a b@c", "a@b,c@d", "<a@b>"])
async def test_what_is_no_address_is_refused(operators: Operators, email: str) -> None:
    with pytest.raises(Unfit):
        await operators.add(email, by="cli")


async def test_the_same_person_twice_is_a_conflict(operators: Operators) -> None:
    await operators.add("ana@example.com", by="cli")
    with pytest.raises(Conflict):
        await operators.add("ANA@example.com", by="cli")


async def test_someone_removed_is_no_longer_active_but_keeps_a_name(operators: Operators) -> None:
    ana = await operators.add("ana@example.com", "Ana", by="cli")
    await operators.remove(ana.id, by="cli")
    found = await operators.by_id(ana.id)
    assert found is not None
    assert (found.name, found.active) == ("Ana", False)
    assert await operators.everybody() == []


async def test_the_last_admin_stays_one(operators: Operators) -> None:
    ana = await operators.add("ana@example.com", "Ana", Role.ADMIN, by="cli")
    await operators.add("ben@example.com", "Ben", by="cli")
    with pytest.raises(Conflict):
        await operators.remove(ana.id, by="cli")
    with pytest.raises(Conflict):
        await operators.change(ana.id, role=Role.OPERATOR, by="cli")
    assert (await operators.get(ana.id)).role is Role.ADMIN


@pytest.fixture
async def replicas(database: str, store: Store, clock: Clock) -> AsyncIterator[list[Operators]]:
    """Two that share a database."""
    stores = [open_store(database) for _ in range(2)]
    for each in stores:
        await each.start()
    yield [Operators(each, Ledger(each, derive("a secret of sixteen", "audit")), clock) for each in stores]
    for each in stores:
        await each.stop()


async def test_of_two_admins_who_leave_at_once_one_stays(operators: Operators, replicas: list[Operators]) -> None:
    one = await operators.add("ana@example.com", role=Role.ADMIN, by="cli")
    for number in range(5):
        other = await operators.add(f"next{number}@example.com", role=Role.ADMIN, by="cli")
        leaving = zip(replicas, (one, other), strict=True)
        left = await asyncio.gather(*(by.remove(who.id, by="cli") for by, who in leaving), return_exceptions=True)
        assert [type(each) for each in left if each] == [Conflict]
        (one,) = await operators.everybody()


async def test_whoever_is_added_at_two_replicas_at_once_is_added_once(replicas: list[Operators]) -> None:
    for number in range(20):
        adding = (each.add(f"new{number}@example.com", by="cli") for each in replicas * 4)
        added = await asyncio.gather(*adding, return_exceptions=True)
        assert sorted(type(each).__name__ for each in added) == [*["Conflict"] * 7, "Operator"]


async def test_someone_removed_can_come_back_as_the_same_person(operators: Operators) -> None:
    ana = await operators.add("ana@example.com", "Ana", by="cli")
    await operators.remove(ana.id, by="cli")
    again = await operators.add("ana@example.com", "Ana B.", Role.VIEWER, by="cli")
    assert (again.id, again.name, again.role, again.active) == (ana.id, "Ana B.", Role.VIEWER, True)


async def test_a_verified_address_is_recognised_and_its_account_remembered(
    operators: Operators, store: Store, clock: Clock
) -> None:
    ana = await operators.add("ana@example.com", "Ana", by="cli")
    await store.write(lambda tx: recognise(tx, Person("slack", "U1", email="Ana@example.com"), clock()))
    known = await operators.by_identity("slack", "U1")
    assert known is not None
    assert known.id == ana.id
    assert (await operators.reader(known)).identities == {"slack": "U1"}


async def test_a_stranger_is_nobody(operators: Operators, store: Store, clock: Clock) -> None:
    await operators.add("ana@example.com", by="cli")
    cleo = Person("slack", "U9", email="cleo@example.com")
    assert await store.write(lambda tx: recognise(tx, cleo, clock())) is None


async def test_an_account_of_someone_removed_stays_theirs(operators: Operators, store: Store, clock: Clock) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    await operators.link(ana.id, "slack", "U1", by="cli")
    await operators.remove(ana.id, by="cli")
    found = await store.write(lambda tx: recognise(tx, Person("slack", "U1"), clock()))
    assert found is not None
    assert not found.active


async def test_someone_removed_gets_no_new_account(operators: Operators, store: Store, clock: Clock) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    await operators.remove(ana.id, by="cli")
    await store.write(lambda tx: recognise(tx, Person("slack", "U1", email="ana@example.com"), clock()))
    assert await operators.by_identity("slack", "U1") is None


async def test_the_first_admin_is_the_one_who_was_there_first(operators: Operators, clock: Clock) -> None:
    await operators.add("ben@example.com", by="cli")
    ana = await operators.add("ana@example.com", role=Role.ADMIN, by="cli")
    clock.forward(10)
    await operators.add("dan@example.com", role=Role.ADMIN, by="cli")
    first = await operators.first_admin()
    assert first is not None
    assert first.id == ana.id


async def test_removing_nobody_is_unknown(operators: Operators) -> None:
    with pytest.raises(Unknown):
        await operators.remove("nobody", by="cli")


async def test_every_change_of_people_is_audited(operators: Operators, ledger: Ledger) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    await operators.change(ana.id, role=Role.VIEWER, by="cli")
    await operators.remove(ana.id, by="operator:b")
    entries = await ledger.list()
    assert [(each.action, each.subject, each.actor) for each in reversed(entries)] == [
        ("operator.added", "ana@example.com", "cli"),
        ("operator.changed", "ana@example.com", "cli"),
        ("operator.removed", "ana@example.com", "operator:b"),
    ]
