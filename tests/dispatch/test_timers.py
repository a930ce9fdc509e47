"""Timers: each fires once, and one that fails keeps no other from firing."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import MovableClock
from bot.dispatch.timers import SET_ASIDE, Timers
from bot.store import Store, Tx


class Rung:
    """Timers over a store, and what they did."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        self.store, self.clock = store, clock
        self.did: list[str] = []
        self.fired: list[str] = []
        self.timers = Timers(store, clock, {"ring": self.ring, "break": self.fail}, self.told, self.queue_up)

    async def ring(self, tx: Tx, subject: str, at: datetime) -> None:
        self.did.append(subject)

    async def fail(self, tx: Tx, subject: str, at: datetime) -> None:
        raise ValueError(subject)

    async def queue_up(self, tx: Tx) -> None:
        return

    def told(self, kind: str, subject: str) -> None:
        self.fired.append(subject)

    async def put(self, kind: str, subject: str, after: float = 0) -> None:
        due = (self.clock.now() + timedelta(seconds=after)).timestamp()
        row = {"id": f"{kind}-{subject}", "kind": kind, "subject": subject, "due": due}
        sql = "INSERT INTO timer (id, kind, subject, due_at) VALUES (:id, :kind, :subject, :due)"
        await self.store.write(lambda tx: tx.run(sql, row))

    async def left(self) -> list[str]:
        rows = await self.store.read(lambda tx: tx.rows("SELECT subject FROM timer ORDER BY subject"))
        return [row["subject"] for row in rows]


@pytest.fixture
def rung(store: Store) -> Rung:
    return Rung(store, MovableClock())


async def test_each_fires_once_when_it_is_due(rung: Rung) -> None:
    await rung.put("ring", "now")
    await rung.put("ring", "later", after=60)
    await rung.timers.fire_due()
    await rung.timers.fire_due()
    assert rung.did == rung.fired == ["now"]
    rung.clock.forward(61)
    await rung.timers.fire_due()
    assert rung.did == ["now", "later"]


async def test_one_that_fails_is_set_aside_and_the_others_fire(rung: Rung) -> None:
    await rung.put("break", "poison", after=-10)
    await rung.put("ring", "well")
    await rung.timers.fire_due()
    assert rung.fired == ["well"]
    assert await rung.left() == ["poison"]
    assert not await rung.store.read(lambda tx: tx.rows("SELECT 1 FROM timer WHERE due_at <= :at", {"at": _soon()}))


def _soon() -> float:
    return datetime.now(UTC).timestamp() + SET_ASIDE / 2


async def test_a_kind_of_a_newer_version_is_left_for_it(rung: Rung) -> None:
    await rung.put("reminder", "of next year")
    await rung.timers.fire_due()
    assert await rung.left() == ["of next year"]


async def test_more_than_one_handful_at_once_all_fire(rung: Rung) -> None:
    for number in range(120):
        await rung.put("ring", f"{number:03}")
    while await rung.timers.fire_due():
        pass
    assert len(set(rung.did)) == len(rung.did) == 120
