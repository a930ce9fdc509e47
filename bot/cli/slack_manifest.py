"""gatebell slack-manifest: what to paste into Slack's page for a new app."""

import json
from collections.abc import Iterator
from typing import Annotated

from typer import BadParameter, Exit, Option, echo

from bot.cli.opened import settings_or_exit
from bot.cli.reading import FAILED
from bot.provisioning import SlackApp, Unreachable, creation_link, grants_of, slack_manifest

MEND = "Give the address at which Slack reaches this server with --url, or choose --socket-mode, which needs none."


def slack_manifest_(
    socket_mode: Annotated[bool, Option("--socket-mode", help="Slack is called and never calls.")] = False,
    minimal: Annotated[
        bool, Option("--minimal/--full", help="Messages and buttons only, or also writing to the bot and /gatebell.")
    ] = False,
    url: Annotated[str, Option(metavar="BASE_URL", help="Where Slack reaches this server.")] = "",
    name: Annotated[str, Option(help="What people see in Slack, at most 35 characters.")] = "Gatebell",
    link: Annotated[bool, Option("--link", help="Print the link that makes the app instead.")] = False,
    explain: Annotated[bool, Option("--explain", help="Say what each right is for instead.")] = False,
) -> None:
    """Print the manifest from which Slack makes the app."""
    base_url = url or ("" if socket_mode or explain else settings_or_exit(looking=True).base_url)
    app = SlackApp(base_url, socket_mode, minimal, name)
    if explain:
        echo("\n".join(_explained(app)))
        return
    try:
        manifest = slack_manifest(app)
    except Unreachable as wrong:
        echo(f"gatebell: {'--url' if url else 'BASE_URL'} {wrong}. {MEND}", err=True)
        raise Exit(FAILED) from wrong
    except ValueError as wrong:
        raise BadParameter(str(wrong), param_hint="--name") from wrong
    echo(creation_link(manifest) if link else json.dumps(manifest, indent=2, ensure_ascii=False))


def _explained(app: SlackApp) -> Iterator[str]:
    for grant in grants_of(app):
        yield grant.scope + (f" with the event {grant.event}" if grant.event else "")
        yield f"  for: {grant.purpose}"
        yield f"  without: {grant.without}"
    if app.socket_mode:
        yield "connections:write (of the app-level token, not of the bot)"
        yield "  for: Keeps the connection open over which clicks and messages come."
        yield "  without: Socket Mode does not connect."
