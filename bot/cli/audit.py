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

from bot.cli.opened import Opened, with_database
from bot.cli.reading import FAILED
from bot.dispatch.notice import Unknown
from bot.ledger import Entry

app = Typer(help="Who did what.", no_args_is_help=True)
PAGE = 500


@app.command("list")
def list_(
    limit: Annotated[int, Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    subject: Annotated[str, Option(help="Only what happened to this (an e-mail address, an id).")] = "",
) -> None:
    """Show the newest entries."""

    async def work(opened: Opened) -> None:
        for entry in await opened.ledger.list(limit=limit, subject=subject):
            echo(_words(entry))

    with_database(work)


@app.command()
def export(
    request: Annotated[str, Option(help="Only this request: everything about it, as one JSON object.")] = "",
    output: Annotated[Path | None, Option("-o", "--output", help="A file instead of standard output.")] = None,
) -> None:
    """Write every entry, one JSON object a line, the newest first; or everything about one request.

    A request's file holds its card, the digest with what it was made of, every attempt and click, and the decision.
    """

    async def work(opened: Opened) -> None:
        with nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8") as out:
            if request:
                out.write(json.dumps(await _request(opened, request), indent=2) + "\n")
            else:
                await _every_entry(opened, out)

    with_database(work)


@app.command()
def verify() -> None:
    """Check that no entry was changed, removed or moved; exit 1 with the first that was."""

    async def work(opened: Opened) -> None:
        wrong = await opened.ledger.first_wrong()
        if wrong is not None:
            echo(
                f"Entry {wrong} is not as it was written: it or one beside it was changed, removed or moved.", err=True
            )
            for entry in await opened.ledger.list(limit=1, before=wrong + 1):
                echo(f"There stands now: {_words(entry).strip()}", err=True)
            raise Exit(FAILED)
        echo("Every entry is as it was written.")

    with_database(work)


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
    return (
        f"{entry.seq:>6}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.actor}  {entry.action}  {entry.subject}{place}{detail}"
    )


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
