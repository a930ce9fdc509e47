"""The pages as their readers see them: blocks of code in order, links, headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?:\]\(|src=\"|srcset=\")([^)\"\s]+)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page. `language` says what a test does with it: sh and python run, json is compared."""

    page: str
    line: int
    language: str
    text: str


def pages() -> list[Path]:
    return [*(ROOT / name for name in PAGES), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [Block(page, text.count("\n", 0, each.start()) + 1, each[1], each[2]) for each in _FENCE.finditer(text)]


def links(path: Path) -> Iterator[str]:
    """Where a page leads to inside of the repository."""
    prose = _FENCE.sub("", path.read_text())
    yield from (link for link in _LINK.findall(prose) if not re.match(r"[a-z]+:", link))


def anchors(path: Path) -> set[str]:
    """What can stand behind # in a link to this page."""
    prose = _FENCE.sub("", path.read_text())
    return {_anchor(heading) for heading in _HEADING.findall(prose)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
