"""gatebell serve: migrate, listen, work until told to stop."""

import asyncio
import errno
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack

from bot.app import LOCK, run
from bot.cli.listening import is_foreign
from bot.cli.reading import FAILED, WRONG_SETTINGS, in_words, read_settings
from bot.logs import start_logging
from bot.opening import driver_errors, refusal
from bot.settings import Settings, SettingsFault
from bot.store import StoreUnavailable
from bot.store.alone import alone
from bot.store.migrate import CannotMigrate

log = logging.getLogger(__name__)


def serve() -> int:
    """The exit code: 0 after an orderly stop, 1 where it could not run, 2 for wrong settings."""
    try:
        settings = read_settings()
    except SettingsFault as fault:
        sys.stderr.write(in_words(fault))
        return WRONG_SETTINGS
    mask = start_logging(settings.log_level, settings.log_format, settings.secrets)
    for warning in settings.warnings:
        log.warning(warning)
    refusals: tuple[type[Exception], ...] = (StoreUnavailable, *driver_errors(settings.database_url))
    stopped_by: list[str] = []
    try:
        asyncio.run(run(settings, mask, _listening))
    except* CannotMigrate as group:
        stopped_by += [str(error) for error in _each(group)]
    except* refusals as group:
        stopped_by += sorted({refusal(error, settings.database_url) for error in _each(group)})
    except* OSError as group:
        stopped_by += [why_not(error, settings) for error in _each(group)]
    for reason in stopped_by:
        log.error("cannot serve: %s", reason)
    return FAILED if stopped_by else 0


def _listening(address: str, setup: str | None) -> None:
    """What start-up has made stays, so it is never searched for garbage: one search of it holds the loop up for 60 ms.

    With this and rarer searches of what requests make, the slowest of a hundred cards comes after 40 ms instead of 60.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    log.info("listening at %s", address)
    if setup:
        log.info("nobody is an admin yet; the link to the set-up was printed to standard output")
        sys.stdout.write(f"Gatebell is not set up yet. Open this link, which works once, for a day:\n\n  {setup}\n\n")
        sys.stdout.flush()


def _each(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error)
        else:
            yield error


def why_not(error: BaseException, settings: Settings) -> str:
    """Why it cannot listen, with the mend."""
    match error:
        case OSError(errno=errno.EADDRINUSE):
            return _taken(settings)
        case PermissionError(filename=None):
            mend = "Choose one above 1023: PORT=8080 gatebell serve; a proxy in front of it may have the other"
            return f"port {settings.port} of {settings.host} may not be used by this user. {mend}"
        case _ if is_foreign(error):
            mend = "Set HOST to one that is, such as 127.0.0.1, or to 0.0.0.0 for all of them"
            return f"{settings.host} is no address of this machine. {mend}"
        case _:
            return str(error)


def _taken(settings: Settings) -> str:
    port = f"port {settings.port} of {settings.host} is taken"
    if settings.database_url.startswith("sqlite") and not alone(settings.data_dir / LOCK, AsyncExitStack()):
        return f"{port}: Gatebell already runs on this data directory ({settings.data_dir}), so stop that one first"
    other = settings.port + 1 if settings.port < 65535 else 8080
    return f"{port} by another program. Choose another: PORT={other} gatebell serve; or stop what runs there"
