"""When a place may get its next message."""

from bot.channels.contract import Rate
from bot.dispatch.pacing import MemoryPacing, NoPacing, Pacing

ONE_A_SECOND = (Rate(1, 1.0),)


def book(pacing: Pacing, *, place: str = "slack:ana", now: float = 100.0, urgent: bool = False) -> float:
    return pacing.book(place, ONE_A_SECOND, now, urgent)


def test_the_first_goes_at_once_and_the_others_in_a_row() -> None:
    pacing = MemoryPacing()
    assert [book(pacing) for _ in range(4)] == [100.0, 101.0, 102.0, 103.0]


def test_places_do_not_wait_for_each_other() -> None:
    pacing = MemoryPacing()
    book(pacing)
    assert book(pacing, place="slack:ben") == 100.0


def test_every_documented_window_is_kept() -> None:
    pacing, rates = MemoryPacing(), (Rate(7, 1.0), Rate(8, 2.0))
    moments = [pacing.book("teams:ana", rates, 100.0, False) for _ in range(30)]
    for rate in rates:
        for start in moments:
            assert sum(start <= moment < start + rate.seconds for moment in moments) <= rate.count


def test_a_place_that_was_quiet_is_free_again() -> None:
    pacing = MemoryPacing()
    book(pacing)
    assert book(pacing, now=200.0) == 200.0


def test_an_urgent_one_does_not_queue_behind_the_others() -> None:
    pacing = MemoryPacing()
    for _ in range(10):
        book(pacing)
    assert book(pacing, urgent=True) == 100.0


def test_a_pause_that_the_platform_asked_for_holds_for_urgent_ones_too() -> None:
    pacing = MemoryPacing()
    pacing.block("slack:ana", 130.0)
    assert book(pacing, urgent=True) == 130.0
    assert book(pacing, place="slack:ben") == 100.0


def test_without_pacing_only_a_pause_is_kept() -> None:
    pacing = NoPacing()
    assert [book(pacing), book(pacing)] == [100.0, 100.0]
    pacing.block("slack:ana", 130.0)
    assert book(pacing) == 130.0
