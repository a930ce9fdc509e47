"""`gatebell demo`: the real server on its embedded defaults, among rehearsal platforms, on one page."""

import asyncio
import errno
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.cli.listening import is_foreign
from bot.rehearsal.demo.cast import CAST
from bot.rehearsal.demo.server import StartError
from bot.rehearsal.demo.show import Show, free_port

STATIC = Path(__file__).resolve().parents[1] / "admin" / "static"
FILES = {"adaptivecards.min.js": STATIC / "vendor" / "adaptivecards.min.js", "bell.svg": STATIC / "bell.svg"}
PORT = 8080
LAST_PORT = 65535
SERVE = (sys.executable, "-m", "bot", "serve")
# What the server may take over from the environment: nothing of another installation's settings.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH")


def main(arguments: Sequence[str]) -> NoReturn:
    """The command on its own: reads the arguments and ends the program."""
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command()(demo)
    command(list(arguments), prog_name="gatebell demo")
    raise SystemExit


def demo(
    port: Annotated[int, typer.Option(help="The port of the page.", min=0, max=LAST_PORT)] = PORT,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the whole product with a rehearsal Slack, Teams and mailbox. Nothing leaves this machine."""
    missing = [str(path) for path in FILES.values() if not path.exists()]
    if missing:
        raise typer.Exit(_fail(f"{missing[0]} is missing. Run `make setup` once, which installs it."))
    with tempfile.TemporaryDirectory(prefix="gatebell-demo-", ignore_cleanup_errors=True) as folder:
        code = asyncio.run(_run(host, port, Path(folder), SERVE))
    raise typer.Exit(code)


async def _run(host: str, port: int, folder: Path, command: Sequence[str]) -> int:
    """0 after Ctrl-C, 1 with plain words where it could not start."""
    show = Show(host, port, folder, FILES)
    try:
        await show.open()
    except OSError as error:
        return _fail(_why_not(error, host, port))
    try:
        return await _play(show, folder, command)
    finally:
        await show.close()


async def _play(show: Show, folder: Path, command: Sequence[str]) -> int:
    behind = free_port()
    environment = {**_inherited(), **show.settings(behind), "LOG_FORMAT": "text"}
    planted = await plant(environment, folder)
    playing = asyncio.ensure_future(
        show.play(command, environment, behind, planted.key, planted.people, lambda: _greet(show.door.address))
    )
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, playing.cancel)
    try:
        await playing
    except asyncio.CancelledError:
        return 0
    except StartError as failed:
        return _fail(f"The server did not start. It said last:\n{failed}")
    return 0


@dataclass(frozen=True, slots=True)
class Planted:
    """The agent's key, and who is who: the operators' names by their ids."""

    key: str
    people: Mapping[str, str]


async def plant(environment: Mapping[str, str], folder: Path) -> Planted:
    """What `gatebell operator add` and `gatebell key create` do, without five starts of a program."""
    from bot import settings, signing
    from bot.audit.ledger import Ledger
    from bot.channels.registry import fields
    from bot.clock import RealClock
    from bot.keys import Keys, Scope
    from bot.operators import Operators
    from bot.store import open_store
    from bot.store.migrate import bring_up_to_date
    from interactions.model import Role

    held = settings.load(fields(), environment, folder, folder)
    await bring_up_to_date(held.database_url)
    store = open_store(held.database_url)
    await store.start()
    try:
        ledger, now = Ledger(store, signing.derive(held.secret_key, "audit")), RealClock().now
        operators = Operators(store, ledger, now)
        people = {}
        for player in CAST:
            role = Role.ADMIN if player.is_admin else Role.OPERATOR
            added = await operators.add(player.email, player.name, role, by="demo")
            people[added.id] = player.first
        scopes = (Scope.EVENTS_WRITE, Scope.INTERACTIONS_WRITE)
        key = await Keys(store, ledger, now).create("demo agent", scopes, by="demo")
        return Planted(key.key, people)
    finally:
        await store.stop()


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _greet(address: str) -> None:
    typer.echo(f"The demo is at {address}/ and runs until you press Ctrl-C.")


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            other = port + 1 if port < LAST_PORT else PORT
            return f"Port {port} of {host} is taken by another program. Choose another: {_command()} --port {other}"
        case errno.EACCES:
            return f"Port {port} may not be used by this user. Choose one above 1023: {_command()} --port {PORT}"
        case _ if is_foreign(error):
            return f"{host} is not an address of this machine. Leave --host out for 127.0.0.1."
        case _:
            return f"The demo cannot listen on {host}:{port}: {error.strerror or error}"


def _command() -> str:
    """How the demo is started from here: `make demo` puts nothing on the PATH."""
    beside = Path(sys.executable).parent / "gatebell"
    if shutil.which("gatebell") or not beside.exists():
        return "gatebell demo"
    here = Path.cwd()
    return f"{beside.relative_to(here) if beside.is_relative_to(here) else beside} demo"


def _fail(words: str) -> int:
    typer.echo(words, err=True)
    return 1
