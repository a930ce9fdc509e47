"""gatebell audit: who did what, and whether the log is still as it was written."""

import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

from pydantic import JsonValue
from typer import Exit, Option, Typer, echo

from bot.audit.ledger import Entry
from bot.audit.verdict import Anchoring, Trouble, Verdict
from bot.cli.opened import BY, Opened, unwritten, with_database
from bot.cli.reading import FAILED
from bot.dispatch.notice import Unknown

app = Typer(help="Who did what.", no_args_is_help=True)
PAGE = 500
NO_ANCHOR = (
    "There was no anchor ({path}), so nobody can say whether entries were missing at the end. One is made now, and the"
    " log says so."
)
RESTORED = (
    "If you have put a backup back, or changed SECRET_KEY, that is why. Then accept it:"
    " gatebell audit verify --accept-restored. It is written down."
)
DONE = (
    "Somebody who can write the database did that, or a SECRET_KEY that signed entries was taken out of the list."
    " Keep a copy of the database as it is now, see who could do it, and put a backup back."
)


@app.command("list")
def list_(
    limit: Annotated[int, Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    subject: Annotated[str, Option(help="Only what happened to this (an e-mail address, an id).")] = "",
) -> None:
    """Show the newest entries."""

    async def work(opened: Opened) -> None:
        for entry in await opened.ledger.list(limit=limit, subject=subject):
            echo(_words(entry))

    with_database(work, looking=True)


@app.command()
def export(
    request: Annotated[str, Option(help="Only this request: everything about it, as one JSON object.")] = "",
    output: Annotated[Path | None, Option("-o", "--output", help="A file instead of standard output.")] = None,
) -> None:
    """Write every entry, one JSON object a line, the newest first; or everything about one request.

    A request's file holds its card, the digest with what it was made of, every attempt and click, and the decision.
    """

    async def work(opened: Opened) -> None:
        with nullcontext(sys.stdout) if output is None else _opened(output) as out:
            if request:
                out.write(json.dumps(await _request(opened, request), indent=2) + "\n")
            else:
                await _every_entry(opened, out)

    with_database(work, looking=True)


@app.command()
def verify(
    accept_restored: Annotated[
        bool,
        Option("--accept-restored", help="You have put a backup back: from now on the log as it is now counts."),
    ] = False,
) -> None:
    """Check that no entry was changed, removed or moved, and that none is missing at the end; exit 1 with the first.

    The log is held against itself and against its anchor, a file in the data directory that says how far it was.
    """

    async def work(opened: Opened) -> None:
        verdict, anchoring = await opened.anchor.verify()
        if accept_restored and verdict.may_be_restored:
            await opened.anchor.accept(verdict, BY)
            echo(f"{verdict.words}\nAccepted. From now on the log as it is now counts, and its newest entry says so.")
        elif verdict.trouble:
            await _tell(opened, verdict)
            raise Exit(FAILED)
        else:
            echo(verdict.words)
            if anchoring is Anchoring.MISSING:
                echo(NO_ANCHOR.format(path=opened.anchor.path), err=True)
            await opened.anchor.advance(BY)

    with_database(work, anchored=False, looking=True)


def _opened(output: Path) -> TextIO:
    """Raises Unfit where it cannot be written."""
    try:
        return output.open("w", encoding="utf-8")
    except OSError as error:
        raise unwritten(output, error) from error


async def _tell(opened: Opened, verdict: Verdict) -> None:
    echo(verdict.words, err=True)
    if verdict.trouble is Trouble.CHANGED:
        for entry in await opened.ledger.list(limit=1, before=verdict.entry + 1):
            echo(f"There stands now: {_words(entry).strip()}", err=True)
    echo(RESTORED if verdict.may_be_restored else DONE, err=True)


async def _request(opened: Opened, request_id: str) -> Mapping[str, JsonValue]:
    from bot.admin.export import request_file
    from bot.admin.reading import Reading

    looking = Reading(datetime.now(UTC), opened.mask)
    found = await opened.store.read(lambda tx: request_file(tx, looking, request_id))
    if found is None:
        raise Unknown(f"there is no request {request_id}")
    return found


async def _every_entry(opened: Opened, out: TextIO) -> None:
    before: int | None = None
    while entries := await opened.ledger.list(limit=PAGE, before=before):
        out.writelines(json.dumps(_fields(entry)) + "\n" for entry in entries)
        before = entries[-1].seq


def _words(entry: Entry) -> str:
    detail = f" {json.dumps(entry.detail, ensure_ascii=False)}" if entry.detail else ""
    place = f" on {entry.place}" if entry.place else ""
    who = f"{entry.actor} for {entry.on_behalf}" if entry.on_behalf else entry.actor
    return f"{entry.seq:>6}  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {who}  {entry.action}  {entry.subject}{place}{detail}"


def _fields(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "on_behalf": entry.on_behalf,
        "action": entry.action,
        "subject": entry.subject,
        "place": entry.place,
        "detail": entry.detail,
    }
