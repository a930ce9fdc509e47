"""Golden files: what a card looks like everywhere, kept beside the tests and reviewed like code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, Any], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files of tests/renderers anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares with the file of that name, or writes it under `pytest tests/renderers --update-golden`."""
    update = bool(request.config.getoption("--update-golden", default=False))

    def compare(name: str, shown: Any) -> None:
        file = GOLDEN / name
        text = shown if isinstance(shown, str) else json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"{file.name} is new: look at it after `pytest tests/renderers --update-golden`"
        assert text == file.read_text(encoding="utf-8")

    return compare
