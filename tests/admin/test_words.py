"""One word for one thing on every page, and one form of time."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.signed_in import Visiting, signed_in
from tests.stories.reach import at_rest
from tests.stories.world import ANA, World

TEMPLATES = Path(__file__).resolve().parents[2] / "bot/admin/templates"
CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"<code>.*?</code>|<[^>]+>", re.DOTALL)
TIME = re.compile(r"<time [^>]*>(.*?)</time>")
FORM = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC")
PLACES = ("/admin", "/admin/requests", "/admin/events", "/admin/deliveries", "/admin/audit", "/admin/me", "/admin/keys")


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


@pytest.mark.parametrize(
    "said, instead",
    [
        (r"(?<![\w-])[Mm]ails?\b(?! server)", "e-mail"),
        (r"\b[Mm]end(s|ed|ing)?\b", "fix"),
        (r"\bAsked by\b", "Requested by"),
    ],
)
def test_no_page_has_a_second_word_for_it(said: str, instead: str) -> None:
    words = {file.name: TAG.sub(" ", CODE.sub(" ", file.read_text())) for file in TEMPLATES.rglob("*.html")}
    assert [
        f"{name}: {found[0]}, not {instead}" for name, text in words.items() for found in re.finditer(said, text)
    ] == []


async def test_who_asked_is_called_so_everywhere(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA], requested_by={"agent": "billing-agent"})
    listed, shown = await ana.get("/admin/requests"), await ana.get(f"/admin/requests/{asked['id']}")
    assert "requested by billing-agent" in listed.words
    assert ("Requested by billing-agent" in shown.words, "Requested by key story" in shown.words) == (True, True)


async def test_every_time_has_one_form_with_its_zone(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA], expires_in=900)
    await world.tell("demo.event")
    await at_rest(world)
    times: dict[str, str] = {}
    for path in (*PLACES, f"/admin/requests/{asked['id']}"):
        times |= dict.fromkeys(TIME.findall((await ana.get(path)).html), path)
    assert len(times) > 0
    assert {said: path for said, path in times.items() if not FORM.fullmatch(said)} == {}
