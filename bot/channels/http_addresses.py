"""Which addresses of others may be called: everything public, and what the owner allowed by name."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Self

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 3056 calls this anycast relay global; nothing that answers there can be a receiver of ours.
_RELAY = ipaddress.ip_network("192.88.99.0/24")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.ASCII)
# As browsers see it: a host whose last part is a number is an address or nothing.
_NUMERIC = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)\.?", re.ASCII)
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")
_ANY_PORT = 0


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet; an IPv4 address inside an IPv6 one is judged itself."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        return is_public(inner) if inner else address in _GLOBAL_UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in _RELAY


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def server_of(url: str) -> str:
    """Scheme, host and port; "" for what is no address."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return ""


def literal(host: str) -> Address | None:
    """The address that a host spells, also in the decimal, hexadecimal, octal and short forms; None for a name."""
    bare = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(bare.lower()):
        return None
    try:
        return IPv4Address(socket.inet_aton(bare.rstrip(".")))
    except OSError:
        raise ValueError(f"{host} is not a host: it looks like an address, but is none.") from None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Private hosts that the owner allows, as names and networks, each with a port or 0 for every port."""

    names: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[tuple[Network, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of a comma list of hosts, host:port, addresses and networks. Raises ValueError with a sentence."""
        names: set[tuple[str, int]] = set()
        networks: list[tuple[Network, int]] = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            host, port = _host_and_port(entry)
            network = _network(host)
            if network is not None:
                networks.append((network, port))
            elif _NAME.fullmatch(host):
                names.add((host.rstrip("."), port))
            else:
                raise ValueError(f"{entry} is neither a host, host:port, an address nor a network.")
        return cls(frozenset(names), tuple(networks))

    def name(self, host: str, port: int) -> bool:
        return not self.names.isdisjoint({(host.rstrip(".").lower(), each) for each in (port, _ANY_PORT)})

    def address(self, address: Address, port: int) -> bool:
        # A version-6 address that only wraps a version-4 one is allowed where the inner one is.
        faces = {address, (_inner(address) if isinstance(address, IPv6Address) else None) or address}
        return any(
            each.version == network.version and each in network
            for network, allowed in self.networks
            if allowed in (port, _ANY_PORT)
            for each in faces
        )


NOTHING = Allowed()


def may_call(host: str, port: int, address: Address, allowed: Allowed) -> bool:
    """Whether a connection to this address may be made for a request to this host."""
    return is_public(address) or allowed.address(address, port) or allowed.name(host, port)


def check_form(url: str) -> str:
    """The address as it is stored. Raises ValueError with a sentence for what is not a plain http(s) address."""
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in url.strip()) or "\\" in url:
        raise ValueError("The address holds a space, a backslash or a control character.")
    try:
        parsed = URL(url.strip())
        port = parsed.port
    except ValueError:
        raise ValueError("This is not an address. It should look like https://host.example/path.") from None
    host = (parsed.raw_host or "").lower()
    if parsed.scheme not in {"http", "https"}:
        raise ValueError("The address must begin with https:// or http://.")
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise ValueError("The address must not hold a user name or a password.")
    if not port:
        raise ValueError("The address has no usable port.")
    address = literal(host)
    if address is None and not _NAME.fullmatch(host):
        raise ValueError("The address has no host, or one that is not a host.")
    return str(parsed.with_host(str(address) if address else host).with_fragment(None))


def check_url(url: str, allowed: Allowed = NOTHING) -> str:
    """The address as it is stored. Raises ValueError with a sentence, also for hosts that are known to be private."""
    stored = check_form(url)
    parsed = URL(stored)
    host, port = parsed.raw_host or "", parsed.port or 0
    address = literal(host)
    if address is not None and not may_call(host, port, address, allowed):
        raise ValueError(refusal(host))
    if address is None and _is_local(host) and not allowed.name(host, port):
        raise ValueError(refusal(host))
    return stored


def refusal(host: str) -> str:
    return f"{host} is not a public address. If it should be reached, add it to ALLOWED_PRIVATE_HOSTS."


def _is_local(host: str) -> bool:
    bare = host.rstrip(".")
    return "." not in bare or any(bare == name or bare.endswith(f".{name}") for name in _LOCAL_NAMES)


def _host_and_port(entry: str) -> tuple[str, int]:
    head, colon, tail = entry.lower().rpartition(":")
    if colon and tail.isdecimal() and (":" not in head or head.endswith("]")):
        return head.strip("[]"), int(tail)
    return entry.lower().strip("[]"), _ANY_PORT


def _network(host: str) -> Network | None:
    try:
        return ipaddress.ip_network(host, strict=False)
    except ValueError:
        pass
    try:
        address = literal(host)
    except ValueError:
        return None
    return ipaddress.ip_network(address) if address else None
