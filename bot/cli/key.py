"""gatebell key: what programs call the API with."""

import json
from datetime import UTC, datetime
from typing import Annotated

from typer import Argument, Option, Typer, echo

from bot.cli.opened import BY, Opened, refuse, with_database
from bot.keys import MEANING, ApiKey, Scope

app = Typer(help="The keys that programs call the API with.", no_args_is_help=True)
SCOPES = "\n\n".join(f"{scope}: {meaning}" for scope, meaning in MEANING.items())
AsJson = Annotated[bool, Option("--json", help="For machines.")]


def _offered(scopes: list[str]) -> list[str]:
    for scope in scopes:
        if scope not in MEANING:
            refuse(f"There is no scope {scope}. Choose from {', '.join(MEANING)}.")
    return scopes


@app.command(epilog=SCOPES)
def create(
    name: Annotated[str, Argument(metavar="NAME", show_default=False)],
    scope: Annotated[
        list[str],
        Option(metavar="SCOPE", callback=_offered, help="What it may do; give it several times.", show_default=False),
    ],
    operator: Annotated[str, Option(metavar="EMAIL", help="Whose answers it may give through the API.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once."""

    async def work(opened: Opened) -> None:
        owner = await opened.operator_id(operator) if operator else None
        new = await opened.keys.create(name, map(Scope, scope), by=BY, operator_id=owner)
        if as_json:
            echo(json.dumps({"id": new.id, "name": new.name, "key": new.key, "scopes": new.scopes}, indent=2))
        else:
            echo(new.key)
            echo(f"This is “{new.name}” ({', '.join(new.scopes)}). It is not shown again.", err=True)

    with_database(work)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys, without the keys themselves."""

    async def work(opened: Opened) -> None:
        keys = await opened.keys.list()
        if as_json:
            echo(json.dumps([_fields(each) for each in keys], indent=2))
        else:
            for each in keys:
                echo(_words(each))

    with_database(work, looking=True)


@app.command()
def revoke(key: Annotated[str, Argument(metavar="ID", help="Its id, or its name.", show_default=False)]) -> None:
    """Revoke a key. A running server refuses it within five seconds."""

    async def work(opened: Opened) -> None:
        revoked = await opened.keys.revoke(key, by=BY)
        echo(f"{revoked.name}, revoked")

    with_database(work)


def _words(key: ApiKey) -> str:
    state = "revoked" if key.revoked_at else f"last used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    return f"{key.id}  {key.name} ({', '.join(sorted(key.scopes))}), {state}"


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _fields(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "operator_id": key.operator_id,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }
