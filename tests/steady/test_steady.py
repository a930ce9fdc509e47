import asyncio

import pytest

from bot.steady import forever
from bot.store import StoreUnavailable


class Round:
    """A loop of three seconds: each round goes as `goes` says, and after the last one it is over."""

    def __init__(self, *goes: Exception | None) -> None:
        self.goes = list(goes)
        self.slept: list[float] = []

    async def step(self) -> None:
        if failure := self.goes.pop(0):
            raise failure

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def run(self) -> list[float]:
        await forever("the story", self.step, 3.0, over=lambda: not self.goes, sleep=self.sleep)
        return self.slept


@pytest.mark.parametrize(
    "failure",
    [StoreUnavailable("away"), OSError("full"), ValueError("a defect"), ExceptionGroup("many", [ValueError()])],
    ids=repr,
)
async def test_a_step_that_fails_is_taken_again(failure: Exception) -> None:
    assert await Round(failure, None).run() == [1.0, 3.0]


async def test_a_step_that_goes_on_failing_is_taken_later_and_later() -> None:
    assert await Round(*[ValueError("a defect")] * 8).run() == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_after_a_step_that_went_well_a_failure_is_the_first_one_again() -> None:
    away = StoreUnavailable("away")
    assert await Round(away, away, None, away).run() == [1.0, 2.0, 3.0, 1.0]


async def test_what_went_wrong_is_in_the_log_and_a_defect_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    await Round(StoreUnavailable("away"), ValueError("a defect")).run()
    assert [(each.levelname, each.message, bool(each.exc_info)) for each in caplog.records] == [
        ("WARNING", "the story: away", False),
        ("ERROR", "the story: this failed and is tried again", True),
    ]


async def test_who_is_cancelled_ends() -> None:
    loop = asyncio.create_task(forever("the story", asyncio.Event().wait))
    await asyncio.sleep(0)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
