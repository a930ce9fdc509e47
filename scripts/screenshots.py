"""Starts the demo, plays a scenario in both colour schemes and takes its pictures."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts import chromium
from scripts.png import repack

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LARGEST = 300 * 1024  # bytes: more would make the README slow
SIZE: ViewportSize = {"width": 1400, "height": 1000}


def main() -> int:
    path = chromium.find()
    if path is None:
        print("There is no Chromium on this machine: scripts/setup --tests says what was tried", file=sys.stderr)
        return 1
    DOCS.mkdir(exist_ok=True)
    with running_demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        page = opened(browser, address)
        approve(page)
        pictures = [taken(page, scheme) for scheme in ("light", "dark")]
        browser.close()
    too_large = [picture.name for picture in pictures if picture.stat().st_size > LARGEST]
    if too_large:
        print(f"larger than {LARGEST // 1024} KB: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


@contextmanager
def running_demo() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None, "it was asked for"
        said = process.stdout.readline()
        found = re.search(r"http://\S+[^/\s]", said)
        if found is None:
            raise SystemExit(f"the demo did not start: {said}")
        yield found.group()
    finally:
        process.terminate()
        process.wait(20)


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce", timezone_id="UTC")
    page.goto(address)
    page.locator('#server[data-state="running"]').wait_for()
    return page


def approve(page: Page) -> None:
    page.get_by_role("button", name="A destructive action was blocked").click()
    page.locator("#slack-feed").get_by_role("button", name="Approve").click()
    page.locator("#mail-list .mail-item").nth(1).wait_for()
    page.frame_locator(".mail-frame").get_by_text("✅ Approved by Ana Lima").wait_for()
    page.locator("#log").get_by_text("1,284 files are gone").wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)


def taken(page: Page, scheme: str) -> Path:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.wait_for_timeout(500)
    picture = DOCS / f"demo-{scheme}.png"
    page.screenshot(path=picture, full_page=True)
    repack(picture)
    return picture


if __name__ == "__main__":
    sys.exit(main())
