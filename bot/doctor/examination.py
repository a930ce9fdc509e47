"""The doctor: everything that can be looked at without a person, each with its cause and its mend.

The Health page and `gatebell doctor` show the same. Nothing is called but what the owner has set up.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot import skew
from bot.channels.contract import CALLER_CHANNEL, CHECK_SECONDS, CanCheck, Channel, Check, Field
from bot.doctor import reach, way_back
from bot.doctor.reach import plain
from bot.logs import Mask
from bot.settings import DEFAULT, Settings
from bot.store import Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

PATIENCE = CHECK_SECONDS + 1  # seconds for each part; all are looked at together
CLOCK_OFF = 60.0  # Slack refuses what is five minutes off; Microsoft's tokens are as strict
_ADDRESS = "Public address"
FREE = 200 * 1024 * 1024  # bytes that should be free for the database


@dataclass(frozen=True, slots=True)
class Part:
    """Checks of one thing."""

    title: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. `keys` are those that seal forms; whoever has them is this installation."""

    settings: Settings
    store: Store
    channels: Mapping[str, Channel]
    keys: Sequence[bytes]
    now: Callable[[], datetime]


Look = Callable[[Patient], Awaitable[Sequence[Check]]]
Told = Callable[[Part], Awaitable[None]]


async def _nobody(part: Part) -> None:
    pass


def titles(patient: Patient) -> tuple[str, ...]:
    """The parts that `examine` looks at, in the order of its answer."""
    return tuple(title for title, _ in _looks(patient))


async def examine(patient: Patient, told: Told = _nobody) -> tuple[Part, ...]:
    """Everything that has to be asked, at once; `told` hears of each part as it is known. It never hangs."""

    async def one(title: str, look: Look) -> Part:
        part = Part(title, tuple(await _within_patience(look(patient))))
        await told(part)
        return part

    return tuple(await asyncio.gather(*(one(title, look) for title, look in _looks(patient))))


async def examine_answers(patient: Patient) -> tuple[Part, ...]:
    """Whether people's answers come back: nobody has to be asked, it is all written down."""
    found: list[Part] = []
    for channel in patient.channels.values():
        try:
            checks = await way_back.checks(patient.store, channel, patient.now())
        except StoreUnavailable:
            return tuple(found)
        if checks:
            found.append(Part(f"Answers from {channel.title}", checks))
    return tuple(found)


async def examine_address(patient: Patient) -> Part:
    """Whether the public address leads here, and nothing else."""
    return Part(_ADDRESS, tuple(await _within_patience(_address(patient))))


async def _within_patience(looking: Awaitable[Sequence[Check]]) -> Sequence[Check]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await looking
    except TimeoutError:
        cause = f"no answer within {PATIENCE:.0f} seconds"
        return (Check("Answer", False, cause, "Let this server reach the addresses that are set, and look again."),)
    except StoreUnavailable as error:
        return (Check("Answer", False, str(error), "See Database above."),)
    except Exception as error:
        log.exception("something could not be looked at")
        cause = f"this could not be looked at ({type(error).__name__})"
        return (Check("Answer", False, cause, "That is a defect of Gatebell's. The log has what a report needs."),)


def masked(part: Part, mask: Mask) -> Part:
    """What others answer may hold a secret of ours, which nobody sees; mends are our own words."""
    return Part(part.title, tuple(replace(check, cause=mask.text(check.cause)) for check in part.checks))


def flawed(flaws: Sequence[tuple[str, str, str]]) -> Part:
    """The one part that there is where the settings themselves are wrong: (name, wrong, mend)."""
    return Part("Settings", tuple(Check(name, False, wrong, mend) for name, wrong, mend in flaws))


# ---- settings, database, Redis ----------------------------------------------------------------------------------


async def _settings(patient: Patient) -> Sequence[Check]:
    settings = patient.settings
    warnings = tuple(Check("Setting", True, warning) for warning in settings.warnings)
    kept = Check("Values", True, f"kept in {settings.data_dir}")
    return (kept, *warnings, _chain(patient), await _recipient(patient), *await _rooms(patient), _disk(settings))


def _chain(patient: Patient) -> Check:
    ready = [patient.channels[name].title for name in patient.settings.chain if not _missing(patient, name)]
    if ready:
        return Check("Chain", True, f"people are told through {', then '.join(ready)}")
    mend = "Set up one channel under General → Notifications, or name one that is set up in CHAIN."
    return Check("Chain", False, "no channel of the chain is set up, so nobody can be told", mend)


async def _rooms(patient: Patient) -> tuple[Check, ...]:
    """Thresholds are told in a room, so one without any is told to nobody."""
    if any(patient.settings[each.name] for each in _room_fields(patient)):
        return ()
    sql = "SELECT id FROM threshold WHERE is_on = 1 AND room = ''"
    try:
        found = len(await patient.store.read(lambda tx: tx.rows(sql)))
    except StoreUnavailable:
        return ()
    if not found:
        return ()
    cause = f"{'one threshold has' if found == 1 else f'{found} thresholds have'} no room, so nobody is told of it"
    mend = "Set SLACK_CHANNEL or SMTP_TO under General → Notifications, or a room for the threshold."
    return (Check("Thresholds", True, cause, mend),)


def _room_fields(patient: Patient) -> list[Field]:
    """Of the channels of the chain that are set up: where what is meant for a room goes."""
    ready = [patient.channels[name] for name in patient.settings.chain if not _missing(patient, name)]
    return [each for channel in ready for each in channel.fields if each.room]


def _missing(patient: Patient, name: str) -> bool:
    channel = patient.channels.get(name)
    return channel is None or bool(channel.missing())


async def _recipient(patient: Patient) -> Check:
    name, email = "People", patient.settings.recipient
    try:
        people = await patient.store.read(
            lambda tx: tx.rows("SELECT email, role FROM operator WHERE removed_at IS NULL ORDER BY created_at, id")
        )
    except StoreUnavailable:
        return Check(name, False, "nobody can be looked up while the database is away", "See Database below.")
    if not people:
        mend = "Add yourself: gatebell operator add you@example.com --role admin"
        return Check(name, False, "there is no operator, so nobody can be asked", mend)
    if email and email not in {each["email"] for each in people}:
        mend = f"Add {email} as an operator, or correct ALERT_RECIPIENT_EMAIL."
        return Check(name, False, f"ALERT_RECIPIENT_EMAIL is {email}, who is no operator", mend)
    if not email and not any(each["role"] == "admin" for each in people):
        mend = "Give somebody the role admin, or set ALERT_RECIPIENT_EMAIL."
        return Check(name, False, "there is no admin, so what names nobody reaches nobody", mend)
    return Check(name, True, f"{len(people)} operator{'s' if len(people) > 1 else ''}")


def _disk(settings: Settings) -> Check:
    name, place = "Data directory", settings.data_dir
    if not os.access(place, os.W_OK):
        return Check(name, False, f"{place} cannot be written", "Let the user that runs Gatebell write there.")
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    if free < FREE:
        return Check(name, False, f"only {free // 2**20} MiB are free in {place}", "Make room, or move the data.")
    return Check(name, True, f"{free // 2**20:,} MiB free")


async def _database(patient: Patient) -> Sequence[Check]:
    kind = _kind(patient.settings)
    began = time.monotonic()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await patient.store.write(_touch)
    except StoreUnavailable as error:
        return broken_database(patient.settings, str(error)).checks
    except TimeoutError:
        return broken_database(patient.settings, f"it did not answer within {CHECK_SECONDS:.0f} seconds").checks
    took = (time.monotonic() - began) * 1000
    return (Check(kind, True, f"written and committed in {took:.0f} ms"),)


def broken_database(settings: Settings, cause: str) -> Part:
    kind = _kind(settings)
    mend = "Make room on the disk and let Gatebell write there." if kind == "SQLite" else "Look at DATABASE_URL."
    return Part("Database", (Check(kind, False, cause, mend),))


def _kind(settings: Settings) -> str:
    return "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"


async def _touch(tx: Tx) -> None:
    sql = "INSERT INTO seen (key, until) VALUES ('doctor', 0) ON CONFLICT (key) DO UPDATE SET until = 0"
    await tx.run(sql)


async def _redis(patient: Patient) -> Sequence[Check]:
    url = patient.settings.redis_url
    if not url:
        return (Check("Redis", True, "not used; one process needs none"),)
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import AuthenticationError, RedisError

    retry = Retry(NoBackoff(), 0)
    redis = Redis.from_url(url, retry=retry, socket_connect_timeout=CHECK_SECONDS, socket_timeout=CHECK_SECONDS)
    meanwhile = "Until then cooldown and pacing are kept in each process alone."
    try:
        await redis.ping()
    except AuthenticationError as error:
        mend = f"Put its password into REDIS_URL, as in redis://:PASSWORD@host:6379/0. {meanwhile}"
        return (Check("Redis", False, f"it does not take the login of REDIS_URL: {plain(error)}", mend),)
    except (RedisError, OSError, TimeoutError) as error:
        mend = f"Start it, or correct REDIS_URL. {meanwhile}"
        return (Check("Redis", False, f"it does not answer: {plain(error)}", mend),)
    finally:
        await redis.aclose()
    return (Check("Redis", True),)


# ---- clock ------------------------------------------------------------------------------------------------------


async def _clock(patient: Patient) -> Sequence[Check]:
    """Held against the platforms that are set up: they refuse what is signed at another time than theirs."""
    urls = [url for channel in patient.channels.values() for url in _platforms(channel, patient.settings)]
    async with ClientSession(timeout=ClientTimeout(total=CHECK_SECONDS)) as http:
        times = await asyncio.gather(*(_off(http, url) for url in urls))
    said = [(off, URL(url).host or "") for url, off in zip(urls, times, strict=True) if off is not None]
    silent = Check("Clock", True, "no platform that is set up says what time it is")
    return (_judged(*said[0]) if said else silent, *await _skew(patient))


async def _skew(patient: Patient) -> Sequence[Check]:
    """Held against the database, where there may be replicas."""
    if _kind(patient.settings) == "SQLite":
        return ()
    try:
        seconds = await skew.measure(patient.store, patient.now)
    except StoreUnavailable:
        return ()
    if abs(seconds) <= skew.MUCH:
        return (Check("Replicas", True, "as the database has it"),)
    mend = (
        "Switch time synchronisation (NTP) on, on every machine; until then replicas may send each other's work twice."
    )
    return (Check("Replicas", False, skew.words(seconds), mend),)


def _platforms(channel: Channel, settings: Settings) -> list[str]:
    """Addresses of the platform itself, which every installation is given."""
    if channel.missing():
        return []
    return [settings[each.name] for each in channel.fields if each.default.startswith("https://") and not each.secret]


async def _off(http: ClientSession, url: str) -> float | None:
    """Seconds by which this machine is ahead of whoever answers there."""
    try:
        async with http.head(url, allow_redirects=False) as answer:
            return time.time() - parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None


def _judged(off: float, host: str) -> Check:
    if abs(off) <= CLOCK_OFF:
        return Check("Clock", True, f"as {host} has it")
    where = "ahead of" if off > 0 else "behind"
    cause = f"this machine is {abs(off):.0f} seconds {where} {host}"
    mend = "Switch time synchronisation (NTP) on; until then signatures and tokens are refused."
    return Check("Clock", False, cause, mend)


# ---- the public address, channels ---------------------------------------------------------------------------------


async def _address(patient: Patient) -> Sequence[Check]:
    return await reach.look(reach.Place(patient.settings, patient.keys), patient.now())


def _looks(patient: Patient) -> Sequence[tuple[str, Look]]:
    first: tuple[tuple[str, Look], ...] = (
        ("Settings", _settings),
        ("Database", _database),
        ("Redis", _redis),
        ("Clock", _clock),
        (_ADDRESS, _address),
    )
    mine = [each for each in patient.channels.values() if each.name != CALLER_CHANNEL and each.fields]
    return (*first, *((each.title, _looking_at(each)) for each in mine))


def _looking_at(channel: Channel) -> Look:
    async def look(patient: Patient) -> Sequence[Check]:
        missing = channel.missing()
        if missing:
            return (_not_set_up(patient, channel, missing),)
        return await _asked(channel) or (Check("Settings", True),)

    return look


def _not_set_up(patient: Patient, channel: Channel, missing: Sequence[str]) -> Check:
    """Nothing is wrong with a channel that nobody wants; one that was begun wants to be finished."""
    if not _begun(patient.settings, channel):
        return Check("Settings", True, "not set up")
    mends = [each.mend for each in channel.fields if each.name in missing and each.mend]
    return Check("Settings", False, f"{', '.join(missing)} missing", " ".join(mends))


def _begun(settings: Settings, channel: Channel) -> bool:
    """Whether somebody wants this channel: it has a setting for it alone, or was put into the chain."""
    chain = settings.field("CHAIN")
    by_itself = chain.default.split(",") if chain else []
    put_there = channel.name in settings.chain and channel.name not in by_itself
    own = [each.name for each in channel.fields if not each.shared]
    return put_there or any(settings.sources.get(name, DEFAULT) != DEFAULT for name in own)


async def questioned(channel: Channel) -> Sequence[Check]:
    """What the channel finds out about itself by asking its platform."""
    return await _within_patience(_asked(channel))


async def _asked(channel: Channel) -> Sequence[Check]:
    return await channel.check() if isinstance(channel, CanCheck) else ()
