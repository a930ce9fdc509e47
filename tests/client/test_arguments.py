from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest

from gatebell.arguments import shown


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    tags: tuple[str, ...] = ()


def anything(*args: object, **kwargs: object) -> None: ...


@pytest.mark.parametrize(
    "value, seen",
    [
        (None, None),
        (True, True),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (0.5, 0.5),
        (Path("/a"), "/a"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 11, 21), "2026-11-21"),
        (Colour.RED, "red"),
        (Point(1, ("a",)), {"x": 1, "tags": ["a"]}),
        ({"b", "a"}, ["a", "b"]),
        ({"k": [1, {"n": None}]}, {"k": [1, {"n": None}]}),
    ],
)
def test_a_value_is_shown_as_it_is(value: object, seen: object) -> None:
    assert shown(anything, (value,), {}) == {"args": [seen], "kwargs": {}}


@pytest.mark.parametrize("value", [object(), b"raw", float("nan"), float("inf"), {1: "a"}, lambda: None, Point])
def test_what_cannot_be_shown_whole_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"args\[0\]"):
        shown(anything, (value,), {})


def test_defaults_are_shown_and_the_object_itself_is_not() -> None:
    class Drive:
        def delete(self, path: str, force: bool = False) -> None: ...

    assert shown(Drive.delete, (Drive(), "/a"), {}) == {"path": "/a", "force": False}
