"""The command line. `serve` starts without the rest: a server does not hold in memory what only typing needs."""

import sys


def main() -> None:
    """The entry of `gatebell`."""
    if sys.argv[1:] == ["serve"]:
        from bot.cli.serve import serve

        sys.exit(serve())
    from bot.cli.app import app

    app(prog_name="gatebell")
