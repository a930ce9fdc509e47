"""The doctor: everything that can be looked at without a person, each with its cause and its mend.

The Health page and `gatebell doctor` show the same. Nothing is called but what the owner has set up.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot.channels.contract import CALLER_CHANNEL, CanCheck, Channel, Check
from bot.settings import Settings, is_loopback
from bot.store import Row, Store, StoreUnavailable, Tx

REACH = "/admin/health/reach"  # answers a riddle that only this installation can solve
PATIENCE = 8.0  # seconds for each thing that is asked over the network
CHECKS_PATIENCE = 20.0  # for all questions to one channel
CLOCK_OFF = 60.0  # Slack refuses what is five minutes off; Microsoft's tokens are as strict
CERTIFICATE_DAYS = 14
DAY = 86400.0
ROOM = 200 * 1024 * 1024  # bytes that should be free for the database


@dataclass(frozen=True, slots=True)
class Part:
    """Checks of one thing. A check that is well may still have a cause: then it is something to know."""

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


async def examine(patient: Patient) -> tuple[Part, ...]:
    """Everything at once; the answer comes within half a minute whatever hangs."""
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE)) as http:
        looked = await asyncio.gather(
            _settings(patient),
            _database(patient),
            _redis(patient.settings),
            _clock(patient, http),
            _address(patient, http),
            *(_channel(patient, channel) for channel in patient.channels.values() if _is_set_by_owner(channel)),
        )
    return tuple(looked)


async def examine_address(patient: Patient) -> Part:
    """Whether the public address leads here, and nothing else."""
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE)) as http:
        return await _address(patient, http)


def flawed(flaws: Sequence[tuple[str, str, str]]) -> Part:
    """The one part that there is where the settings themselves are wrong: (name, wrong, mend)."""
    return Part("Settings", tuple(Check(name, False, wrong, mend) for name, wrong, mend in flaws))


def answer_to(riddle: str, keys: Sequence[bytes]) -> str:
    return hmac.new(keys[0], f"reach\0{riddle}".encode(errors="replace"), hashlib.sha256).hexdigest()


# ---- settings, database, Redis ----------------------------------------------------------------------------------


async def _settings(patient: Patient) -> Part:
    settings = patient.settings
    warnings = tuple(Check("Setting", True, warning) for warning in settings.warnings)
    return Part(
        "Settings",
        (
            Check("Values", True, f"kept in {settings.data_dir}"),
            *warnings,
            _chain(patient),
            await _recipient(patient),
            _disk(settings),
        ),
    )


def _chain(patient: Patient) -> Check:
    ready = [name for name in patient.settings.chain if not _missing(patient, name)]
    if ready:
        return Check("Chain", True, f"people are told through {', then '.join(ready)}")
    mend = "Set up one channel under General → Notifications, or name one that is set up in CHAIN."
    return Check("Chain", False, "no channel of the chain is set up, so nobody can be told", mend)


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
    if free < ROOM:
        return Check(name, False, f"only {free // 2**20} MiB are free in {place}", "Make room, or move the data.")
    return Check(name, True, f"{free // 2**20:,} MiB free")


async def _database(patient: Patient) -> Part:
    kind = "SQLite" if patient.settings.database_url.startswith("sqlite") else "PostgreSQL"
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            await patient.store.write(_touch)
    except StoreUnavailable as error:
        return broken_database(kind, str(error))
    except TimeoutError:
        return broken_database(kind, f"it did not answer within {PATIENCE:.0f} seconds")
    took = (time.monotonic() - began) * 1000
    return Part("Database", (Check(kind, True, f"written and committed in {took:.0f} ms"),))


def broken_database(kind: str, cause: str) -> Part:
    mend = "Make room on the disk and let Gatebell write there." if kind == "SQLite" else "Look at DATABASE_URL."
    return Part("Database", (Check(kind, False, cause, mend),))


async def _touch(tx: Tx) -> None:
    sql = "INSERT INTO seen (key, until) VALUES ('doctor', 0) ON CONFLICT (key) DO UPDATE SET until = 0"
    await tx.run(sql)


async def _redis(settings: Settings) -> Part:
    if not settings.redis_url:
        return Part("Redis", (Check("Redis", True, "not used; one process needs none"),))
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
    try:
        await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        mend = "Start it, or correct REDIS_URL. Until then cooldown and pacing are kept in each process alone."
        return Part("Redis", (Check("Redis", False, f"it does not answer: {_plain(error)}", mend),))
    finally:
        await redis.aclose()
    return Part("Redis", (Check("Redis", True),))


# ---- clock ------------------------------------------------------------------------------------------------------


async def _clock(patient: Patient, http: ClientSession) -> Part:
    """Held against the platforms that are set up: they refuse what is signed at another time than theirs."""
    for channel in patient.channels.values():
        for url in _platforms(channel, patient.settings):
            if (theirs := await _their_time(http, url)) is not None:
                return Part("Clock", (_judged(time.time() - theirs, URL(url).host or ""),))
    return Part("Clock", (Check("Clock", True, "no platform that is set up says what time it is"),))


def _platforms(channel: Channel, settings: Settings) -> list[str]:
    """Addresses of the platform itself, which every installation is given."""
    if channel.missing():
        return []
    return [settings[each.name] for each in channel.fields if each.default.startswith("https://") and not each.secret]


async def _their_time(http: ClientSession, url: str) -> float | None:
    try:
        async with http.head(url, allow_redirects=False) as answer:
            return parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None


def _judged(off: float, host: str) -> Check:
    if abs(off) <= CLOCK_OFF:
        return Check("Clock", True, f"as {host} has it")
    where = "ahead of" if off > 0 else "behind"
    cause = f"this machine is {abs(off):.0f} seconds {where} {host}"
    mend = "Switch time synchronisation (NTP) on; until then signatures and tokens are refused."
    return Check("Clock", False, cause, mend)


# ---- the public address -----------------------------------------------------------------------------------------


async def _address(patient: Patient, http: ClientSession) -> Part:
    base = URL(patient.settings.base_url)
    checks = [await _resolved(base)]
    if checks[-1].ok and base.scheme == "https":
        checks.append(await _tls(patient, base))
    if checks[-1].ok:
        checks.append(await _reached(patient, http, base))
    return Part("Public address", tuple(checks))


async def _resolved(base: URL) -> Check:
    host = base.host or ""
    if is_loopback(host):
        cause = f"{base} can be opened on this machine only"
        return Check("DNS", True, cause, "Set BASE_URL to the address at which people and platforms reach you.")
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.get_running_loop().getaddrinfo(host, base.port)
    except (OSError, TimeoutError, UnicodeError) as error:
        mend = "Make a DNS record for it, or correct BASE_URL."
        return Check("DNS", False, f"{host} has no address in DNS ({_plain(error)})", mend)
    addresses = sorted({str(each[4][0]) for each in found})
    return Check("DNS", True, f"{host} is {', '.join(addresses[:3])}")


async def _tls(patient: Patient, base: URL) -> Check:
    try:
        ends = await _certificate_ends(base.host or "", base.port or 443)
    except ssl.SSLError as error:
        mend = "Install a certificate for this name that public authorities vouch for, with its whole chain."
        return Check("TLS", False, _plain(error), mend)
    except (OSError, TimeoutError) as error:
        return await _unreached(patient, base, error)
    left = (ends - patient.now().timestamp()) / DAY
    if left > CERTIFICATE_DAYS:
        return Check("TLS", True, f"the certificate holds for {left:.0f} more days")
    return Check("TLS", False, f"the certificate ends in {left:.0f} days", "Renew it; platforms refuse an old one.")


async def _certificate_ends(host: str, port: int) -> float:
    context = await asyncio.to_thread(ssl.create_default_context)
    async with asyncio.timeout(PATIENCE):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        return ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"])
    finally:
        writer.close()


async def _reached(patient: Patient, http: ClientSession, base: URL) -> Check:
    """Whether a call to BASE_URL comes out at this very installation."""
    riddle = secrets.token_hex(16)
    target = base.with_path(base.path.rstrip("/") + REACH).with_query(riddle=riddle)
    try:
        async with http.get(target, allow_redirects=False) as answer:
            said, status = (await answer.content.read(200)).strip(), answer.status
    except (ClientError, OSError, TimeoutError) as error:
        return await _unreached(patient, base, error)
    if any(hmac.compare_digest(said, answer_to(riddle, [key]).encode()) for key in patient.keys):
        return Check("Reaches us", True)
    mend = "Let the proxy in front pass every path to Gatebell unchanged, or correct BASE_URL."
    return Check("Reaches us", False, f"something else answers at {base} (HTTP {status})", mend)


async def _unreached(patient: Patient, base: URL, error: Exception) -> Check:
    if not await _listens(patient.settings):
        cause = "Gatebell is not running, so whether the address leads to it was not tried"
        return Check("Reaches us", True, cause, "Start it with gatebell serve and look again.")
    mend = "Point BASE_URL at this server: its proxy or firewall must let requests through to HOST and PORT."
    return Check("Reaches us", False, f"{base} does not answer: {_plain(error)}", mend)


async def _listens(settings: Settings) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(_own_host(settings.host), settings.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _own_host(host: str) -> str:
    """Where a server that listens on every address is found from its own machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


# ---- channels ---------------------------------------------------------------------------------------------------


def _is_set_by_owner(channel: Channel) -> bool:
    return channel.name != CALLER_CHANNEL and bool(channel.fields)


async def _channel(patient: Patient, channel: Channel) -> Part:
    missing = channel.missing()
    if missing:
        return Part(channel.title, (_not_set_up(patient, channel, missing),))
    checks = [*await questioned(channel), *await _turned_away(patient, channel)]
    return Part(channel.title, tuple(checks) or (Check("Settings", True),))


def _not_set_up(patient: Patient, channel: Channel, missing: Sequence[str]) -> Check:
    """Nothing is wrong with a channel that nobody wants; one that was begun wants to be finished."""
    begun = any(patient.settings.sources.get(each.name, "default") != "default" for each in channel.fields)
    cause = f"{', '.join(missing)} missing"
    mends = [each.mend for each in channel.fields if each.name in missing and each.mend]
    if begun:
        return Check("Settings", False, cause, " ".join(mends))
    return Check("Settings", True, f"not set up: {cause}")


async def questioned(channel: Channel) -> Sequence[Check]:
    """What the channel finds out about itself by asking its platform."""
    if not isinstance(channel, CanCheck):
        return ()
    try:
        async with asyncio.timeout(CHECKS_PATIENCE):
            return await channel.check()
    except TimeoutError:
        cause = f"no answer within {CHECKS_PATIENCE:.0f} seconds"
        return (Check("Answer", False, cause, "Let this server reach the platform's addresses."),)
    except StoreUnavailable as error:
        return (Check("Answer", False, str(error), "See Database above."),)


async def _turned_away(patient: Patient, channel: Channel) -> Sequence[Check]:
    """What people sent and we refused: the one place where a wrong secret for their answers shows."""
    since = patient.now().timestamp() - DAY
    try:
        refused = await patient.store.read(lambda tx: _refusals(tx, channel.name, since))
    except StoreUnavailable:
        return ()
    if not refused:
        return ()
    cause = f"no answer of a person has counted since {len(refused)} calls were refused: {refused[0]}"
    return (Check("Answers", False, cause, _mend_of_answers(channel)),)


def _mend_of_answers(channel: Channel) -> str:
    """The settings that prove who calls."""
    named = [each for each in channel.fields if each.name.endswith(("SIGNING_SECRET", "APP_ID", "TENANT_ID"))]
    return " ".join(f"{each.name}: {each.mend}" for each in named) or "Compare the settings with the platform's own."


async def _refusals(tx: Tx, platform: str, since: float) -> list[str]:
    """Why calls of a platform were refused after the last one that was taken, newest first."""
    rows = await tx.rows(
        "SELECT detail FROM audit WHERE action = 'click.refused' AND place = :place AND subject = '' AND at > :since"
        " AND seq > COALESCE((SELECT MAX(seq) FROM audit WHERE place = :place AND action LIKE 'interaction.%'), 0)"
        " ORDER BY seq DESC LIMIT 100",
        {"place": platform, "since": since},
    )
    return [why for row in rows if "signature" in (why := _why(row)) or "token" in why]


def _why(row: Row) -> str:
    return str(json.loads(row["detail"]).get("why", ""))


def _plain(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:300]
