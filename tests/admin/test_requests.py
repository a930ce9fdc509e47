"""Requests: found, read, answered as oneself, taken back, exported; and why somebody was not told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.failure import status
from interactions.model import Role
from tests.admin.signed_in import Seen, Visiting, signed_in
from tests.cli.conftest import Shell
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, MIA, World


@pytest.fixture
async def ana(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def listed(browser: Visiting, query: str) -> list[str]:
    """The ids of the requests in a list, as they stand there."""
    page = await browser.get(f"/admin/requests{query}")
    return [part.partition('"')[0] for part in page.html.split('<a href="/admin/requests/')[1:]]


async def post(world: World, who: str, id_: str, verb: str, form: dict[str, str] | None = None) -> Seen:
    async with await signed_in(world, who) as browser:
        return await browser.post(f"/admin/requests/{id_}/{verb}", form, follow=False)


# ---- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_is_narrowed_by_status_kind_and_words(world: World, ana: Visiting) -> None:
    blocked = (await world.ask_blocked(to=[ANA]))["id"]
    question = {"question": "Größe oder 100%_sicher?", "choices": [{"id": "a", "label": "A"}]}
    asked = (await world.ask("clarification", question, [BEN]))["id"]
    await world.call("POST", f"/api/v1/interactions/{asked}/withdraw")
    for query, expected in {
        "": [asked, blocked],
        "?status=pending": [blocked],
        "?kind=clarification": [asked],
        "?search=größe": [asked],
        "?search=100%25_s": [asked],
        "?search=REPORTS/2024": [blocked],
        f"?search={blocked}": [blocked],
        "?search=ben@": [asked],
        "?search=%25": [asked],
        "?search=' OR 1=1 --": [],
        "?status=decided": [],
    }.items():
        assert await listed(ana, query) == expected, query


async def test_a_long_list_goes_on_on_the_next_page(world: World, ana: Visiting) -> None:
    ids = [(await world.ask_blocked(to=[ANA]))["id"] for _ in range(53)]
    first = await ana.get("/admin/requests?status=pending")
    older = first.html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert await listed(ana, older.removeprefix("/admin/requests")) == sorted(ids, reverse=True)[50:]
    assert "status=pending" in older


# ---- one request -----------------------------------------------------------------------------------------------------


async def test_it_says_for_each_person_why_they_were_not_told(world: World, ana: Visiting) -> None:
    world.mail.fail(status(552))
    asked = await world.ask_blocked()
    await at_rest(world)
    words = (await ana.get(f"/admin/requests/{asked['id']}")).words
    assert "Ana told Told; the copy shows how it stands now." in words
    assert "Mia failed Not told: no channel took it (" in words
    assert "552" in words


async def test_the_time_line_tells_attempts_and_clicks_in_order(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    await post(world, BEN, asked["id"], "decide", {"choice": "approve"})
    await world.forward(seconds=1)
    await world.slack.dm(ANA).click("Approve")
    await world.shown_to_ana("Approved by Ana")
    words = (await ana.get(f"/admin/requests/{asked['id']}")).words
    story = [
        "Requested by key story",
        "Sent on Slack",
        "ben@example.com tried to answer, and nothing changed",
        "ana@example.com answered",
        "Approved by Ana, on Slack",
    ]
    line = words.partition("What happened")[2]
    assert [line.index(step) for step in story] == sorted(line.index(step) for step in story)
    assert "with “approve”, on these pages: they were not asked" in line


@pytest.mark.parametrize("needed, left", [(2, "1 more approval."), (3, "2 more approvals.")])
async def test_an_approval_that_is_not_the_last_says_how_many_it_waits_for(
    world: World, ana: Visiting, needed: int, left: str
) -> None:
    asked = await world.ask_blocked(approvals=needed)
    said = await ana.post(f"/admin/requests/{asked['id']}/decide", {"choice": "approve"})
    assert f"Noted. It waits for {left}" in said.words


async def test_whom_a_platform_does_not_know_is_named_once(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[MIA])
    await world.shown_to_mia()
    await at_rest(world)
    words = (await ana.get(f"/admin/requests/{asked['id']}")).words
    assert "Mia is not known on Slack, so it was not sent there , users" in words
    assert "for Mia , " not in words


async def test_whoever_only_looks_reads_who_can_decide_and_of_no_click(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA])
    async with await signed_in(world, BEN) as browser:
        words = (await browser.get(f"/admin/requests/{asked['id']}")).words
    assert "Only Ana can decide this; you are looking." in words
    assert "your click" not in words


async def test_what_was_changed_behind_its_back_is_said(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    address = f"/admin/requests/{asked['id']}"
    assert "still has this digest" in (await ana.get(address)).words
    sql = "UPDATE interaction SET payload = REPLACE(payload, '2024', '2025')"
    await world.product.store.write(lambda tx: tx.run(sql))
    assert "no longer has this digest" in (await ana.get(address)).words


async def test_text_from_outside_stays_text(world: World, ana: Visiting) -> None:
    payload = {
        "agent": "<b>Archivist</b>",
        "tool": "<script>alert(1)</script>",
        "arguments": {"x": "\u202e<img src=x>"},
    }
    asked = await world.ask("blocked_action", payload, [ANA], requested_by={"agent": '"><script>1</script>'})
    for path in ("/admin", "/admin/requests", f"/admin/requests/{asked['id']}", "/admin/deliveries"):
        html = (await ana.get(path)).html
        assert not [bad for bad in ("<script>", "<b>Arch", "<img src=x", "\u202e") if bad in html], path


@pytest.mark.parametrize("path", ["/admin/requests/nothing", "/admin/requests/nothing/export", "/admin/requests/%00"])
async def test_what_there_is_not_is_not_found(ana: Visiting, path: str) -> None:
    assert (await ana.get(path)).status == 404


# ---- answering and taking back ---------------------------------------------------------------------------------------


async def test_whoever_was_asked_decides_here_as_themselves(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    address = f"/admin/requests/{asked['id']}"
    assert 'value="approve"' in (await ana.get(address)).html
    page = await ana.post(f"{address}/decide", {"choice": "approve"})
    decision = (await world.see(asked["id"]))["decision"]
    assert (decision["by"], decision["channel"], decision["approved"]) == ("Ana", "admin", True)
    assert "Approved by Ana" in page.words


async def test_an_admin_who_was_not_asked_cannot_decide(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[BEN])
    assert 'value="approve"' not in (await ana.get(f"/admin/requests/{asked['id']}")).html
    answer = await post(world, ANA, asked["id"], "decide", {"choice": "approve"})
    assert (answer.status, (await world.see(asked["id"]))["status"]) == (409, "pending")
    assert "You were not asked" in answer.words


async def test_nobody_approves_their_own_request(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA, BEN], requested_by={"email": ANA})
    answer = await post(world, ANA, asked["id"], "decide", {"choice": "approve"})
    assert ("own request" in answer.words, (await world.see(asked["id"]))["status"]) == (True, "pending")


async def test_a_missing_reason_is_asked_for(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA], reason="required_on_denial")
    answer = await post(world, ANA, asked["id"], "decide", {"choice": "keep_blocked"})
    assert (answer.status, 'aria-invalid="true"' in answer.html) == (422, True)
    await post(world, ANA, asked["id"], "decide", {"choice": "keep_blocked", "input.reason": "Not today"})
    assert (await world.see(asked["id"]))["decision"]["reason"] == "Not today"


async def test_an_operator_takes_a_request_back_under_their_name(world: World) -> None:
    asked = await world.ask_blocked(to=[MIA])
    await post(world, BEN, asked["id"], "withdraw", {"because": "Solved by hand"})
    ended = await world.see(asked["id"])
    assert (ended["status"], ended["because"]) == ("withdrawn", "By Ben in the admin pages: Solved by hand")
    assert ("interaction.withdrawn", f"operator:{await world.operator_id(BEN)}") in await world.audit()


async def test_taking_back_what_has_ended_changes_nothing(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await post(world, ANA, asked["id"], "decide", {"choice": "approve"})
    page = await ana.post(f"/admin/requests/{asked['id']}/withdraw")
    assert ("Nothing was changed" in page.words, (await world.see(asked["id"]))["status"]) == (True, "decided")


@pytest.mark.parametrize("verb", ["decide", "withdraw"])
async def test_a_viewer_only_looks(world: World, verb: str) -> None:
    asked = await world.ask_blocked(to=[MIA])
    await world.operators.change(await world.operator_id(MIA), role=Role.VIEWER, by="cli")
    answer = await post(world, MIA, asked["id"], verb, {"choice": "approve"})
    assert (answer.status, (await world.see(asked["id"]))["status"]) == (403, "pending")
    async with await signed_in(world, MIA) as browser:
        page = await browser.get(f"/admin/requests/{asked['id']}")
        assert (page.status, "/decide" in page.html, "/withdraw" in page.html) == (200, False, False)


async def test_a_form_without_our_seal_does_nothing(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    answer = await ana.post_raw(f"/admin/requests/{asked['id']}/decide", {"choice": "approve"})
    assert (answer.status, (await world.see(asked["id"]))["status"]) == (403, "pending")


# ---- the file --------------------------------------------------------------------------------------------------------


async def test_the_file_holds_everything_that_an_auditor_asks_for(world: World, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    await world.slack.dm(ANA).click("Approve")
    await world.shown_to_ana("Approved by Ana")
    await at_rest(world)
    answer = await ana.get(f"/admin/requests/{asked['id']}/export")
    whole = json.loads(answer.html)
    assert (whole["digest"], whole["digest_holds"]) == (asked["digest"], True)
    assert whole["digest_covers"]["payload"]["arguments"] == {"path": "/reports/2024.pdf"}
    assert whole["card"]["outcome"]["text"] == "Approved by Ana"
    assert [each["verb"] for copy in whole["deliveries"] for each in copy["attempts"]] == ["send", "update"]
    assert [(each["actor"], each["action"], each["place"]) for each in whole["clicks"]] == [
        ("ana@example.com", "interaction.decided", "slack")
    ]
    assert (whole["decision"]["by"], whole["decision"]["approved"]) == ("Ana", True)
    assert "attachment" in answer.headers["Content-Disposition"]


async def test_the_command_line_writes_the_same_file(world: World, data: Path, ana: Visiting) -> None:
    asked = await world.ask_blocked(to=[MIA])
    await at_rest(world)
    await post(world, BEN, asked["id"], "withdraw")
    await at_rest(world)
    words = ("audit", "export", "--request", asked["id"], "-o", str(data / "request.json"))
    result = await asyncio.to_thread(Shell(data).run, *words)
    assert result.exit_code == 0, result.output
    page = await ana.get(f"/admin/requests/{asked['id']}/export")
    assert json.loads((data / "request.json").read_text()) == json.loads(page.html)


async def test_the_command_line_says_that_there_is_no_such_request(world: World, data: Path) -> None:
    result = await asyncio.to_thread(Shell(data).run, "audit", "export", "--request", "nothing")
    assert (result.exit_code, result.stderr) == (1, "gatebell: there is no request nothing\n")
