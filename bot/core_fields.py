"""The core's own settings and what counts as a right value. A channel states its own beside its code."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from bot.channels.contract import Field


def _flag(value: str) -> str:
    known = {"on": "on", "true": "on", "yes": "on", "1": "on", "off": "off", "false": "off", "no": "off", "0": "off"}
    if value.casefold() not in known:
        raise ValueError(f"{value!r} is neither on nor off")
    return known[value.casefold()]


def _one_of(*known: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.casefold() not in known:
            raise ValueError(f"{value!r} is not one of {', '.join(known)}")
        return value.casefold()

    return check


def _listened_on(value: str) -> str:
    """An address of this machine, without the brackets that it has in a URL, or a name of it."""
    try:
        return str(ipaddress.ip_address(value.removeprefix("[").removesuffix("]")))
    except ValueError:
        if not _is_host_name(value):
            raise ValueError(f"{value!r} is neither an IP address nor the name of a host") from None
        return value.casefold()


def _is_host_name(value: str) -> bool:
    """Labels with dots between them; a last one of digits alone would be read as part of an address."""
    *_, last = labels = value.removesuffix(".").split(".")
    right = all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels)
    return right and len(value) < 254 and not last.isdigit()


def _port(value: str) -> str:
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError(f"{value!r} is not a port")
    return str(int(value))


def _seconds(value: str) -> str:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 31 * 86400:
        raise ValueError(f"{value!r} is not a number of seconds between 0 and 31 days")
    return value


def _days(value: str) -> str:
    if not value.isascii() or not value.isdigit() or int(value) > 36_500:
        raise ValueError(f"{value!r} is not a number of days up to 36500")
    return str(int(value))


def _address(*schemes: str, secret: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        parts = urlsplit(value)
        said = "the address" if secret or "@" in value or "?" in value else f"“{value}”"
        if parts.scheme not in schemes:
            raise ValueError(f"{said} lacks {schemes[-1]}:// at its beginning")
        if not parts.hostname:
            raise ValueError(f"{said} names no host")
        return value.rstrip("/")

    return check


def _database(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    parts = urlsplit(f"x://{rest}")
    if scheme in {"postgres", "postgresql", "postgresql+asyncpg"} and (parts.hostname or "host=" in parts.query):
        return f"postgresql://{rest}"
    if scheme.startswith("sqlite") and separator and rest.startswith("/") and len(rest) > 1:
        return f"sqlite://{rest}"
    raise ValueError("the address is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/NAME")


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+", value):
        raise ValueError(f"{value!r} is not one e-mail address")
    return value.casefold()


def _names(value: str) -> str:
    names = [part.strip().casefold() for part in value.split(",") if part.strip()]
    wrong = [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_-]*", name)]
    if wrong or len(set(names)) < len(names):
        raise ValueError(f"{value!r} is not a comma list of different channels")
    return ",".join(names)


def _types(value: str) -> str:
    names = [part.strip() for part in value.split(",") if part.strip()]
    wrong = [name for name in names if not re.fullmatch(r"[A-Za-z0-9_.:/-]+", name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not a type of event")
    return ",".join(names)


def _hosts(value: str) -> str:
    return ",".join(_host(part.strip()) for part in value.split(",") if part.strip())


def _host(value: str) -> str:
    if found := re.fullmatch(r"(\[[^\]]+\]|[^:/]+):(\d{1,5})", value):
        _host(found[1].strip("[]"))
        return value.casefold()
    try:
        return str(ipaddress.ip_network(value, strict=False)) if "/" in value else str(ipaddress.ip_address(value))
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", value):
            raise ValueError(f"{value!r} is neither a host nor a network such as 10.1.0.0/16") from None
        return value.casefold()


def _secret_key(value: str) -> str:
    if any(len(part.strip()) < 16 for part in value.split(",")):
        raise ValueError("one of its parts is shorter than 16 characters")
    return value


def _agent_secret(value: str) -> str:
    if len(value.strip()) < 16:
        raise ValueError("the secret is shorter than 16 characters, so it could be guessed")
    return value


def _named(*values: str) -> tuple[tuple[str, str], ...]:
    """Choices that say themselves what they are."""
    return tuple((value, value) for value in values)


_LEVELS = ("debug", "info", "warning", "error")
_FORMATS = ("auto", "json", "text")

CORE: tuple[Field, ...] = (
    Field("GATEBELL_DATA_DIR", "Where the database, the saved settings and the secret key live.", "./data"),
    Field(
        "HOST",
        "The address to listen on.",
        "127.0.0.1",
        check=_listened_on,
        mend="Give an address of this machine such as 127.0.0.1, or 0.0.0.0 for all of them.",
    ),
    Field("PORT", "The port to listen on; 0 takes a free one.", "8080", check=_port, mend="Give a number up to 65535."),
    Field(
        "BASE_URL",
        "How people and platforms reach this server; the default is made of HOST and PORT.",
        check=_address("http", "https"),
        mend="Give an address such as https://gatebell.example.com.",
    ),
    Field(
        "DATABASE_URL",
        "SQLite in the data directory by default; PostgreSQL for several replicas.",
        secret=True,
        check=_database,
        mend="Leave it empty for SQLite in the data directory.",
    ),
    Field(
        "REDIS_URL",
        "Redis or Valkey for several replicas; empty: in memory.",
        secret=True,
        check=_address("rediss", "redis", secret=True),
        mend="Give an address such as redis://localhost:6379/0, or leave it empty.",
    ),
    Field(
        "SECRET_KEY",
        "What buttons, links and the audit log are signed with; made on first start. A comma list rotates.",
        secret=True,
        check=_secret_key,
        mend="Leave it empty to have one made, or give at least 16 random characters.",
    ),
    Field(
        "ALERT_RECIPIENT_EMAIL",
        "Who is told where an event names nobody; the default is the first admin.",
        check=_email,
        mend="Give one address such as ana@example.com.",
    ),
    Field(
        "ALERTING_ENABLED",
        "Off: events are stored but nobody is told. Questions are asked all the same.",
        "on",
        aliases=("MCPGATEWAY_ALERTING_ENABLED",),
        check=_flag,
        mend="Say on or off.",
    ),
    Field(
        "EVENTS_DISABLED",
        "Types of events of which nobody is told; a comma list.",
        check=_types,
        mend="Give types such as pii.redaction_warning.",
    ),
    Field(
        "MCPGATEWAY_ALERT_EMAIL_ENABLED",
        "Off: e-mail is taken out of the chain.",
        "on",
        check=_flag,
        mend="Say on or off.",
    ),
    Field(
        "COOLDOWN_SECONDS",
        "For how long the same event with the same context is not told again.",
        "3600",
        check=_seconds,
        mend="Give seconds such as 3600; 0 switches it off.",
    ),
    Field(
        "RETENTION_DAYS",
        "For how many days events, cards and their deliveries are kept once they are over. The audit log stays.",
        "90",
        check=_days,
        mend="Give days such as 90; 0 keeps everything.",
    ),
    Field(
        "CHAIN",
        "The channels in fallback order.",
        "slack,teams,email",
        check=_names,
        mend="Give names such as slack,teams,email.",
    ),
    Field(
        "PACING",
        "Keep to the platforms' limits; off only for benchmarks and platforms without limits.",
        "on",
        check=_flag,
        mend="Say on or off.",
    ),
    Field(
        "AGENT_URL",
        "Where messages go that people write to the bot.",
        check=_address("http", "https", secret=True),
        mend="Give the address of your agent's endpoint, or leave it empty.",
    ),
    Field(
        "AGENT_SECRET",
        "What those calls are signed with.",
        secret=True,
        check=_agent_secret,
        mend="Make one: whsec_ and the output of openssl rand -base64 32. Give it to the agent too.",
    ),
    Field(
        "INTERNAL_SERVER_URL",
        "For a later release; nothing reads it yet.",
        check=_address("http", "https"),
        mend="Give the address of your platform's internal server, or leave it empty.",
    ),
    Field(
        "ALLOWED_PRIVATE_HOSTS",
        "Private hosts or networks that webhooks and callbacks may reach; a comma list.",
        check=_hosts,
        mend="Give hosts or networks such as hooks.internal,10.1.0.0/16.",
    ),
    Field(
        "LOG_LEVEL",
        "How much is logged.",
        "info",
        check=_one_of(*_LEVELS),
        mend="Leave it out for info.",
        choices=_named(*_LEVELS),
    ),
    Field(
        "LOG_FORMAT",
        "json, text, or auto: text on a terminal.",
        "auto",
        check=_one_of(*_FORMATS),
        mend="Leave it out for auto.",
        choices=_named(*_FORMATS),
    ),
    Field(
        "GATEBELL_TEST_CLOCK",
        "On: POST /testing/clock moves time forward. Only on a loopback host.",
        "off",
        check=_flag,
        mend="Say on or off.",
    ),
)
