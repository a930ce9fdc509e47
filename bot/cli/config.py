"""gatebell config: the settings, where they come from, and saving them."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer, echo

from bot.channels.contract import Field
from bot.channels.registry import fields
from bot.cli.opened import BY, Opened, failing_in_words, now, on_database, settings_or_exit, with_database
from bot.cli.reading import read_settings
from bot.core_fields import CORE
from bot.dispatch.notice import Unfit, Unknown
from bot.env_file import read
from bot.logs import HIDDEN
from bot.settings import SAVED, Flaw, Settings, SettingsFault, checked, data_dir, load, merged, save
from bot.store import StoreUnavailable
from bot.store.migrate import CannotMigrate

app = Typer(help="The settings.", no_args_is_help=True)
Name = Annotated[str, Argument(metavar="NAME", show_default=False)]


@app.command()
def show(
    as_json: Annotated[bool, Option("--json", help="For machines.")] = False,
    everything: Annotated[bool, Option("--all", help="Also those that nothing was said about.")] = False,
) -> None:
    """Show the settings and where each is from, secrets hidden."""
    settings = settings_or_exit(looking=True)
    shown = {field.name: _shown(settings, field) for field in settings.fields if everything or settings[field.name]}
    if as_json:
        sources = settings.sources
        echo(json.dumps({name: {"value": value, "source": sources[name]} for name, value in shown.items()}, indent=2))
        return
    for name, value in shown.items():
        echo(f"{name}={value}  ({settings.sources[name]})")
    for warning in settings.warnings:
        echo(warning, err=True)


@app.command("set")
def set_(
    name: Name,
    value: Annotated[str, Argument(metavar="VALUE", help="- reads it from standard input, so that no shell keeps it.")],
) -> None:
    """Save a setting to gateway.env. A running server takes it at once; some count at its next start."""
    _save(name, sys.stdin.read().strip() if value == "-" else value)


@app.command()
def unset(name: Name) -> None:
    """Take a setting out of gateway.env."""
    _save(name, None)


@app.command()
def reseal() -> None:
    """Seal what replicas share with the first SECRET_KEY, so that an older one can be taken out of the list."""
    from bot.clock import RealClock
    from bot.live_settings import Replicas
    from bot.signing import derive
    from bot.vault import CannotOpen

    async def work(opened: Opened) -> None:
        settings = settings_or_exit()
        shared = Replicas(opened.store, RealClock(), derive(settings.secret_key, "vault"), settings.data_dir)
        try:
            is_sealed = await shared.seal_anew()
        except CannotOpen as error:
            raise Unfit(f"the shared settings cannot be opened: {error}") from error
        if is_sealed:
            await opened.ledger.write(now(), BY, "settings.sealed_anew", "settings")
        echo("sealed with the first SECRET_KEY" if is_sealed else "nothing is shared, so there is nothing to seal")

    with_database(work)


def _save(name: str, value: str | None) -> None:
    with failing_in_words():
        field = _field(name)
        folder = data_dir(os.environ)
        if field.guarded and value:
            _refuse_uncallable(field, value, folder)
        before = _readable()
        save(folder, {name: value}, fields(), os.environ)
        said = [each for each in (field.name, *field.aliases) if os.environ.get(each)]
    echo(f"{field.name} is {'saved in' if value else 'taken out of'} {folder / SAVED}")
    if said:
        echo(f"but {said[0]} in the environment outranks it", err=True)
    for word in _further(field, value):
        echo(word, err=True)
    after = _readable()
    missed = "" if _is_as_before(field, before, after) else _write_down(field.name, before, after)
    if missed:
        echo(f"but that could not be written into the audit log: {missed}", err=True)


def _further(field: Field, value: str | None) -> Iterator[str]:
    """What somebody might not expect of a value that is right."""
    from bot.events.registry import CLASSES
    from bot.live_settings import AT_START

    if field.name in AT_START:
        yield "It counts at the next start."
    known = {each.type for each in CLASSES}
    types = (each.strip() for each in (value or "").split(",")) if field.name == "EVENTS_DISABLED" else ()
    for type_ in types:
        if type_ and type_ not in known:
            yield f"Gatebell has no event class {type_}; only events that come under exactly this type are kept back."


def _is_as_before(field: Field, before: Settings | None, after: Settings | None) -> bool:
    """Whether the same holds still, such as the default. What the environment outranks now may hold one day."""
    if before is None or after is None or after.locked(field.name):
        return False
    return before[field.name] == after[field.name]


def _write_down(name: str, before: Settings | None, after: Settings | None) -> str:
    """Its name, never its value; why not, where it could not be. Saving must work while the database does not."""
    settings = after if name == "DATABASE_URL" else before or after

    async def work(opened: Opened) -> None:
        await opened.ledger.write(now(), BY, "settings.saved", "settings", "", {"names": [name]})

    if settings is None:
        return "other settings are wrong; gatebell doctor lists them"
    try:
        on_database(settings, work)
    except (StoreUnavailable, CannotMigrate, OSError) as error:
        return str(error)
    return ""


def _readable() -> Settings | None:
    """The settings as they are, unless they have a fault."""
    try:
        return read_settings()
    except SettingsFault:
        return None


def _refuse_uncallable(field: Field, value: str, folder: Path) -> None:
    """As the pages do. Raises SettingsFault."""
    from bot.channels import http

    saved = merged(read(folder / SAVED), checked({field.name: value}, fields()))
    after = load(fields(), os.environ, folder, saved=saved)
    try:
        asyncio.run(http.check_resolved(value, http.Allowed.parse(after["ALLOWED_PRIVATE_HOSTS"])))
    except ValueError as error:
        raise SettingsFault([Flaw(field.name, str(error).rstrip("."), field.mend)]) from None


def _field(name: str) -> Field:
    table = (*CORE, *fields())
    found = next((field for field in table if name in (field.name, *field.aliases)), None)
    if found is None:
        raise Unknown(f"there is no setting {name}; gatebell config show --all lists them")
    return found


def _shown(settings: Settings, field: Field) -> str:
    value = settings[field.name]
    return HIDDEN if field.secret and value and not value.startswith("sqlite:") else value
