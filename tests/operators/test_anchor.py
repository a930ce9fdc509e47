"""The anchor of the audit log: what was taken away from the database is missed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.audit.anchor import FILE, Anchor, AnchorFile
from bot.audit.ledger import Ledger
from bot.audit.verdict import Anchoring, Mark, Trouble
from bot.signing import derive
from bot.store import Store, Tx
from tests.operators.conftest import Clock

KEYS = derive("a secret of sixteen", "anchor")


@pytest.fixture
def file(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "data", KEYS)


@pytest.fixture
async def anchor(ledger: Ledger, file: AnchorFile, clock: Clock) -> Anchor:
    """Of a log of five entries, as far as they are."""
    anchor = Anchor(ledger, file, clock)
    await anchor.begin()
    await more(ledger, clock, 5)
    await anchor.advance()
    return anchor


async def more(ledger: Ledger, clock: Clock, count: int, what: str = "thing.done") -> None:
    for _ in range(count):
        await ledger.write(clock(), "cli", what)


async def a_moment() -> None:
    await asyncio.sleep(0.01)


async def run(store: Store, *sql: str) -> None:
    async def job(tx: Tx) -> None:
        for each in sql:
            await tx.run(each)

    await store.write(job)


Backup = Callable[[], Awaitable[None]]


async def backed_up(store: Store) -> Backup:
    """The log as it is now; the answer puts it back, as somebody would who has looked at it before."""
    head = await store.read(lambda tx: tx.row("SELECT seq, mac, seal FROM audit_head"))
    assert head is not None
    kept = {name: head[name] for name in ("seq", "mac", "seal")}

    async def put_back() -> None:
        async def job(tx: Tx) -> None:
            await tx.run("DELETE FROM audit WHERE seq > :seq", {"seq": kept["seq"]})
            await tx.run("UPDATE audit_head SET seq = :seq, mac = :mac, seal = :seal", kept)

        await store.write(job)

    return put_back


async def seen(anchor: Anchor) -> tuple[Trouble | None, int]:
    verdict, _ = await anchor.verify()
    return verdict.trouble, verdict.entry


async def test_an_untouched_log_fits_its_anchor(anchor: Anchor) -> None:
    verdict, anchoring = await anchor.verify()
    assert (verdict.words, anchoring) == (
        "Every entry is as it was written, and none is missing (5 entries).",
        Anchoring.THERE,
    )


SWAPPED = (
    "UPDATE audit SET seq = 9 WHERE seq = 2",
    "UPDATE audit SET seq = 2 WHERE seq = 3",
    "UPDATE audit SET seq = 3 WHERE seq = 9",
)
EMPTIED = ("DELETE FROM audit", "DELETE FROM audit_head")


@pytest.mark.parametrize(
    "sql, trouble, entry",
    [
        (("UPDATE audit SET subject = 'another' WHERE seq = 3",), Trouble.CHANGED, 3),
        (("DELETE FROM audit WHERE seq = 2",), Trouble.CHANGED, 2),
        (SWAPPED, Trouble.CHANGED, 2),
        (("DELETE FROM audit WHERE seq = 5",), Trouble.CUT, 5),
        (("DELETE FROM audit",), Trouble.CUT, 1),
        (("DELETE FROM audit_head",), Trouble.HEAD, 6),
        (("UPDATE audit_head SET seq = 4",), Trouble.HEAD, 6),
        (EMPTIED, Trouble.OLDER, 1),
    ],
)
async def test_whatever_is_done_to_it_is_seen(
    anchor: Anchor, store: Store, sql: tuple[str, ...], trouble: Trouble, entry: int
) -> None:
    await run(store, *sql)
    assert await seen(anchor) == (trouble, entry)


async def test_an_end_that_is_put_back_whole_is_missed(
    anchor: Anchor, store: Store, ledger: Ledger, clock: Clock
) -> None:
    put_back = await backed_up(store)
    await more(ledger, clock, 3)
    await anchor.advance()
    await put_back()
    verdict, _ = await anchor.verify()
    assert (verdict.trouble, verdict.entry, verdict.may_be_restored) == (Trouble.OLDER, 6, True)
    assert verdict.words == (
        "The database is older than its anchor: 8 entries stood there on 21 November 2026, 14:02 UTC,"
        " and entries 6 to 8 are missing."
    )


@pytest.mark.parametrize("entries", [1, 5, 9])
async def test_a_log_that_was_begun_anew_is_another_one(
    anchor: Anchor, store: Store, ledger: Ledger, clock: Clock, entries: int
) -> None:
    await run(store, *EMPTIED)
    await more(ledger, clock, entries, "other.thing")
    await anchor.advance()
    assert await seen(anchor) == ((Trouble.OLDER, 2) if entries == 1 else (Trouble.OTHER, 5))


async def test_an_anchor_of_a_replica_that_slept_is_still_a_point_of_the_log(
    anchor: Anchor, ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    other = Anchor(ledger, AnchorFile(tmp_path / "other", KEYS), clock)
    await other.advance()
    await more(ledger, clock, 4)
    await anchor.advance()
    assert (await seen(other), await seen(anchor)) == ((None, 0), (None, 0))


async def test_it_never_goes_back(file: AnchorFile, anchor: Anchor, ledger: Ledger, store: Store, clock: Clock) -> None:
    before = file.read()
    await run(store, *EMPTIED)
    await more(ledger, clock, 2)
    await anchor.advance()
    assert file.read() == before


async def test_of_two_processes_the_one_that_knows_more_counts(file: AnchorFile, anchor: Anchor, clock: Clock) -> None:
    mark = file.read()
    assert mark is not None
    older = Mark(mark.seq - 1, "0" * 64, clock())
    file.advance(older)
    assert file.read() == mark


async def test_a_file_that_is_gone_is_said_and_made_anew_for_everybody_to_see(
    file: AnchorFile, anchor: Anchor, ledger: Ledger
) -> None:
    file.path.unlink()
    verdict, anchoring = await anchor.verify()
    await anchor.advance()
    assert (verdict.trouble, anchoring) == (None, Anchoring.MISSING)
    newest = (await ledger.list(limit=1))[0]
    assert (newest.action, newest.detail, await seen(anchor)) == ("audit.anchored", {"entries": 5}, (None, 0))


@pytest.mark.parametrize("locked", [False, True], ids=["new", "with its end alone"])
async def test_a_log_of_nothing_is_anchored_without_a_word(
    ledger: Ledger, file: AnchorFile, store: Store, clock: Clock, locked: bool
) -> None:
    anchor = Anchor(ledger, file, clock)
    await (store.write(ledger.queue_up) if locked else anchor.begin())
    await anchor.advance()
    assert (await seen(anchor), await ledger.list()) == ((None, 0), [])


def forged(text: str) -> str:
    return json.dumps({**json.loads(text), "entries": 3})


@pytest.mark.parametrize("change", [forged, lambda _: "", lambda _: "{}", lambda _: "[]", lambda _: "null"])
async def test_a_file_that_is_not_ours_is_named_and_left_alone(
    file: AnchorFile, anchor: Anchor, ledger: Ledger, clock: Clock, change: Callable[[str], str]
) -> None:
    file.path.write_text(changed := change(file.path.read_text()))
    await more(ledger, clock, 1)
    await anchor.advance()
    assert (await seen(anchor), file.path.read_text()) == ((Trouble.FORGED, 0), changed)


async def test_an_anchor_of_an_older_secret_still_counts(
    anchor: Anchor, store: Store, ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    both = derive("a newer secret of ours,a secret of sixteen", "anchor")
    assert await seen(Anchor(ledger, AnchorFile(tmp_path / "data", both), clock)) == (None, 0)
    await run(store, *EMPTIED)
    assert await seen(Anchor(ledger, AnchorFile(tmp_path / "data", both), clock)) == (Trouble.OLDER, 1)


async def test_what_was_accepted_counts_from_then_on_and_is_an_entry(
    anchor: Anchor, store: Store, ledger: Ledger, clock: Clock
) -> None:
    put_back = await backed_up(store)
    await more(ledger, clock, 3)
    await anchor.advance()
    await put_back()
    verdict, _ = await anchor.verify()
    await anchor.accept(verdict, "cli")
    newest = (await ledger.list(limit=1))[0]
    assert (newest.seq, newest.actor, newest.action) == (6, "cli", "audit.accepted")
    assert (newest.detail or {})["anchored"] == 8
    await more(ledger, clock, 1)
    await anchor.advance()
    assert await seen(anchor) == (None, 0)


async def test_it_follows_the_log_by_itself(anchor: Anchor, file: AnchorFile, ledger: Ledger, clock: Clock) -> None:
    running = asyncio.create_task(anchor.run(every=0.01))
    await more(ledger, clock, 3)
    async with asyncio.timeout(5):
        while (file.read() or Mark(0, "", clock())).seq < 8:
            await a_moment()
    running.cancel()


async def test_it_is_for_its_owner_alone(anchor: Anchor) -> None:
    assert anchor.path.name == FILE
    assert anchor.path.stat().st_mode & 0o777 == 0o600


async def test_a_folder_that_cannot_be_written_stops_nothing(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    anchor = Anchor(ledger, AnchorFile(tmp_path / "a file", KEYS), clock)
    await anchor.begin()
    await anchor.advance()
    await more(ledger, clock, 1)
    assert len(await ledger.list()) >= 1
