"""Finds a Chromium for the browser tests; run as a program, it also gets one where there is a way."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

APT = ["apt-get", "-q", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", "-o", "DPkg::Lock::Timeout=60"]


def find() -> Path | None:
    """The first Chromium that starts; a package that is only a pointer to a snap does not."""
    return next((path for path in candidates() if starts(path)), None)


def candidates() -> Iterator[Path]:
    yield from (Path(found) for name in NAMES if (found := shutil.which(name)))
    if ON_A_MAC.exists():
        yield ON_A_MAC
    if (own := playwrights_own()).exists():
        yield own


def playwrights_own() -> Path:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def starts(path: Path) -> bool:
    try:
        asked = subprocess.run([path, "--headless", *FLAGS, "--version"], capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def install() -> Path | None:
    """As root on Debian and Ubuntu from the distribution, elsewhere the build that playwright brings."""
    is_root = os.geteuid() == 0
    if is_root and shutil.which("apt-get"):
        print("setup: installing Chromium from the distribution …", flush=True)
        succeeds([*APT, "update"]) and succeeds([*APT, "install", "-y", "--no-install-recommends", "chromium"])
        if path := find():
            return path
    print("setup: installing Chromium with playwright …", flush=True)
    succeeds([sys.executable, "-m", "playwright", "install", *(["--with-deps"] if is_root else []), "chromium"])
    return find()


def succeeds(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"setup: {error}", file=sys.stderr)
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(find() is None and install() is None)
