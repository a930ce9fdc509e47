"""The command line. `serve` starts without the rest: a server does not hold in memory what only typing needs."""

import os
import sys

FOR_THE_OWNER_ALONE = 0o077


def main() -> None:
    """The entry of `gatebell`. What it writes, the database above all, is for the user alone who runs it."""
    os.umask(FOR_THE_OWNER_ALONE)
    if sys.argv[1:] == ["serve"]:
        from bot.cli.serve import serve

        sys.exit(serve())
    from bot.cli.app import app

    app(prog_name="gatebell")
