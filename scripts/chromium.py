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
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("setup: installing Chromium from the distribution …", flush=True)
        attempt([*APT, "update"])
        attempt([*APT, "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"])
        if path := find():
            return path
    print("setup: installing Chromium with playwright …", flush=True)
    attempt([sys.executable, "-m", "playwright", "install", "chromium"])
    return find()


def attempt(command: Sequence[str]) -> None:
    """Of a command that fails, only the line that names the error is shown."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"setup: {error}")
        return
    if done.returncode != 0:
        said = (done.stderr or done.stdout).splitlines() or ["nothing was said"]
        print(f"setup: {next((line for line in said if line.startswith(('E:', 'Error'))), said[-1])}")


if __name__ == "__main__":
    sys.exit(find() is None and install() is None)
