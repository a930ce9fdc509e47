"""What the pages show is what happens: their commands, calls and programs are run beside a whole installation."""

import json
import re
from collections.abc import AsyncIterator
from itertools import zip_longest
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from bot.cli.app import app
from docs.__main__ import EXAMPLES, untold
from tests.docs.conftest import SECRET
from tests.docs.reading import ROOT, Block, blocks, pages
from tests.docs.shell import Reader, has_curl, parsed, shape
from tests.stories.world import ANA, Platforms, World, installed

# Not the demo's page and the platforms' guides: what they show starts servers for ever, or needs a real workspace.
PLAYED = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("api", "conversations", "operating", "python")),
)
needs_curl = pytest.mark.skipif(not has_curl(), reason="no curl or no bash on this machine")


def answers(page: str) -> list[tuple[Block, Block | None]]:
    """Each block for a shell, and the answer that the page shows below it."""
    found = blocks(page)
    pairs = zip_longest(found, found[1:])
    return [
        (block, below if below and below.language == "json" else None)
        for block, below in pairs
        if block.language == "sh"
    ]


@needs_curl
@pytest.mark.parametrize("page", [page for page in PLAYED if answers(page)])
async def test_what_a_page_says_to_type_works(reader: Reader, page: str) -> None:
    wrong = []
    for block, shown in answers(page):
        said = await reader.types(block)
        wanted = parsed(shown.text) if shown else None
        is_problem = isinstance(wanted, dict) and "errors" in wanted
        if (said.code != 0) is not is_problem:
            wrong.append(f"{page}:{block.line} ended with {said.code}: {said.out}{said.err}")
        elif shown and shape(parsed(said.out)) != shape(wanted):
            wrong.append(f"{page}:{shown.line} shows another answer than {said.out}")
    assert wrong == []


PROGRAMS = [block for page in PLAYED for block in blocks(page) if block.language == "python"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda block: f"{block.page}:{block.line}")
async def test_a_program_of_a_page_runs(reader: Reader, program: Block) -> None:
    said = await reader.runs(program.text)
    assert (said.code, said.err) == (0, "")


async def test_the_first_question_of_the_readme_says_who_asks_and_what_for(reader: Reader, world: World) -> None:
    await reader.runs(next(block.text for block in PROGRAMS if block.page == "README.md"))
    (row,) = await world.product.store.read(lambda tx: tx.rows("SELECT payload FROM interaction"))
    asked = json.loads(row["payload"])
    assert (asked["agent"], asked["summary"]) == ("cleanup-bot", "Delete reports that nobody has opened for a year.")


async def test_the_shown_check_takes_our_callback_and_no_forged_one(reader: Reader, world: World) -> None:
    await world.ask_blocked(["ana@example.com"], callback_url=world.caller.url)
    told = (await world.caller.wait_for(1))[0]
    reader.environ["WEBHOOK_SECRET"] = SECRET
    program = next(block.text for block in PROGRAMS if "def verified" in block.text)
    calls = f"""
print(verified({told.headers!r}, {told.raw!r})["status"])
try:
    verified({told.headers!r}, {told.raw + b" "!r})
except PermissionError as refused:
    print(refused)
"""
    said = await reader.runs(program + calls)
    assert said.out == "decided\nnot from our Gatebell\n", said.err


@pytest.fixture
async def shown_agent(tmp_path: Path) -> AsyncIterator[str]:
    """The agent of docs/conversations.md, where it listens."""
    program = tmp_path / "page.py"
    program.write_text(next(block.text for block in PROGRAMS if "/gatebell" in block.text))
    runner = web.AppRunner(run_path(str(program))["agent"])
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/gatebell"
    await runner.cleanup()


@pytest.mark.parametrize(
    "said, answered",
    [
        ("How are you?", "12"),
        ("Please delete the reports", "Please say yes first"),
        ("Please delete them", "Cleaner wants to write"),
    ],
)
async def test_the_shown_agent_answers(
    platforms: Platforms, data: Path, shown_agent: str, said: str, answered: str
) -> None:
    async with installed(platforms, data, AGENT_URL=shown_agent) as world:
        await world.slack.dm(ANA).say(said)
        await world.shown_to_ana(answered)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: str(event["type"]))
async def test_an_event_of_the_page_is_accepted(world: World, event: dict[str, Any]) -> None:
    answer = await world.call("POST", "/api/v1/events", event)
    assert (answer.status, answer["result"]) == (202, "accepted")


def test_every_type_of_event_has_its_example() -> None:
    assert untold() == []


# ---- the command line ------------------------------------------------------------------------------------------------


def commands() -> list[str]:
    """Every `gatebell …` that stands in a block or between backticks of a page."""
    found = set()
    for path in pages():
        for line in path.read_text().replace("`", "\n").replace("$(", "\n").splitlines():
            words = line.strip().removeprefix(".venv/bin/")
            if words.startswith("gatebell ") and words.split()[1].isalpha():
                found.add(" ".join(words.split("|")[0].split("(")[0].split()))
    return sorted(found)


@pytest.mark.parametrize("line", commands())
def test_a_shown_command_exists_with_its_options(line: str) -> None:
    groups = {group.name for group in app.registered_groups}
    words = line.split()[1:]
    name = words[: 2 if words[0] in groups else 1]
    told = CliRunner().invoke(app, [*name, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert told.exit_code == 0, told.output
    assert [word for word in words if word.startswith("--") and word not in told.output] == []


async def test_the_open_metrics_are_those_of_the_page(world: World) -> None:
    """docs/operating.md lists the metrics: each of them is really there, and each that is there is listed."""
    async with world.http.get(f"{world.address}/metrics") as response:
        text = await response.text()
    page = (ROOT / "docs" / "operating.md").read_text()
    named = set(re.findall(r"`(gatebell_\w+)`", page))
    there = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    counted = {name for name in there if name.startswith("gatebell_") and not name.endswith("_created")}
    assert named
    assert named - there == set()
    assert counted - named == set()
