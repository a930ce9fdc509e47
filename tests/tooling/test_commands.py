"""The commands that everything begins with, without what they lead to: `make` says what it would run."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "target, run",
    [
        ("setup", ["scripts/setup"]),
        ("demo", ["scripts/setup", "exec .venv/bin/gatebell demo"]),
        ("serve", ["scripts/setup", "exec .venv/bin/gatebell serve"]),
        ("test", ["scripts/test"]),
    ],
)
def test_a_target_sets_up_what_it_needs_and_runs_it(target: str, run: list[str]) -> None:
    environ = {"PATH": os.environ["PATH"]}  # alone: also where these tests were begun by make
    asked = ["make", "--dry-run", target]
    told = subprocess.run(asked, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == run


def test_continuous_integration_runs_what_everybody_runs(tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "make $* in $PWD"\n')
    make.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    told = subprocess.run([ROOT / ".ci" / "run"], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert told.stdout == f"make test in {ROOT}\n"
