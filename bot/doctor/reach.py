"""Whether the public address leads here: its name, its certificate, and where a call to it comes out."""

import asyncio
import hashlib
import hmac
import os
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bot.channels.contract import CHECK_SECONDS, Check
from bot.settings import Settings, is_loopback, own_host

REACH = "/admin/health/reach"  # answers a riddle that only this installation can solve
CERTIFICATE_DAYS = 14
DAY = 86400.0

_AUTHORITIES = "Install one for this name that public authorities vouch for, with its whole chain (fullchain.pem)."
# OpenSSL's own numbers, X509_V_ERR_…: what is wrong, and the mend.
_FLAWS = {
    9: ("the certificate is not valid yet", "Look at this machine's clock, or wait."),
    10: ("the certificate has expired", "Renew it; platforms refuse an old one."),
    18: ("no authority vouches for the certificate: it vouches for itself", _AUTHORITIES),
    19: ("the certificate's authority is nobody that this machine trusts", _AUTHORITIES),
    20: ("the certificate's authority is unknown here, or its chain is not whole", _AUTHORITIES),
    21: ("the certificate's authority is unknown here, or its chain is not whole", _AUTHORITIES),
    62: ("the certificate is for another name than {host}", "Get one for this name, or correct BASE_URL."),
    64: ("the certificate is for another address than {host}", "Get one for this address, or correct BASE_URL."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where this installation is, and the keys that only it has, newest first."""

    settings: Settings
    keys: Sequence[bytes]

    @property
    def base(self) -> URL:
        return URL(self.settings.base_url)


def answer_to(riddle: str, keys: Sequence[bytes]) -> str:
    return hmac.new(keys[0], f"reach\0{riddle}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def look(place: Place, at: datetime) -> Sequence[Check]:
    """One step after the other; the first that fails is the last."""
    checks = [await _resolved(place.base)]
    if checks[-1].ok and place.base.scheme == "https":
        checks.append(await _tls(place, at))
    if checks[-1].ok:
        checks.append(await _reached(place))
    return checks


async def _resolved(base: URL) -> Check:
    host = base.host or ""
    if is_loopback(host):
        cause = f"{base} can be opened on this machine only"
        return Check("DNS", True, cause, "Set BASE_URL to the address at which people and platforms reach you.")
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, base.port)
    except (OSError, TimeoutError, UnicodeError) as error:
        mend = "Make a DNS record for it, or correct BASE_URL."
        return Check("DNS", False, f"{host} has no address in DNS ({plain(error)})", mend)
    addresses = sorted({str(each[4][0]) for each in found})
    return Check("DNS", True, f"{host} is {', '.join(addresses[:3])}")


async def _tls(place: Place, at: datetime) -> Check:
    host, port = place.base.host or "", place.base.port or 443
    try:
        ends = await _certificate_ends(host, port)
    except ssl.SSLCertVerificationError as error:
        cause, mend = _FLAWS.get(error.verify_code, (f"the certificate does not hold: {error.verify_message}", ""))
        return Check("TLS", False, cause.format(host=host), mend or _AUTHORITIES)
    except ssl.SSLError:
        mend = "BASE_URL says https: put a proxy with a certificate there, in front of Gatebell, or correct BASE_URL."
        return Check("TLS", False, f"what answers at {host}:{port} does not speak TLS", mend)
    except (OSError, TimeoutError) as error:
        return await _unreached(place, error)
    left = (ends - at.timestamp()) / DAY
    if left > CERTIFICATE_DAYS:
        return Check("TLS", True, f"the certificate holds for {left:.0f} more days")
    return Check("TLS", False, f"the certificate ends in {left:.0f} days", "Renew it; platforms refuse an old one.")


async def _certificate_ends(host: str, port: int) -> float:
    context = await asyncio.to_thread(ssl.create_default_context)
    async with asyncio.timeout(CHECK_SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        return ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"])
    finally:
        writer.close()


async def _reached(place: Place) -> Check:
    """Whether a call to BASE_URL comes out at this very installation."""
    base, riddle = place.base, secrets.token_hex(16)
    target = base.with_path(base.path.rstrip("/") + REACH).with_query(riddle=riddle)
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=CHECK_SECONDS)) as http,
            http.get(target, allow_redirects=False) as answer,
        ):
            said, status = (await answer.content.read(200)).strip(), answer.status
    except (ClientError, OSError, TimeoutError) as error:
        return await _unreached(place, error)
    if any(hmac.compare_digest(said, answer_to(riddle, [key]).encode()) for key in place.keys):
        return Check("Reaches us", True)
    mend = "Let the proxy in front pass every path to Gatebell unchanged, or correct BASE_URL."
    return Check("Reaches us", False, f"something else answers at {base} (HTTP {status})", mend)


async def _unreached(place: Place, error: Exception) -> Check:
    if not await _listens(place.settings):
        cause = "Gatebell is not running, so whether the address leads to it was not tried"
        return Check("Reaches us", True, cause, "Start it with gatebell serve and look again.")
    mend = "Point BASE_URL at this server: its proxy or firewall must let requests through to HOST and PORT."
    return Check("Reaches us", False, f"{place.base} does not answer: {plain(error)}", mend)


async def _listens(settings: Settings) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            _, writer = await asyncio.open_connection(own_host(settings.host), settings.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def plain(error: BaseException) -> str:
    """What the machine said, without what only its programmers read; a time-out says nothing itself."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return (str(error) or type(error).__name__)[:300]
