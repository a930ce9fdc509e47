import pytest

from benchmarks.measure import Measure, percentile, table


@pytest.mark.parametrize(
    "measure, passed",
    [
        (Measure("p99", "ms", 25, most=25), True),
        (Measure("p99", "ms", 25.1, most=25), False),
        (Measure("p99", "ms", float("nan"), most=25), False),
        (Measure("rate", "/s", 250, least=250), True),
        (Measure("rate", "/s", 249, least=250), False),
        (Measure("rate", "/s", 50, 100, share=0.5), True),
        (Measure("rate", "/s", 49, 100, share=0.5), False),
        (Measure("told only", "ms", 1e9), True),
    ],
)
def test_a_missed_target_is_a_miss(measure: Measure, passed: bool) -> None:
    assert measure.passed is passed


@pytest.mark.parametrize(
    "values, share, expected", [(range(1, 101), 0.99, 100), (range(1, 1001), 0.99, 991), ([7.0], 0.99, 7.0)]
)
def test_a_percentile_leaves_its_share_below(values: range, share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_the_table_says_which_target_was_missed() -> None:
    rows = table([Measure("slow", "ms", 30, 10, most=25), Measure("quick", "ms", 1, most=25)]).splitlines()
    assert [row.split()[-1] for row in rows[1:]] == ["MISS", "pass"]
    assert "3.00" in rows[1]
