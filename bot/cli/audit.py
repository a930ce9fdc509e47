"""gatebell audit: who did what, and whether the log is still as it was written."""

import json
import sys
from typing import Annotated

from typer import Exit, Option, Typer, echo

from bot.cli.opened import Opened, with_database
from bot.cli.reading import FAILED
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
def export() -> None:
    """Write every entry to standard output, one JSON object a line, the newest first."""

    async def work(opened: Opened) -> None:
        before: int | None = None
        while entries := await opened.ledger.list(limit=PAGE, before=before):
            for entry in entries:
                sys.stdout.write(json.dumps(_fields(entry)) + "\n")
            before = entries[-1].seq

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
            raise Exit(FAILED)
        echo("Every entry is as it was written.")

    with_database(work)


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
