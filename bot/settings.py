"""Settings: one typed table of fields, read from the environment, the saved file and `.env`, checked all at once."""

import dataclasses
import difflib
import ipaddress
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.channels.contract import Field
from bot.core_fields import CORE
from bot.env_file import Unreadable, change, read

SAVED = "gateway.env"
KEY_FILE = "secret.key"
ENVIRONMENT = "the environment"
DEFAULT = "default"
GIVEN = "what was given"

_CLIENT = frozenset({"GATEBELL_URL", "GATEBELL_API_KEY"})  # the Python client's own, often set beside the server's


@dataclass(frozen=True, slots=True)
class Flaw:
    """One wrong setting, in plain words."""

    name: str
    wrong: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"

    @property
    def words(self) -> str:
        """As sentences."""
        return f"{self.wrong}. {self.mend}".strip()


class SettingsFault(Exception):
    """Everything that is wrong with the settings, so that it can be mended in one go."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


@dataclass(frozen=True, slots=True)
class Settings(Mapping[str, str]):
    """Every setting by name, as its field's check left it; "" where nothing was said. `sources`: where each is from."""

    values_by_name: Mapping[str, str]
    sources: Mapping[str, str]
    fields: tuple[Field, ...]
    data_dir: Path
    warnings: tuple[str, ...] = ()
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    folder: Path = Path()

    def __getitem__(self, name: str) -> str:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        return f"Settings({len(self)} settings of {self.data_dir})"

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if name in (field.name, *field.aliases)), None)

    def locked(self, name: str) -> bool:
        """Whether the process environment decides, so that saving another value would change nothing."""
        return self.sources.get(name) == ENVIRONMENT

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody may see, for masking; also the passwords inside of addresses."""
        named = [self[field.name] for field in self.fields if field.secret]
        listed = [part.strip() for part in self["SECRET_KEY"].split(",")]
        inside = [unquote(urlsplit(value).password or "") for value in named if "://" in value]
        return tuple(value for value in (*named, *listed, *inside) if value)

    @property
    def host(self) -> str:
        return self["HOST"]

    @property
    def port(self) -> int:
        return int(self["PORT"])

    @property
    def base_url(self) -> str:
        return self["BASE_URL"]

    @property
    def database_url(self) -> str:
        return self["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self["REDIS_URL"]

    @property
    def secret_key(self) -> str:
        """A comma list, newest first: what `bot.signing.derive` takes."""
        return self["SECRET_KEY"]

    @property
    def recipient(self) -> str:
        """The e-mail address that alerts go to; "" means the first admin."""
        return self["ALERT_RECIPIENT_EMAIL"]

    @property
    def alerting(self) -> bool:
        return self["ALERTING_ENABLED"] == "on"

    @property
    def pacing(self) -> bool:
        return self["PACING"] == "on"

    @property
    def cooldown(self) -> float:
        """Seconds in which the same event is not told again."""
        return float(self["COOLDOWN_SECONDS"])

    @property
    def retention_days(self) -> float:
        """For how many days what is over is kept; 0 means for good."""
        return float(self["RETENTION_DAYS"])

    @property
    def chain(self) -> tuple[str, ...]:
        """Channels in fallback order, without those that were switched off."""
        off = {"email"} if self["MCPGATEWAY_ALERT_EMAIL_ENABLED"] == "off" else set()
        return tuple(name for name in self["CHAIN"].split(",") if name and name not in off)

    @property
    def events_disabled(self) -> frozenset[str]:
        return frozenset(filter(None, self["EVENTS_DISABLED"].split(",")))

    @property
    def allowed_private_hosts(self) -> tuple[str, ...]:
        return tuple(filter(None, self["ALLOWED_PRIVATE_HOSTS"].split(",")))

    @property
    def test_clock(self) -> bool:
        return self["GATEBELL_TEST_CLOCK"] == "on"

    @property
    def log_level(self) -> str:
        return self["LOG_LEVEL"]

    @property
    def log_format(self) -> str:
        return self["LOG_FORMAT"]


# ---- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A value, the name it was given under, and where."""

    name: str
    value: str
    source: str


def data_dir(environ: Mapping[str, str], folder: Path = Path()) -> Path:
    """Where everything lives, by the environment or the `.env` of the working directory."""
    try:
        written = read(folder / ".env")
    except Unreadable:
        written = {}  # `load` reports it, together with everything else
    name = "GATEBELL_DATA_DIR"
    return Path(environ.get(name) or written.get(name) or "./data").expanduser().absolute()


def load(
    fields: Iterable[Field],
    environ: Mapping[str, str],
    data_dir: Path,
    folder: Path = Path(),
    saved: Mapping[str, str] | None = None,
    make_key: bool = True,
) -> Settings:
    """The settings of the core and of the channels' `fields`. Raises SettingsFault that lists every flaw.

    The environment outranks the saved file, which outranks `.env` in the working directory (`folder`). With `saved`,
    that is taken for the saved file's content: what would hold if it were saved. With `make_key`, a secret key is
    made where there is none, and a place for it.
    """
    table = (*CORE, *fields)
    flaws: list[Flaw] = []
    layers = [(ENVIRONMENT, environ), *_files(data_dir, folder, saved, flaws)]
    values, sources = _values(table, layers, flaws)
    values["GATEBELL_DATA_DIR"] = str(data_dir)
    _fill(values, data_dir, flaws, make_key)
    flaws += _together(table, values)
    if flaws:
        raise SettingsFault(flaws)
    warnings = tuple(_warnings(table, layers, values, sources))
    # A copy: what is saved later is put into the process environment too, and must not count as set from outside.
    return Settings(values, sources, table, data_dir, warnings, dict(environ), folder)


def again(settings: Settings, saved: Mapping[str, str] | None = None) -> Settings:
    """The same sources, read anew; with `saved`, as if that had been saved. Raises SettingsFault."""
    fields = settings.fields[len(CORE) :]
    return load(fields, settings.environ, settings.data_dir, settings.folder, saved)


def _files(
    data_dir: Path, folder: Path, saved: Mapping[str, str] | None, flaws: list[Flaw]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for path, known in ((data_dir / SAVED, saved), (folder / ".env", None)):
        try:
            yield str(path), read(path) if known is None else known
        except Unreadable as error:
            flaws.append(Flaw(str(path), str(error), error.mend))


def _values(
    table: Iterable[Field], layers: Iterable[tuple[str, Mapping[str, str]]], flaws: list[Flaw]
) -> tuple[dict[str, str], dict[str, str]]:
    """Every setting and where it is from; a wrong one is its default, and a flaw."""
    values = {field.name: field.default for field in table}
    sources = {field.name: DEFAULT for field in table}
    for field in table:
        said = _said(field, layers, flaws)
        if said:
            sources[field.name] = said.source
            values[field.name] = _checked(field, said, flaws)
    return values, sources


def _said(field: Field, layers: Iterable[tuple[str, Mapping[str, str]]], flaws: list[Flaw]) -> _Said | None:
    """The highest layer that says something; inside one layer, the names of one thing must agree."""
    for source, layer in layers:
        names = [name for name in (field.name, *field.aliases) if layer.get(name, "").strip()]
        if not names:
            continue
        first, *others = [_Said(name, layer[name].strip(), source) for name in names]
        for other in others:
            if _same_form(field, first.value) != _same_form(field, other.value):
                wrong = f"it says something else than {other.name}, which is another name for it (both in {source})"
                flaws.append(Flaw(first.name, wrong, f"Keep {field.name} alone."))
        return first
    return None


def _same_form(field: Field, value: str) -> str:
    try:
        return field.check(value)
    except ValueError:
        return value


def _checked(field: Field, said: _Said, flaws: list[Flaw]) -> str:
    try:
        return field.check(said.value)
    except ValueError as error:
        where = "" if said.source == GIVEN else f" (in {said.source})"
        flaws.append(Flaw(said.name, f"{str(error).rstrip('.')}{where}", field.mend))
        return field.default


def _fill(values: dict[str, str], data_dir: Path, flaws: list[Flaw], make_key: bool) -> None:
    """The defaults that follow from other settings."""
    values["DATABASE_URL"] = values["DATABASE_URL"] or f"sqlite:///{data_dir / 'gatebell.db'}"
    values["BASE_URL"] = values["BASE_URL"] or _own_address(values["HOST"], values["PORT"])
    if not values["SECRET_KEY"] and (make_key or (data_dir / KEY_FILE).exists()):
        try:
            values["SECRET_KEY"] = own_secret(data_dir)
        except OSError as error:
            wrong = f"{data_dir} cannot be written: {error.strerror}"
            flaws.append(Flaw("GATEBELL_DATA_DIR", wrong, "Give a directory that this user may write."))


def _own_address(host: str, port: str) -> str:
    own = own_host(host)
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def own_host(host: str) -> str:
    """Where a server that listens on this host is found from its own machine; it may listen on every address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def own_secret(data_dir: Path) -> str:
    """The installation's own secret, made the first time it is asked for and readable by its owner alone."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / KEY_FILE
    if not path.exists():
        draft = data_dir / f".{KEY_FILE}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, it never replaces the secret of one who was quicker
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _together(table: Iterable[Field], values: Mapping[str, str]) -> Iterator[Flaw]:
    """What is right alone and wrong together."""
    if values["GATEBELL_TEST_CLOCK"] == "on" and not is_loopback(values["HOST"]):
        mend = "Set HOST=127.0.0.1 or switch it off: whoever reaches it could expire every request."
        yield Flaw("GATEBELL_TEST_CLOCK", f"it is on while HOST is {values['HOST']}", mend)
    for field in table:
        if field.required and field in CORE and not values[field.name]:
            yield Flaw(field.name, "it is missing", field.mend)
    channels = sorted({field.channel for field in table if field.channel})
    for name in values["CHAIN"].split(","):
        if channels and name and name not in channels:
            yield Flaw("CHAIN", f"“{name}” is no channel", f"Channels are {', '.join(channels)}.")


def _warnings(
    table: tuple[Field, ...],
    layers: Iterable[tuple[str, Mapping[str, str]]],
    values: Mapping[str, str],
    sources: Mapping[str, str],
) -> Iterator[str]:
    known = {name for field in table for name in (field.name, *field.aliases)} | _CLIENT
    families = {_family(name) for name in known}
    for source, layer in layers:
        for name in sorted(layer.keys() - known):
            near = difflib.get_close_matches(name, known, 1, 0.85) if _family(name) in families else []
            if near:
                yield f"{name} (in {source}) is not a setting; perhaps {near[0]} is meant"
    if values["DATABASE_URL"].startswith("postgresql:") and sources["SECRET_KEY"] == DEFAULT:
        yield "SECRET_KEY was made for this machine; several replicas need the same one, so set it"


def _family(name: str) -> str:
    """What a name begins with, as all settings of one channel do."""
    return name.partition("_")[0]


# ---- saving ---------------------------------------------------------------------------------------------------------


def save(
    data_dir: Path, changes: Mapping[str, str | None], fields: Iterable[Field] = (), environ: Mapping[str, str] = {}
) -> None:
    """Save to `gateway.env`; None or "" takes a setting out. Raises SettingsFault, then nothing is saved.

    With `fields` (the core's are known) values are checked first, alone and together with what the `environ` and the
    files say, and other names for the same setting are taken out.
    """
    channels = tuple(fields)
    stored = checked(changes, channels)
    _refuse_clashes((*CORE, *channels), stored, environ, data_dir)
    change(data_dir / SAVED, stored)


def _refuse_clashes(
    table: Sequence[Field], stored: Mapping[str, str | None], environ: Mapping[str, str], data_dir: Path
) -> None:
    """What is given has to fit to the rest; other flaws of the rest are no reason to refuse it."""
    others: list[Flaw] = []
    layers = [(ENVIRONMENT, environ), *_files(data_dir, Path(), None, others)]
    before = set(_together(table, _values(table, layers, others)[0]))
    given = (GIVEN, {name: value for name, value in stored.items() if value})
    rest = [(source, {name: layer[name] for name in layer if name not in stored}) for source, layer in layers]
    after = _together(table, _values(table, [given, *rest], others)[0])
    clashes = [flaw for flaw in after if flaw.name in stored or flaw not in before]
    if clashes:
        raise SettingsFault(clashes)


def merged(content: Mapping[str, str], stored: Mapping[str, str | None]) -> dict[str, str]:
    """The saved file's content as it is after a change."""
    kept = {name: value for name, value in content.items() if name not in stored}
    return kept | {name: value for name, value in stored.items() if value is not None}


def checked(changes: Mapping[str, str | None], fields: Iterable[Field] = ()) -> dict[str, str | None]:
    """The changes as they are stored, with other names for the same settings taken out. Raises SettingsFault."""
    table = {name: field for field in (*CORE, *fields) for name in (field.name, *field.aliases)}
    flaws: list[Flaw] = []
    whole: dict[str, str | None] = {}
    for name, value in changes.items():
        field = table.get(name)
        if field:
            whole |= dict.fromkeys((field.name, *field.aliases))
        if not value:
            whole.setdefault(name, None)
        elif name == "GATEBELL_DATA_DIR":
            wrong = "it counts only in the environment or in .env, because what is saved lies in that directory"
            flaws.append(Flaw(name, wrong, "Set it where the process is started."))
        else:
            said = _Said(name, value, GIVEN)
            whole[field.name if field else name] = _checked(field, said, flaws) if field else value
    if flaws:
        raise SettingsFault(flaws)
    return whole
