"""Audit: who did what, found again, exported, and held to what was written."""

import json
from collections.abc import AsyncIterator

import pytest

from bot.keys import Scope
from interactions.model import Role
from tests.admin.signed_in import Visiting, signed_in
from tests.stories.world import ANA, BEN, MIA, World


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def test_it_says_who_did_what_and_where(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await ana.post(f"/admin/requests/{asked['id']}/withdraw")
    page = await ana.get("/admin/audit?action=interaction.")
    assert "ana@example.com interaction.withdrawn at admin" in page.words
    assert f'href="/admin/requests/{asked["id"]}"' in page.html


@pytest.mark.parametrize(
    "query, found, missing",
    [
        ("?actor=cli", "operator.added", "interaction.withdrawn"),
        ("?actor=ben", "interaction.withdrawn", "operator.added"),
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
    page = await ana.get("/admin/audit?actor=ben")
    assert "key story for ben@example.com interaction.decided" in page.words
    assert "for ben@example.com, over the API" in (await ana.get(f"/admin/requests/{asked['id']}")).words


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
