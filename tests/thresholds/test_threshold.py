"""Which of several thresholds counts."""

import pytest

from bot.thresholds.threshold import Threshold, holding

EVERYBODY = Threshold("everybody", "", "", "1h", 100)
TOOL = Threshold("tool", "", "crm.read", "1h", 200)
USER = Threshold("user", "dana@example.com", "", "1h", 300)
BOTH = Threshold("both", "dana@example.com", "crm.read", "1h", 400)
DAY = Threshold("day", "", "", "24h", 1000)
OFF = Threshold("off", "eve@example.com", "crm.read", "1h", 1, on=False)
SET = (DAY, EVERYBODY, OFF, TOOL, BOTH, USER)


@pytest.mark.parametrize(
    "user, tool, window, expected",
    [
        ("dana@example.com", "crm.read", "1h", BOTH),
        ("dana@example.com", "crm.write", "1h", USER),
        ("ben@example.com", "crm.read", "1h", TOOL),
        ("ben@example.com", "crm.write", "1h", EVERYBODY),
        ("dana@example.com", "crm.read", "24h", DAY),
        (" Dana@Example.com ", "crm.read ", "1h", BOTH),
        ("dana@example.com", "CRM.read", "1h", USER),
        ("eve@example.com", "crm.read", "1h", TOOL),
    ],
)
def test_the_one_that_names_most_counts(user: str, tool: str, window: str, expected: Threshold) -> None:
    assert holding(SET, user, tool, window) == expected


def test_a_user_is_more_than_a_tool() -> None:
    assert holding((TOOL, USER), "dana@example.com", "crm.read", "1h") == USER


def test_where_none_fits_none_counts() -> None:
    assert holding((DAY, BOTH, OFF), "eve@example.com", "crm.read", "1h") is None


@pytest.mark.parametrize(
    "threshold, words",
    [
        (Threshold("", "", "", "24h", 12000), "12,000 per day set for everybody"),
        (USER, "300 per hour set for dana@example.com"),
        (TOOL, "200 per hour set for crm.read"),
        (BOTH, "400 per hour set for dana@example.com and crm.read"),
    ],
)
def test_it_says_for_whom_it_is_set(threshold: Threshold, words: str) -> None:
    assert threshold.words == words
