"""What a package is made of, and what cannot be right about it, in words that name the setting."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import SplitResult, urlsplit
from uuid import UUID, uuid5

_OURS = UUID("972b9cad-6bd8-4f29-a9fe-4d7cd516d8a7")
_LONGEST_URL = 2048
# A version as Teams compares it: three numbers without leading zeros.
_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: with which setting, why, and how to mend it."""

    setting: str
    wrong: str
    mend: str

    def __str__(self) -> str:
        return f"{self.setting} {self.wrong}. {self.mend}"


class Unfit(Exception):
    """No package can be made of these settings. Lists every flaw."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


@dataclass(frozen=True, slots=True)
class TeamsApp:
    """One installation's app. Teams asks for the three pages; where none is given it is the installation's own.

    Teams takes a changed package only under a higher `version`.
    """

    app_id: str
    base_url: str
    name: str = "Gatebell"
    full_name: str = ""
    developer: str = "Gatebell"
    version: str = "1.0.0"
    website: str = ""
    privacy: str = ""
    terms: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        """Of TEAMS_APP_ID and BASE_URL."""
        return cls(settings.get("TEAMS_APP_ID", ""), settings.get("BASE_URL", ""))

    def checked(self) -> Self:
        """The same in the form that goes into the package. Raises Unfit."""
        flaws = self.flaws()
        if flaws:
            raise Unfit(flaws)
        base = self.base_url.strip().rstrip("/")
        return replace(
            self,
            app_id=str(UUID(self.app_id.strip())),
            base_url=base,
            name=self.name.strip(),
            full_name=self.full_name.strip() or self.name.strip(),
            developer=self.developer.strip(),
            website=self.website or base,
            privacy=self.privacy or base,
            terms=self.terms or base,
        )

    @property
    def package_id(self) -> str:
        """The app's id in Teams: always the same for the same bot, so that an upload replaces and never doubles it."""
        return str(uuid5(_OURS, str(UUID(self.app_id))))

    @property
    def domain(self) -> str:
        """The host of BASE_URL as Teams compares it."""
        parts = urlsplit(self.base_url)
        host = (parts.hostname or "").encode("idna").decode()
        return f"{host}:{parts.port}" if parts.port not in {None, 443} else host

    def flaws(self) -> tuple[Flaw, ...]:
        """Everything that keeps a package from being made; empty means that it can be."""
        return (
            *_about_id(self.app_id),
            *_about_base(self.base_url),
            *_about_text("the short name", self.name, 30),
            *_about_text("the full name", self.full_name.strip() or self.name, 100),
            *_about_text("the developer's name", self.developer, 32),
            *_about_version(self.version),
            *_about_page("the website", self.website),
            *_about_page("the page about privacy", self.privacy),
            *_about_page("the terms of use", self.terms),
        )


def _about_id(value: str) -> Iterator[Flaw]:
    mend = "Copy “Application (client) ID” from the app's overview in Microsoft Entra."
    if not value.strip():
        yield Flaw("TEAMS_APP_ID", "is empty", mend)
        return
    try:
        UUID(value.strip())
    except ValueError:
        yield Flaw("TEAMS_APP_ID", "is no GUID such as 11111111-2222-4333-8444-555555555555", mend)


def _about_base(value: str) -> Iterator[Flaw]:
    mend = "Set it to the address at which Microsoft reaches this server, such as https://gatebell.example.com."
    wrong = _wrong_base(value.strip())
    if wrong:
        yield Flaw("BASE_URL", wrong, mend)


def _wrong_base(value: str) -> str:
    parts = _split(value)
    if not value:
        return "is empty"
    if parts is None or not parts.hostname:
        return "is no address"
    if parts.scheme != "https":
        return f"begins with {parts.scheme}://, and Teams calls a bot over https:// alone"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "holds more than a host and a path"
    if len(value) > _LONGEST_URL:
        return "is too long"
    return _wrong_host(parts.hostname)


def _wrong_host(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            host.encode("idna")
        except UnicodeError:
            return "holds no host that a name server knows"
        is_local = host == "localhost" or host.endswith(".localhost")
        return "is this machine alone, which Microsoft cannot reach" if is_local else ""
    return "" if address.is_global else "is a private address, which Microsoft cannot reach"


def _about_text(what: str, value: str, longest: int) -> Iterator[Flaw]:
    text = value.strip()
    if not text:
        yield Flaw(what, "is empty", f"Give 1 to {longest} characters.")
    elif len(text) > longest:
        yield Flaw(what, f"has {len(text)} characters", f"Teams takes {longest}.")
    elif not text.isprintable():
        yield Flaw(what, "holds characters that nobody can see", "Type it again.")


def _about_version(value: str) -> Iterator[Flaw]:
    if not _VERSION.fullmatch(value):
        yield Flaw("the version", f"is {value!r}", "Give three numbers such as 1.0.1.")


def _about_page(what: str, value: str) -> Iterator[Flaw]:
    parts = _split(value)
    if value and (parts is None or parts.scheme != "https" or not parts.hostname or len(value) > _LONGEST_URL):
        yield Flaw(what, "is no https:// address", "Give one, or leave it out for BASE_URL.")


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return None if re.search(r"[\s\x00-\x1f\"<>\\^`{|}]", value) else parts
