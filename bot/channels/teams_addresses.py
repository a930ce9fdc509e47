"""Which hosts the bot's token may go to: Microsoft's own, and what the owner adds."""

import ipaddress
from dataclasses import dataclass
from typing import Self

from yarl import URL

# The connectors of the public and the government clouds. Never a whole shared domain such as trafficmanager.net,
# under which anybody can have a name.
_HOSTS = frozenset(
    {
        "smba.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    }
)
_DOMAINS = (".botframework.com", ".botframework.azure.us")
_EVERY_PORT = 0


@dataclass(frozen=True, slots=True)
class ServiceHosts:
    """The owner's further hosts, each with a port or 0 for every port."""

    own: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of a comma list of `host` and `host:port`. Raises ValueError with a sentence."""
        return cls(frozenset(_host_and_port(part.strip()) for part in text.split(",") if part.strip()))

    def allowed(self, url: str) -> str:
        """The address as it is stored, ending in a slash. Raises ValueError with a sentence for any other host."""
        parsed = service_url(url)
        host, port = parsed.raw_host or "", parsed.port or 0
        if (host, port) in self.own or (host, _EVERY_PORT) in self.own:
            return _with_slash(parsed)
        if parsed.scheme == "https" and port == 443 and (host in _HOSTS or host.endswith(_DOMAINS)):
            return _with_slash(parsed)
        raise ValueError(
            f"{host}:{port} is not a host of Microsoft Teams, so the bot's token is not sent there. "
            "If it is yours, add it to TEAMS_SERVICE_URL_HOSTS."
        )


def service_url(url: str) -> URL:
    """The parsed address: https, or http on this machine. Raises ValueError with a sentence."""
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url) or "\\" in url:
        raise ValueError("The service URL holds a space, a backslash or a control character.")
    try:
        parsed = URL(url)
        whole = parsed.port and parsed.raw_host
    except ValueError:
        whole = None
        parsed = URL()
    if not whole or parsed.scheme not in {"http", "https"}:
        raise ValueError("The service URL must look like https://smba.trafficmanager.net/emea/.")
    if parsed.raw_user is not None or parsed.raw_password is not None or parsed.raw_query_string or parsed.raw_fragment:
        raise ValueError("The service URL must hold no user name, no query and no fragment.")
    if parsed.scheme == "http" and not is_loopback(parsed.raw_host or ""):
        raise ValueError("The service URL must begin with https://.")
    return parsed


def own_url(url: str) -> str:
    """An address of the owner's choice, without a slash at its end: https, or http on this machine."""
    stored = url.strip().rstrip("/")
    return str(service_url(stored)).rstrip("/") if stored else ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_slash(parsed: URL) -> str:
    return str(parsed).rstrip("/") + "/"


def _host_and_port(entry: str) -> tuple[str, int]:
    try:
        parsed = URL(f"https://{entry}/")
        port = parsed.explicit_port
    except ValueError:
        parsed, port = URL(), None
    if not parsed.raw_host or parsed.raw_path != "/" or parsed.raw_user is not None or "*" in entry:
        raise ValueError(f"{entry} is neither a host nor host:port.")
    return parsed.raw_host, port or _EVERY_PORT
