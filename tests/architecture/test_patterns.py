"""Patterns mean the same on every Python from 3.11.0: before 3.11.5, a group repeated possessively matches nothing."""

import re
from pathlib import Path

import pytest

from tests.docs.reading import ROOT

PRODUCT = ("bot", "gatebell", "interactions", "renderers", "teams_manifest")
FILES = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
GROUP_KEPT = re.compile(r"""r[bf]?["'].*\)(?:[*+?]|\{[\d,]+\})\+""")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pattern_repeats_a_group_possessively(path: Path) -> None:
    assert GROUP_KEPT.findall(path.read_text()) == []
