"""All commands. Each is a file beside this one and a line here."""

import sys
from importlib import import_module
from typing import Annotated

from typer import Context, Exit, Option, Typer, echo

from bot.cli import audit, config, key, operator
from bot.cli.doctor import doctor
from bot.cli.send import send
from bot.cli.slack_manifest import slack_manifest_
from bot.cli.teams_package import teams_package
from bot.version import VERSION

app = Typer(
    help="Rings a person where that person works, and brings the answer back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(operator.app, name="operator")
app.add_typer(key.app, name="key")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")


def _version(asked: bool) -> None:
    if asked:
        echo(f"gatebell {VERSION}")
        raise Exit


@app.callback()
def gatebell(
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Say which this is.")] = False,
) -> None:
    """Rings a person where that person works, and brings the answer back."""


@app.command()
def serve() -> None:
    """Run the server with your settings, until it is told to stop."""
    from bot.cli.serve import serve as run

    sys.exit(run())


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def demo(context: Context) -> None:
    """Run the whole product with a rehearsal Slack, Teams and mailbox."""
    sys.exit(import_module("bot.cli.demo").main(context.args))


app.command()(send)
app.command()(doctor)
app.command("slack-manifest")(slack_manifest_)
app.command("teams-package")(teams_package)
