import pytest

from bot.audit.ledger import Ledger
from bot.channels.contract import Person
from bot.directory import Directory
from bot.operators import Operators
from bot.store import Store
from interactions.model import Role
from tests.operators.conftest import Clock


class Named:
    """ALERT_RECIPIENT_EMAIL."""

    email = ""

    def __call__(self) -> str:
        return self.email


@pytest.fixture
def named() -> Named:
    return Named()


@pytest.fixture
def operators(store: Store, ledger: Ledger, clock: Clock) -> Operators:
    return Operators(store, ledger, clock)


@pytest.fixture
def directory(store: Store, ledger: Ledger, clock: Clock, named: Named) -> Directory:
    return Directory(store, ledger, clock, named)


async def test_without_anybody_there_is_no_recipient(directory: Directory) -> None:
    assert await directory.recipient() is None


async def test_the_first_admin_is_told_where_nobody_is_named(directory: Directory, operators: Operators) -> None:
    await operators.add("ben@example.com", by="cli")
    ana = await operators.add("ana@example.com", role=Role.ADMIN, by="cli")
    recipient = await directory.recipient()
    assert recipient is not None
    assert recipient.id == ana.id


async def test_whom_the_settings_name_becomes_an_operator_once(
    directory: Directory, operators: Operators, named: Named, clock: Clock
) -> None:
    named.email = "Ana@example.com"
    first = await directory.recipient()
    clock.forward(60)
    assert await directory.recipient() == first
    assert [(each.email, each.role) for each in await operators.everybody()] == [("ana@example.com", Role.OPERATOR)]


async def test_someone_removed_is_not_told_even_if_the_settings_name_them(
    directory: Directory, operators: Operators, named: Named
) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    await operators.remove(ana.id, by="cli")
    ben = await operators.add("ben@example.com", role=Role.ADMIN, by="cli")
    named.email = "ana@example.com"
    recipient = await directory.recipient()
    assert recipient is not None
    assert recipient.id == ben.id


async def test_someone_removed_is_nobody_at_the_very_next_click(directory: Directory, operators: Operators) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    person = Person("slack", "U1", email="ana@example.com")
    assert await directory.by_person(person) is not None
    await operators.remove(ana.id, by="cli")
    assert await directory.by_person(person) is None
    assert await directory.find(ana.id) is None


async def test_someone_removed_gets_no_copy_seconds_later(
    directory: Directory, operators: Operators, clock: Clock
) -> None:
    ana = await operators.add("ana@example.com", by="cli")
    assert await directory.reader(ana.id) is not None
    await operators.remove(ana.id, by="cli")
    clock.forward(2)
    assert await directory.reader(ana.id) is None
