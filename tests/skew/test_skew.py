import pytest

from bot.skew import ahead


@pytest.mark.parametrize(
    "before, at, after, expected",
    [
        (100.0, 100.1, 100.2, 0.0),
        (100.0, 84.0, 100.2, 16.0),
        (100.0, 116.2, 100.2, -16.0),
        (100.0, 104.0, 105.0, 0.0),  # a slow answer is no wrong clock
        (100.0, 99.0, 105.0, 1.0),
    ],
)
def test_what_lies_outside_of_asking_and_hearing_is_the_difference(
    before: float, at: float, after: float, expected: float
) -> None:
    assert ahead(before, at, after) == pytest.approx(expected)
