"""What the commands share: the settings, the opened database, and failing in words."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from typer import Exit, echo

from bot.audit.anchor import Anchor, AnchorFile
from bot.audit.ledger import Ledger
from bot.channels.contract import CALLER_CHANNEL
from bot.channels.registry import CHANNELS
from bot.cli.reading import AS_ITS_USER, FAILED, WRONG_SETTINGS, in_words, read_settings
from bot.dispatch.notice import Fault, Unfit, Unknown
from bot.keys import Keys
from bot.logs import Mask
from bot.opening import opened_store
from bot.operators import Operators
from bot.settings import DEFAULT, KEY_FILE, SAVED, Settings, SettingsFault, data_dir
from bot.signing import derive
from bot.store import Store, StoreUnavailable
from bot.store.migrate import CannotMigrate

BY = "cli"
ANOTHER = "Did you mean another one? Set GATEBELL_DATA_DIR."
LEFT_BY_A_SERVER = (KEY_FILE, SAVED, "gatebell.db")


@dataclass(frozen=True, slots=True)
class Opened:
    """The database as commands use it, whether or not a server runs on it."""

    store: Store
    ledger: Ledger
    anchor: Anchor
    operators: Operators
    keys: Keys
    mask: Mask
    settings: Settings

    async def operator_id(self, name: str) -> str:
        """Raises Unknown."""
        found = await (self.operators.by_email(name) if "@" in name else self.operators.by_id(name))
        if found is None or not found.active:
            raise Unknown(f"there is no operator {name}; gatebell operator list shows those there are")
        return found.id


def settings_or_exit(*, looking: bool = False) -> Settings:
    """A command that is only `looking` makes no data directory, and no key in it."""
    place = data_dir(os.environ)
    was_there = place.exists()
    with failing_in_words():
        settings = read_settings(looking=looking)
    if not was_there and place.exists():
        echo(f"A new data directory was made at {place}. {ANOTHER}", err=True)
    return settings


def refuse(words: str) -> NoReturn:
    """A command that was called in a way that cannot be meant."""
    echo(words, err=True)
    raise Exit(WRONG_SETTINGS)


def known_channel(name: str) -> str:
    """The channel that somebody named; it ends the command where there is none of this name."""
    *rest, last = (each for each in CHANNELS if each != CALLER_CHANNEL)
    if name and name not in (*rest, last):
        refuse(f"There is no channel {name}. Choose {', '.join(rest)} or {last}.")
    return name


def with_database(work: Callable[[Opened], Awaitable[None]], *, anchored: bool = True, looking: bool = False) -> None:
    """Run a command's work on the opened database. Without `anchored` the audit log's anchor is left as it is.

    A command that is only `looking` ends where there is nothing to look at.
    """
    with failing_in_words():
        settings = installed() if looking else settings_or_exit()
        on_database(settings, work, anchored=anchored)


def installed() -> Settings:
    """The settings of an installation that is there to be looked at.

    Raises Unknown where there is none, or SettingsFault; then nothing was made.
    """
    seen = read_settings(looking=True)
    if not _is_installed(seen):
        raise Unknown(f"there is no installation at {seen.data_dir}. {ANOTHER} A new one begins with gatebell serve.")
    return read_settings()


def _is_installed(settings: Settings) -> bool:
    """A data directory that was named is believed; one that was not, if a server has left something there."""
    elsewhere = settings.sources["DATABASE_URL"] != DEFAULT and settings.secret_key
    named = settings.sources["GATEBELL_DATA_DIR"] != DEFAULT
    place = settings.data_dir
    left = place.exists() if named else any((place / name).exists() for name in LEFT_BY_A_SERVER)
    return bool(elsewhere or left)


def on_database(settings: Settings, work: Callable[[Opened], Awaitable[None]], *, anchored: bool = True) -> None:
    """The same with settings that are known already; whatever goes wrong is raised."""

    async def job() -> None:
        async with _opened(settings) as opened:
            if anchored:
                await opened.anchor.begin()
            await work(opened)
            if anchored:
                await opened.anchor.advance(BY)

    asyncio.run(job())


@contextmanager
def failing_in_words() -> Iterator[None]:
    """What is the caller's to mend becomes one line and an exit code, not a trace."""
    try:
        yield
    except SettingsFault as fault:
        sys.stderr.write(in_words(fault))
        raise SystemExit(WRONG_SETTINGS) from fault
    except Fault as fault:
        sys.stderr.write(f"gatebell: {fault.words}\n")
        raise SystemExit(FAILED) from fault
    except (StoreUnavailable, CannotMigrate) as error:
        sys.stderr.write(f"gatebell: {error}\n")
        raise SystemExit(FAILED) from error
    except OSError as error:
        sys.stderr.write(f"gatebell: {refused_in_words(error)}\n")
        raise SystemExit(FAILED) from error


def refused_in_words(error: OSError) -> str:
    """What the machine does not let us do with which file, and who may, where another user may."""
    if not error.filename:
        return str(error)
    mend = f". {AS_ITS_USER}" if isinstance(error, PermissionError) else ""
    return f"{error.filename}: {error.strerror}{mend}"


def unwritten(file: Path, error: OSError) -> Unfit:
    """The file that a command was to write, and could not."""
    return Unfit(f"{file} cannot be written: {error.strerror}; name another one with -o", "output")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Opened]:
    store = await opened_store(settings.database_url)
    try:
        mask = Mask(settings.secrets)
        ledger = Ledger(store, derive(settings.secret_key, "audit"), mask)
        anchor = Anchor(ledger, AnchorFile(settings.data_dir, derive(settings.secret_key, "anchor")), now)
        yield Opened(store, ledger, anchor, Operators(store, ledger, now), Keys(store, ledger, now), mask, settings)
    finally:
        await store.stop()


def now() -> datetime:
    return datetime.now(UTC)
