"""The core's own settings: what holds, where it is from, and changing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.admin.entries import Entry, changes_of, entries_of, flaws_of, saved_at
from bot.admin.site import Moved, Page, Shown, Visit, page
from bot.channels.contract import Field
from bot.live_settings import AT_START
from bot.settings import DEFAULT, SettingsFault
from interactions.model import Role

_ELSEWHERE = frozenset({"GATEBELL_DATA_DIR", "GATEBELL_TEST_CLOCK"})  # where the saved file is, and a switch of tests


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
    settings = visit.faces.settings
    changes = changes_of([each for each in _core(visit) if each.name not in _ELSEWHERE], settings.now, visit.form)
    if not changes:
        return Moved("/admin/settings", "Nothing was changed.")
    try:
        later = await settings.save(changes, visit.by)
    except SettingsFault as fault:
        return Shown("settings.html", await _values(visit, flaws_of(fault), visit.form), status=422)
    return Moved("/admin/settings", said_of(later))


def said_of(later: Sequence[str]) -> str:
    """What is said after saving; `later` are the names that count only after a restart."""
    return f"Saved. After a restart it counts: {', '.join(later)}." if later else "Saved. It holds from now on."


async def _values(
    visit: Visit, flaws: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> Mapping[str, object]:
    settings = visit.faces.settings.now
    entries = entries_of(_core(visit), settings, await saved_at(visit.faces.store), flaws or {}, typed or {})
    lines = [Line(entry, entry.name in AT_START) for entry in entries]
    return {
        "lines": [line for line in lines if line.entry.name not in _ELSEWHERE],
        "fixed": [line for line in lines if line.entry.name in _ELSEWHERE],
        "flaws": flaws or {},
        "default": DEFAULT,
        "folder": str(settings.data_dir),
    }


def _core(visit: Visit) -> list[Field]:
    return [each for each in visit.faces.settings.now.fields if not each.channel]


PAGES: tuple[Page, ...] = (look, save)
