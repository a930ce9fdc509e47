"""How everybody sees a page: bright and wide, dark and narrow, with a keyboard alone."""

from playwright.async_api import Locator, Page

from tests import axe

NARROW = 390
WIDE = 1280
LOOKS = (("light", WIDE), ("dark", NARROW))
MOST_TABS = 120
# Only what is wrong comes back: the whole result of a long page takes longer to hand over than to find.
RUN = "axe.run(document, {iframes: false, resultTypes: ['violations']}).then(found => found.violations)"

# What a person with a keyboard sees of where they are.
RING = "e => e === document.activeElement && getComputedStyle(e).outlineStyle !== 'none'"


async def flaws(page: Page) -> list[str]:
    """What axe finds, light and dark, wide and narrow, and whether somebody would have to scroll sideways."""
    found = []
    await page.evaluate(axe.script())
    for scheme, width in LOOKS:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        await page.set_viewport_size({"width": width, "height": 800})
        nodes = [(each["id"], node) for each in await page.evaluate(RUN) for node in each["nodes"]]
        found += [f"{page.url} {scheme} {width}: {name} {node['html']}" for name, node in nodes]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        found += [f"{page.url} is {wide} wide in {width}"] if wide > width else []
    await page.set_viewport_size({"width": WIDE, "height": 800})
    return found


async def tab_to(page: Page, target: Locator) -> None:
    """Walk there with the Tab key alone; whoever stands there sees a ring around it."""
    for _ in range(MOST_TABS):
        if await target.evaluate(RING):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{MOST_TABS} times Tab do not lead to {target}")


async def press(page: Page, name: str, role: str = "button") -> None:
    """Press a button, or follow a link, without a mouse."""
    await tab_to(page, page.get_by_role("link" if role == "link" else "button", name=name, exact=True))
    await page.keyboard.press("Enter")


async def write(page: Page, label: str, text: str) -> None:
    """Fill a field in without a mouse."""
    await tab_to(page, page.get_by_label(label, exact=True))
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type(text)
