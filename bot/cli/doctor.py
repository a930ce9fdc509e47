"""gatebell doctor: what is wrong, why, and how to mend it; whether or not a server is running."""

import asyncio
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option, echo

from bot.channels.contract import Check
from bot.cli.opened import BY, failing_in_words, installed, known_channel, refuse
from bot.cli.reading import FAILED
from bot.logs import Mask, start_logging
from bot.settings import Settings, SettingsFault
from bot.signing import derive
from bot.store import StoreUnavailable
from bot.store.migrate import CannotMigrate

if TYPE_CHECKING:
    from bot.app import Product
    from bot.doctor.examination import Part, Patient
    from bot.doctor.round_trip import Trip

WIDTH = 100
LOOK = 0.25


def doctor(
    round_trip: Annotated[str, Option(metavar="EMAIL", help="Also ask this operator, and follow the answer.")] = "",
    channel: Annotated[str, Option(help="On which channel, such as slack.", callback=known_channel)] = "",
    wait: Annotated[float, Option(min=1, max=900, help="Seconds to wait for the answer.")] = 120.0,
) -> None:
    """Look at everything: settings, database, clock, public address, every channel. Exits 1 if something is wrong."""
    from bot.doctor.examination import flawed

    if channel and not round_trip:
        refuse("--channel goes with --round-trip.")
    with failing_in_words():
        try:
            settings = installed()
        except SettingsFault as fault:
            _print([flawed([(flaw.name, flaw.wrong, flaw.mend) for flaw in fault.flaws])], Mask())
            raise Exit(FAILED) from fault
        mask = start_logging("error", settings.log_format, settings.secrets)
        well = asyncio.run(_examined(settings, mask, round_trip, channel, wait))
    if not well:
        raise Exit(FAILED)


async def _examined(settings: Settings, mask: Mask, operator: str, channel: str, wait: float) -> bool:
    """Print everything; whether all is well."""
    from bot.app import made  # a second of imports that --help should not wait for
    from bot.doctor.examination import broken_database, examine, examine_answers

    try:
        async with made(settings, mask) as product:
            patient = _patient(product)
            parts = [*await examine(patient), *await examine_answers(patient)]
            _print(parts, mask)
            travelled = not operator or await _travelled(product, mask, operator, channel, wait)
            return travelled and all(part.ok for part in parts)
    except (CannotMigrate, StoreUnavailable, OSError) as error:
        _print([broken_database(settings, str(error))], mask)
        echo("Nothing else was looked at: the rest needs the database.")
        return False


def _patient(product: "Product") -> "Patient":
    from bot.doctor.examination import Patient

    settings = product.settings.now
    keys = derive(settings.secret_key, "forms")
    return Patient(settings, product.store, product.channels(), keys, product.clock.now)


async def _travelled(product: "Product", mask: Mask, operator: str, channel: str, wait: float) -> bool:
    from bot.doctor.round_trip import begin

    chosen = _chosen(product, channel)
    working = asyncio.create_task(product.dispatcher.run())
    try:
        began = await begin(product.dispatcher, product.store, operator, chosen, product.clock.now())
        await product.ledger.write(product.clock.now(), BY, "test.asked", began, chosen)
        trip = await _followed(product, began, wait)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    _print_trip(trip, mask)
    return trip.failed is None


def _chosen(product: "Product", named: str) -> str:
    """The named channel, or the first that is set up. Raises Unfit where that is none."""
    from bot.dispatch.notice import Unfit

    channels = product.channels()
    for name in (named,) if named else product.settings.now.chain:
        if not channels[name].missing():
            return name
    words = f"{channels[named].title} is not set up. Set it" if named else "No channel is set up. Set one"
    raise Unfit(f"{words} up under General → Notifications.", "channel")


async def _followed(product: "Product", question_id: str, wait: float) -> "Trip":
    from bot.doctor.round_trip import follow

    echo("\nA card is on its way. Press a button on it; a running server takes the answer.")
    until = time.monotonic() + wait
    while True:
        trip = await follow(product.store, product.channels(), question_id, product.clock.now())
        if trip.over:
            return trip
        if time.monotonic() > until:
            await _give_up(product, question_id, wait)
            return await follow(product.store, product.channels(), question_id, product.clock.now())
        await asyncio.sleep(LOOK)


async def _give_up(product: "Product", question_id: str, wait: float) -> None:
    """Take the card back, so that everybody sees where it ended, unless it was answered at the last moment."""
    from bot.dispatch.notice import Conflict
    from bot.doctor.round_trip import end

    try:
        await end(product.dispatcher, question_id, f"No answer came in within {wait:.0f} seconds.", BY)
    except Conflict:
        return


# ---- on the screen ----------------------------------------------------------------------------------------------


def _print(parts: Iterable["Part"], mask: Mask) -> None:
    from bot.doctor.examination import masked

    sys.stdout.write("\n".join(report([masked(part, mask) for part in parts])) + "\n")


def report(parts: Iterable["Part"]) -> Iterator[str]:
    """The lines of the whole, names in one column."""
    parts = list(parts)
    width = max((len(check.name) for part in parts for check in part.checks), default=0)
    for part in parts:
        yield part.title
        for check in part.checks:
            yield from _lines(check, width)
        yield ""
    wrong = sum(not check.ok for part in parts for check in part.checks)
    yield "All is well." if not wrong else f"{wrong} thing{'s' if wrong > 1 else ''} to fix."


def _lines(check: Check, width: int) -> Iterator[str]:
    indent = " " * (width + 10)
    words = " ".join((check.cause or ("fine" if check.ok else "")).split())
    mark = "FAIL" if not check.ok else "note" if check.mend else "ok  "
    first = f"  {mark}  {check.name:<{width}}  "
    yield textwrap.fill(words, WIDTH, initial_indent=first, subsequent_indent=indent) or first
    if check.mend:
        yield textwrap.fill(f"→ {check.mend}", WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ")


def _print_trip(trip: "Trip", mask: Mask) -> None:
    from bot.doctor.round_trip import State

    marks = {State.DONE: "ok  ", State.FAILED: "FAIL", State.UNPRESSED: "note", State.WAITING: "…   "}
    echo(f"\nRound trip on {trip.channel}")
    for hop in trip.hops:
        echo(f"  {marks.get(hop.state, '    ')}  {hop.name:<10} {mask.text(hop.words)}".rstrip())
        if hop.mend and hop.state is not State.DONE:
            echo(textwrap.fill(f"→ {hop.mend}", WIDTH, initial_indent=" " * 19, subsequent_indent=" " * 21))
