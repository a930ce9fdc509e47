"""gatebell teams-package: the Teams app of this installation, to be uploaded to Teams."""

import sys
from pathlib import Path
from typing import Annotated

from typer import Exit, Option, echo

from bot.cli.opened import failing_in_words, settings_or_exit, unwritten
from bot.cli.reading import FAILED
from teams_manifest import TeamsApp, Unfit
from teams_manifest import package as packed


def teams_package(
    out: Annotated[Path, Option("--out", "-o", metavar="FILE.zip", help="Where to write it; - is standard output.")],
    name: Annotated[str, Option(help="What people see in Teams, at most 30 characters.")] = "Gatebell",
    full_name: Annotated[str, Option(metavar="NAME", help="At most 100 characters; the default is the name.")] = "",
    developer: Annotated[str, Option(metavar="NAME", help="Who runs it, such as your organisation.")] = "Gatebell",
    app_version: Annotated[
        str, Option(metavar="N.N.N", help="Teams takes a changed package only under a higher one.")
    ] = "1.0.0",
    privacy_url: Annotated[str, Option(metavar="URL", help="Your page about privacy; else BASE_URL.")] = "",
    terms_url: Annotated[str, Option(metavar="URL", help="Your terms of use; else BASE_URL.")] = "",
) -> None:
    """Write the Teams app package, made of TEAMS_APP_ID and BASE_URL."""
    settings = settings_or_exit(looking=True)
    app = TeamsApp(
        settings["TEAMS_APP_ID"],
        settings.base_url,
        name=name,
        full_name=full_name,
        developer=developer,
        version=app_version,
        privacy=privacy_url,
        terms=terms_url,
    )
    try:
        content = packed(app)
    except Unfit as unfit:
        for flaw in unfit.flaws:
            echo(f"gatebell: {flaw}", err=True)
        raise Exit(FAILED) from unfit
    _write(out, content)


def _write(out: Path, content: bytes) -> None:
    if str(out) == "-":
        sys.stdout.buffer.write(content)
        return
    with failing_in_words():
        try:
            out.write_bytes(content)
        except OSError as error:
            raise unwritten(out, error) from error
    echo(f"{out} is ready. Upload it in Teams: Apps → Manage your apps → Upload an app.")
