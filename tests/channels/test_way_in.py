"""What an edge notes of the calls that come in, and how often."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from bot.channels.contract import Edge
from bot.channels.way_in import Doubt, Heard, WayIn, heard
from tests.channels.slack.world import Shelf, WritingDesk, WritingTalk

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
WRONG = Doubt("the secret is wrong", "Copy it again.")


def nothing(*_: object) -> NoReturn:
    raise AssertionError("nobody is called")


@dataclass
class Door:
    """One edge whose time a test moves; what it writes is written at once."""

    shelf: Shelf = field(default_factory=Shelf)
    at: datetime = START
    written: int = 0
    desk: WritingDesk = field(default_factory=WritingDesk)
    asked: int = 0

    def way_in(self) -> WayIn:
        return WayIn(
            Edge(
                http=nothing, guarded=nothing, desk=self.desk, talk=WritingTalk(), memory=self.shelf,
                now=lambda: self.at, once=self._once, seen=nothing, remember=nothing, spawn=self._written,
                base_url="https://gate.example", secrets=(),
            )
        )  # fmt: skip

    async def _once(self, key: str, seconds: float) -> bool:
        self.asked += 1
        return True

    def _written(self, work: Coroutine[None, None, None]) -> None:
        """The shelf never waits, so that the work ends where it begins."""
        self.written += 1
        with pytest.raises(StopIteration):
            work.send(None)

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def heard(self) -> Heard:
        return asyncio.run(heard(self.shelf))


def test_where_nothing_came_in_nothing_is_known() -> None:
    assert Door().heard() == Heard()


def test_the_first_call_and_the_first_click_are_noted_at_once() -> None:
    door = Door()
    way_in = door.way_in()
    way_in.took()
    door.later(1)
    way_in.took(click=True)
    assert (door.heard().called_at, door.heard().clicked_at) == (START.timestamp(), START.timestamp() + 1)


def test_a_busy_day_costs_two_notes_a_minute() -> None:
    door = Door()
    way_in = door.way_in()
    for _ in range(1199):
        way_in.took(click=True)
        door.later(0.1)
    assert door.written == 4


def test_doubts_are_counted_with_their_beginning() -> None:
    door = Door()
    way_in = door.way_in()
    for _ in range(3):
        way_in.refused(WRONG)
        door.later(10)
    found = door.heard()
    assert (found.doubt, found.doubts, found.doubted_since) == (WRONG, 3, START.timestamp())
    assert found.in_doubt


def test_a_flood_of_doubts_costs_a_note_a_second_and_the_next_takes_the_rest_along() -> None:
    door = Door()
    way_in = door.way_in()
    for _ in range(101):
        way_in.refused(WRONG)
        door.later(0.0625)
    door.later(1)
    way_in.refused(WRONG)
    assert (door.written, door.heard().doubts) == (8, 102)


def test_a_call_that_holds_ends_the_doubt_at_once() -> None:
    door = Door()
    way_in = door.way_in()
    way_in.took()
    door.later(5)
    way_in.refused(WRONG)
    door.later(5)
    way_in.took()
    assert not door.heard().in_doubt


def test_a_doubt_after_it_begins_a_new_count() -> None:
    door = Door()
    way_in = door.way_in()
    way_in.refused(WRONG)
    door.later(5)
    way_in.took()
    door.later(5)
    way_in.refused(WRONG)
    assert (door.heard().doubts, door.heard().doubted_since) == (1, START.timestamp() + 10)


def test_another_replica_goes_on_counting() -> None:
    door = Door()
    for _ in range(2):
        door.way_in().refused(WRONG)
        door.later(5)
    assert door.heard().doubts == 2


def test_a_flood_of_forged_calls_is_written_down_once_a_minute_and_asks_nobody_in_between() -> None:
    door = Door()
    way_in = door.way_in()
    for _ in range(1000):
        way_in.forged("slack", "a request without a valid signature")
    door.later(61)
    way_in.forged("slack", "a request without a valid signature")
    assert (door.asked, len(door.desk.refusals)) == (2, 2)


def test_every_kind_of_forgery_is_written_down() -> None:
    door = Door()
    way_in = door.way_in()
    for why in ("no token", "a malformed token", "no token"):
        way_in.forged("teams", why)
    assert [why for _, why, _ in door.desk.refusals] == ["no token", "a malformed token"]
