"""Whether the server's public address leads to this server: it calls itself there, and knows its own answer."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientConnectorDNSError, ClientError, ClientSession, ClientSSLError, ClientTimeout

from bot.admin.web import is_sealed, seal_form

PLACE = "/setup/probe"
PATIENCE = ClientTimeout(total=6)


@dataclass(frozen=True, slots=True)
class Probed:
    """What was seen, in words."""

    ok: bool
    words: str


def reply(nonce: str, keys: Sequence[bytes], at: datetime) -> str:
    """What this server, and every replica of it, answers; nobody else can."""
    return seal_form(_subject(nonce), keys, at)


async def probe(http: ClientSession, base_url: str, keys: Sequence[bytes]) -> Probed:
    nonce = secrets.token_urlsafe(16)
    try:
        async with http.get(f"{base_url}{PLACE}/{nonce}", allow_redirects=False, timeout=PATIENCE) as response:
            said = (await response.content.read(200)).decode(errors="replace")
            if response.status == 200 and is_sealed(said, _subject(nonce), keys):
                return Probed(True, f"The server called {base_url} and reached itself.")
            return Probed(False, f"{base_url} answers {response.status}, but that is not this server.")
    except ClientConnectorDNSError:
        return Probed(
            False, f"The name in {base_url} is not known. Look for a mistyped letter, or for a missing DNS entry."
        )
    except ClientSSLError:
        return Probed(False, f"{base_url} has a certificate that cannot be trusted, or none.")
    except TimeoutError:
        return Probed(
            False, f"{base_url} did not answer within {PATIENCE.total:.0f} seconds. A firewall may be in between."
        )
    except (ClientError, OSError):
        return Probed(False, f"Nothing answers at {base_url}. Is the proxy or the tunnel in front of Gatebell running?")


def _subject(nonce: str) -> str:
    return f"probe {nonce}"
