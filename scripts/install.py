"""Brings packages, project and front-end files up to date, and does nothing where nothing changed."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
FRONTEND = ROOT / "bot" / "admin" / "frontend"
VENDOR = ROOT / "bot" / "admin" / "static" / "vendor"

RUN_LOCK = ROOT / "requirements.lock"
TEST_LOCK = ROOT / "requirements-dev.lock"
NODE_LOCK = ROOT / "requirements-node.lock"

OLDEST_NPM = 7  # the first that reads this package-lock.json


class SetupError(Exception):
    """A step of the set-up failed; the message says which and what mends it."""


def main() -> int:
    for_tests = "--tests" in sys.argv[1:]
    STAMPS.mkdir(exist_ok=True)
    try:
        with only_one_at_a_time():
            install_packages(for_tests)
            install_project()
            install_front_end(for_tests)
            if for_tests:
                report_browser()
    except SetupError as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


def install_packages(for_tests: bool) -> None:
    """The tests' lock holds everything that the other one holds, so it also serves a run."""
    wanted = [TEST_LOCK] if for_tests else [RUN_LOCK, TEST_LOCK]
    if stamp("packages") in [fingerprint(lock) for lock in wanted]:
        return
    with step(f"installing the packages of {wanted[0].name}"):
        pip_install("--no-deps", "--require-hashes", "--requirement", str(wanted[0]))
    put_stamp("packages", fingerprint(wanted[0]))


def install_project() -> None:
    current = fingerprint(ROOT / "pyproject.toml")
    if stamp("project") == current and (VENV / "bin" / "gatebell").exists():
        return
    with step("installing gatebell itself"):
        pip_install("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    put_stamp("project", current)


def install_front_end(for_tests: bool) -> None:
    manifest = FRONTEND / "package.json"
    current = fingerprint(manifest, FRONTEND / "package-lock.json")
    vendored: dict[str, str] = json.loads(manifest.read_text())["vendor"]
    wanted = [f"{current} with tests"] if for_tests else [current, f"{current} with tests"]
    if stamp("front-end") in wanted and all((VENDOR / name).exists() for name in vendored):
        return
    npm = find_npm() or install_npm()
    with step("installing the front-end files"):
        run([npm, "ci", *([] if for_tests else ["--omit=dev"])], "npm could not install the front-end files", FRONTEND)
        copy_vendored(vendored)
    put_stamp("front-end", wanted[0])


def copy_vendored(vendored: dict[str, str]) -> None:
    """The files that pages load, and beside them the licences under which they may be passed on."""
    modules = FRONTEND / "node_modules"
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, source in vendored.items():
        shutil.copyfile(modules / source, VENDOR / name)
        package = package_folder(modules, source)
        for text in [*package.glob("LICENSE*"), *package.glob("NOTICE*")]:
            shutil.copyfile(text, VENDOR / f"{package.name}.{text.stem}.txt")


def package_folder(modules: Path, source: str) -> Path:
    parts = Path(source).parts
    return modules.joinpath(*parts[: 2 if parts[0].startswith("@") else 1])


def find_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().split(".")[0]
    return npm if answer.returncode == 0 and major.isdecimal() and int(major) >= OLDEST_NPM else None


def install_npm() -> str:
    with step("installing node and npm into .venv, as this machine has none"):
        pip_install("--no-deps", "--require-hashes", "--requirement", str(NODE_LOCK))
    return str(VENV / "bin" / "npm")


def report_browser() -> None:
    """A missing browser is not a failed set-up: the tests that want one say why they are skipped."""
    if subprocess.run([sys.executable, str(ROOT / "scripts" / "chromium.py")], cwd=ROOT, check=False).returncode != 0:
        print("setup: the browser tests will be skipped, as no Chromium could be found or installed")


def pip_install(*arguments: str) -> None:
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        run([sys.executable, "-m", "ensurepip"], "this Python has no pip")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-input"]
    run([*pip, *arguments], "pip could not install what Gatebell needs")


def run(command: Sequence[str], complaint: str, folder: Path = ROOT) -> None:
    """What the command says is worth reading only where it fails."""
    path = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)])
    environ = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{done.stdout}{done.stderr}", file=sys.stderr)
        raise SetupError(f"{complaint}: `{' '.join(command)}` ended with {done.returncode}; its own words are above")


def fingerprint(*files: Path) -> str:
    """What the files say and which Python reads them: with either changed, the step is done again."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def stamp(name: str) -> str | None:
    file = STAMPS / name
    return file.read_text() if file.exists() else None


def put_stamp(name: str, value: str) -> None:
    (STAMPS / name).write_text(value)


@contextmanager
def step(what: str) -> Iterator[None]:
    print(f"setup: {what} …", flush=True)
    started = time.monotonic()
    yield
    print(f"setup: done in {time.monotonic() - started:.0f} s", flush=True)


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """`make demo` in one terminal and `make test` in another must not install over each other."""
    with (STAMPS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
