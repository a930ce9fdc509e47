"""docs/requirements.md names, for each behaviour, a file and a test that exist."""

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest

from tests.docs.reading import ROOT

PAGE = ROOT / "docs" / "requirements.md"
COUNTS = {"S0": 72, "S1": 40, "S2": 23, "S3": 39}
_ROW = re.compile(r"^\| (S\d-\d+) \| (.*?) \| (.*?) ?\| (.*?) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    behaviour: str
    where: str
    shown_by: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return _TEST.findall(self.shown_by)


def requirements() -> list[Requirement]:
    return [Requirement(*row) for row in _ROW.findall(PAGE.read_text())]


@cache
def defined_in(file: str) -> set[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_requirement_has_its_row() -> None:
    wanted = [f"{source}-{number}" for source, count in COUNTS.items() for number in range(1, count + 1)]
    assert [each.id for each in requirements()] == wanted


@pytest.mark.parametrize("requirement", requirements(), ids=lambda each: each.id)
def test_a_row_names_tests_that_exist_or_says_not_yet(requirement: Requirement) -> None:
    if requirement.shown_by == "Not yet":
        assert requirement.where == ""
        return
    assert requirement.where
    assert requirement.tests
    assert [test for file, test in requirement.tests if test not in defined_in(file)] == []
