"""gatebell operator: the people who may be asked."""

import json
from typing import Annotated

from typer import Argument, Option, Typer, echo

from bot.cli.opened import BY, Opened, now, with_database
from bot.operators import Operator
from interactions.model import Role

app = Typer(help="The people who may be asked.", no_args_is_help=True)
Email = Annotated[
    str, Argument(metavar="EMAIL", help="Their address, by which Slack and Teams know them too.", show_default=False)
]


@app.command()
def add(
    email: Email,
    name: Annotated[str, Option(help="How they are called on cards; the default is made of the address.")] = "",
    role: Annotated[Role | None, Option(help="operator is the default; a viewer is told, but decides nothing.")] = None,
) -> None:
    """Add a person, or change the name or role of one who is there."""

    async def work(opened: Opened) -> None:
        known = await opened.operators.by_email(email)
        if known and known.active:
            changed = await opened.operators.change(known.id, name=name or None, role=role, by=BY)
            echo(f"{_words(changed)}, as it is from now on")
        else:
            added = await opened.operators.add(email, name, role or Role.OPERATOR, by=BY)
            echo(f"{_words(added)}, added")

    with_database(work)


@app.command("list")
def list_(as_json: Annotated[bool, Option("--json", help="For machines.")] = False) -> None:
    """List them."""

    async def work(opened: Opened) -> None:
        everybody = await opened.operators.everybody()
        if as_json:
            echo(json.dumps([_fields(each) for each in everybody], indent=2))
        elif not everybody:
            echo("Nobody yet. Add yourself: gatebell operator add you@example.com --role admin")
        else:
            for each in everybody:
                echo(_words(each))

    with_database(work, looking=True)


@app.command()
def remove(email: Email) -> None:
    """Remove a person, who from now on decides nothing and is told nothing."""

    async def work(opened: Opened) -> None:
        await opened.operators.remove(await opened.operator_id(email), by=BY)
        echo(f"{email}, removed")

    with_database(work)


@app.command("login-link")
def login_link(email: Email) -> None:
    """Print a link that signs this person in once, in any browser, for 15 minutes: the way in when no channel works."""
    from bot.admin.access import LINK_LIVES, Access, Purpose
    from bot.admin.pages.login import link_to

    async def work(opened: Opened) -> None:
        operator_id = await opened.operator_id(email)
        access = Access(opened.store, opened.ledger, now)
        secret = await access.link(operator_id, Purpose.SIGN_IN, LINK_LIVES)
        await opened.ledger.write(now(), BY, "session.link_printed", email)
        echo(link_to(opened.settings.base_url, secret))

    with_database(work)


def _words(operator: Operator) -> str:
    accounts = "".join(f", {platform} {subject}" for platform, subject in operator.identities)
    return f"{operator.email} ({operator.name}, {operator.role}{accounts})"


def _fields(operator: Operator) -> dict[str, object]:
    return {
        "id": operator.id,
        "email": operator.email,
        "name": operator.name,
        "role": operator.role,
        "identities": dict(operator.identities),
    }
