"""Audit: who did what, found again, exported, and held to what was written."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.admin.audit_words import WORDS
from bot.keys import Scope
from interactions.card import Status
from interactions.model import Role
from tests.admin.signed_in import Visiting, signed_in
from tests.stories.world import ANA, BEN, CLEO, MIA, World

BOT = Path(__file__).resolve().parents[2] / "bot"


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def test_it_says_who_did_what_and_where(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await ana.post(f"/admin/requests/{asked['id']}/withdraw")
    page = await ana.get("/admin/audit?action=interaction.")
    assert "ana@example.com Withdrew a request on these pages" in page.words
    assert f'href="/admin/requests/{asked["id"]}"' in page.html


@pytest.mark.parametrize(
    "query, found, missing",
    [
        ("?actor=command+line", "operator.added", "interaction.withdrawn"),
        ("?actor=ben@", "interaction.withdrawn", "operator.added"),
        ("?subject=mia@example.com", "operator.added", "interaction.withdrawn"),
        ("?action=key.", "key.created", "operator.added"),
        ("?actor=%25", "No entry is like that", "operator.added"),
        ("?before=2", "ana@example.com", "ben@example.com"),
    ],
)
async def test_entries_are_found_again(world: World, ana: Visiting, query: str, found: str, missing: str) -> None:
    asked = await world.ask_blocked(to=[MIA])
    async with await signed_in(world, BEN) as ben:
        await ben.post(f"/admin/requests/{asked['id']}/withdraw")
    words = (await ana.get(f"/admin/audit{query}")).words
    assert (found in words, missing in words) == (True, False)


async def test_what_a_key_did_is_found_by_the_operator_for_whom(world: World, ana: Visiting) -> None:
    asked, key = await world.ask_blocked(to=[BEN]), await world.key_for(Scope.INTERACTIONS_WRITE, of=BEN)
    await world.call("POST", f"/api/v1/interactions/{asked['id']}/decide", {"choice": "approve"}, key=key)
    page = await ana.get("/admin/audit?actor=ben@")
    assert "key story for ben@example.com Decided a request over the API" in page.words
    assert "for ben@example.com, over the API" in (await ana.get(f"/admin/requests/{asked['id']}")).words


async def test_details_are_said_in_words(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Approve")
    await world.slack.dm(ANA).click("Approve", by=CLEO)
    await world.settled()
    await ana.post("/admin/settings", {"COOLDOWN_SECONDS": "60", "LOG_LEVEL": "debug"})
    await ana.post("/admin/keys", {"name": "gateway", "scope.events:write": "on"})
    await ana.post(f"/admin/requests/{asked['id']}/withdraw", {"because": "asked by mistake"})
    words = (await ana.get("/admin/audit")).words
    for each in (
        f"Was refused an answer on Slack “approve”, digest {asked['digest'][:12]}…: they were not asked",
        "Saved settings COOLDOWN_SECONDS, LOG_LEVEL",
        "Made an API key “gateway”, for events:write",
        "Withdrew a request on these pages a blocked action: By Ana in the admin pages: asked by mistake",
        "the command line Added an operator Ben, role operator",
    ):
        assert each in words


async def test_what_was_done_is_chosen_from_words(ana: Visiting) -> None:
    page = await ana.get("/admin/audit?action=key.created")
    assert '<option value="key.created" selected>Made an API key</option>' in page.html
    assert [each for each in re.findall(r"<option[^>]*>([^<]*)</option>", page.html) if not each.strip()] == []


async def test_a_part_of_gatebell_is_found_by_what_it_is_called(ana: Visiting) -> None:
    assert "the command line Made an API key" in (await ana.get("/admin/audit?actor=command+line&action=key.")).words


def test_every_action_that_is_written_down_has_words() -> None:
    """An action's name says what has happened, so it ends as such a verb does."""
    heads = "|".join({action.partition(".")[0] for action in WORDS})
    action = re.compile(rf'"((?:{heads})\.(?:[a-z_]*ed|sent)(?:_[a-z]+)?)"')
    found = {each for file in BOT.rglob("*.py") for each in action.findall(file.read_text())}
    assert len(found) > 25
    assert (found | {f"interaction.{each}" for each in Status if each is not Status.PENDING}) - set(WORDS) == set()


async def test_a_step_that_changes_nothing_is_no_entry(world: World, ana: Visiting) -> None:
    before = await world.audit()
    await ana.post("/setup/address")
    assert await world.audit() == before


@pytest.mark.parametrize("before", ["x", "-1", "99999999999999999999", "²"])
async def test_a_cursor_that_is_none_shows_the_newest(ana: Visiting, before: str) -> None:
    assert "operator.added" in (await ana.get(f"/admin/audit?before={before}")).words


async def test_the_whole_log_is_exported_line_by_line(world: World, ana: Visiting) -> None:
    answer = await ana.get("/admin/audit/export")
    lines = [json.loads(line) for line in answer.html.splitlines()]
    assert [line["seq"] for line in lines] == list(range(len(lines), 0, -1))
    assert lines[-1]["action"] == "operator.added"


async def test_an_untouched_log_is_said_to_be_so(ana: Visiting) -> None:
    assert "Every entry is as it was written" in (await ana.post("/admin/audit/verify")).words


async def test_a_changed_entry_is_named(world: World, ana: Visiting) -> None:
    sql = "UPDATE audit SET subject = 'cleo@example.com' WHERE seq = 2"
    await world.product.store.write(lambda tx: tx.run(sql))
    assert "Entry 2 is not as it was written" in (await ana.post("/admin/audit/verify")).words


async def test_a_log_that_is_older_than_its_anchor_is_said_to_be(world: World, ana: Visiting) -> None:
    await world.product.anchor.advance()
    await world.product.store.write(lambda tx: tx.run("DELETE FROM audit"))
    await world.product.store.write(lambda tx: tx.run("DELETE FROM audit_head"))
    words = (await ana.post("/admin/audit/verify")).words
    assert all(each in words for each in ("The log is empty", "stood there on", "gatebell audit verify"))


async def test_a_log_without_its_anchor_is_not_said_to_be_whole(world: World, ana: Visiting) -> None:
    world.product.anchor.path.unlink()
    words = (await ana.post("/admin/audit/verify")).words
    assert ("There is no anchor" in words, "none is missing" in words) == (True, False)


@pytest.mark.parametrize("path", ["/admin/audit", "/admin/audit/export"])
async def test_only_an_admin_reads_it(world: World, path: str) -> None:
    for role in (Role.OPERATOR, Role.VIEWER):
        await world.operators.change(await world.operator_id(BEN), role=role, by="cli")
        async with await signed_in(world, BEN) as browser:
            assert (await browser.get(path)).status == 403
