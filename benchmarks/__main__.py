"""`python -m benchmarks [--quick] [NAME …]`: measure, and fail where a target is missed."""

import argparse
import asyncio
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.measure import table

ALL = ("delivery", "parts", "replica", "clicks", "teams_send", "lag", "memory", "durability")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=f"one of {', '.join(ALL)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact")
    chosen = parser.parse_args()
    print(f"{machine()}, {time.strftime('%Y-%m-%d')}\n")
    missed = False
    for name in chosen.names or ALL:
        measures = asyncio.run(import_module(f"benchmarks.{name}").measured(chosen.quick))
        print(f"{table(measures)}\n", flush=True)
        missed = missed or not all(each.passed for each in measures)
    return 1 if missed else 0


def machine() -> str:
    """What the figures were seen on, and how busy it was with other things."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    python = platform.python_version()
    return f"{os.cpu_count()} processors ({model}), Python {python}, load before {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
