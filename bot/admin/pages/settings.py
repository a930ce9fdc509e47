"""The core's own settings: what holds, where it is from, and changing it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.admin.entries import NEW, Entry, Refused, entries_of, saved_at
from bot.admin.saving import save_form
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import Field
from bot.live_settings import AT_START
from bot.settings import DEFAULT
from interactions.model import Role

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Server": {
        "BASE_URL": "Public address",
        "HOST": "Host",
        "PORT": "Port",
        "DATABASE_URL": "Database",
        "REDIS_URL": "Redis",
        "SECRET_KEY": "Secret key",
        "ALLOWED_PRIVATE_HOSTS": "Private hosts that may be called",
        "RETENTION_DAYS": "Days to keep what is over",
    },
    "Alerts": {
        "ALERTING_ENABLED": "Alerts",
        "ALERT_RECIPIENT_EMAIL": "Default recipient",
        "CHAIN": "Order of channels",
        "MCPGATEWAY_ALERT_EMAIL_ENABLED": "Alerts by e-mail",
        "COOLDOWN_SECONDS": "Cooldown in seconds",
        "EVENTS_DISABLED": "Events switched off",
        "PACING": "Pacing",
    },
    "Agent": {
        "AGENT_URL": "Address of your agent",
        "AGENT_SECRET": "Secret shared with your agent",
        "INTERNAL_SERVER_URL": "Internal server",
    },
    "Logs": {"LOG_LEVEL": "Log level", "LOG_FORMAT": "Log format"},
}
# Where the saved file is, and a switch of tests: only where the process is started.
ELSEWHERE = {"GATEBELL_DATA_DIR": "Data directory", "GATEBELL_TEST_CLOCK": "Test clock"}
LABELS = {name: label for labels in (*GROUPS.values(), ELSEWHERE) for name, label in labels.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """A setting of the table and whether a change counts at once."""

    entry: Entry
    at_start: bool


@page("GET", "/admin/settings", Role.ADMIN)
async def look(visit: Visit) -> Shown:
    return Shown("settings.html", await _values(visit))


@page("POST", "/admin/settings", Role.ADMIN)
async def save(visit: Visit) -> Shown | Moved:
    outcome = await save_form(visit, [each for each in _core(visit) if each.name not in ELSEWHERE])
    if isinstance(outcome, Refused):
        return Shown("settings.html", await _values(visit, outcome), status=422)
    return Moved("/admin/settings", outcome.words)


async def _values(visit: Visit, refused: Refused = NEW) -> Mapping[str, object]:
    settings = visit.faces.settings.now
    times = await saved_at(visit.faces.store)
    entries = entries_of(_core(visit), settings, times, refused, LABELS)
    lines = {entry.name: Line(entry, entry.name in AT_START) for entry in entries}
    return {
        "groups": {title: [lines[name] for name in names] for title, names in GROUPS.items()},
        "fixed": [lines[name] for name in ELSEWHERE],
        "flaws": refused.flaws,
        "labels": LABELS,
        "default": DEFAULT,
        "folder": str(settings.data_dir),
    }


def _core(visit: Visit) -> list[Field]:
    return [each for each in visit.faces.settings.now.fields if not each.channel]


PAGES: tuple[Page, ...] = (look, save)
