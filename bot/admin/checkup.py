"""The doctor's last look, kept in the database: the page shows it at once, and a new look goes on beside it."""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from bot.admin.site import Faces
from bot.channels.contract import Check
from bot.doctor.examination import PATIENCE, Part, Patient, examine, masked, titles
from bot.memory import ChannelMemory

LONGEST = PATIENCE + 5  # seconds after which a look that did not end was broken off, as by a restart
AT_ONCE = 1.0  # seconds that somebody who looks is kept waiting: enough where everything answers
_LAST = "last"


@dataclass(frozen=True, slots=True)
class Checkup:
    """One look: what was found, which parts are still being looked at, and a mark of the settings that held."""

    began: float
    over: bool
    parts: tuple[Part, ...]
    waiting: tuple[str, ...]
    settings: str

    def going_on(self, at: datetime) -> bool:
        return not self.over and at.timestamp() - self.began < LONGEST


def patient_of(faces: Faces) -> Patient:
    return Patient(faces.settings.now, faces.store, faces.channels(), faces.form_keys, faces.clock.now)


async def current(faces: Faces) -> Checkup:
    """The last look; a new one is begun where there was none, it broke off, or the settings are others now."""
    last = await _last(faces)
    at = faces.clock.now()
    if last and (last.going_on(at) or (last.over and last.settings == _mark(faces))):
        return last
    await look_again(faces)
    return await _last(faces) or _begun(faces)


async def look_again(faces: Faces) -> None:
    """Begin a new look, unless one goes on; returns when it is over, or after a second."""
    last = await _last(faces)
    if last and last.going_on(faces.clock.now()):
        return
    over = asyncio.Event()
    begun = _begun(faces)
    await _keep(faces, begun)
    faces.spawn(_look(faces, begun, over))
    try:
        async with asyncio.timeout(AT_ONCE):
            await over.wait()
    except TimeoutError:
        return


async def _look(faces: Faces, checkup: Checkup, over: asyncio.Event) -> None:
    found: dict[str, Part] = {}

    async def told(part: Part) -> None:
        found[part.title] = masked(part, faces.mask)
        await _keep(faces, _with(checkup, found))

    try:
        await examine(patient_of(faces), told)
        await _keep(faces, replace(_with(checkup, found), over=True))
    finally:
        over.set()


def _begun(faces: Faces) -> Checkup:
    return Checkup(faces.clock.now().timestamp(), False, (), titles(patient_of(faces)), _mark(faces))


def _with(checkup: Checkup, found: dict[str, Part]) -> Checkup:
    """The parts in their own order, whichever was known first."""
    return replace(
        checkup,
        parts=tuple(found[title] for title in checkup.waiting if title in found),
        waiting=tuple(title for title in checkup.waiting if title not in found),
    )


def _mark(faces: Faces) -> str:
    """Another one for other settings; nobody can tell the settings by it."""
    said = repr(sorted(faces.settings.now.items())).encode(errors="replace")
    return hmac.new(faces.form_keys[0], b"settings\0" + said, hashlib.sha256).hexdigest()


# ---- kept ---------------------------------------------------------------------------------------------------------


def _memory(faces: Faces) -> ChannelMemory:
    return ChannelMemory(faces.store, faces.clock.now, "doctor")


async def _keep(faces: Faces, checkup: Checkup) -> None:
    parts: list[JsonValue] = [[part.title, [_written(check) for check in part.checks]] for part in checkup.parts]
    row: dict[str, JsonValue] = {
        "began": checkup.began,
        "over": checkup.over,
        "parts": parts,
        "waiting": list(checkup.waiting),
        "settings": checkup.settings,
    }
    await _memory(faces).put(_LAST, row)


def _written(check: Check) -> JsonValue:
    values: dict[str, JsonValue] = asdict(check)
    return values


async def _last(faces: Faces) -> Checkup | None:
    """Nothing where an older version kept it in another form."""
    match await _memory(faces).get(_LAST):
        case {"began": float(began), "over": bool(over), "parts": list(parts), "waiting": list(waiting), **rest}:
            read = tuple(_part(part) for part in parts)
            return Checkup(began, over, read, tuple(map(str, waiting)), str(rest.get("settings")))
    return None


def _part(value: JsonValue) -> Part:
    match value:
        case [str(title), list(checks)]:
            return Part(title, tuple(_check(check) for check in checks))
    return Part("", ())


def _check(value: JsonValue) -> Check:
    match value:
        case {"name": str(name), "ok": bool(ok), "cause": str(cause), "mend": str(mend)}:
            return Check(name, ok, cause, mend)
    return Check("", ok=True)


def wrong(parts: Sequence[Part]) -> int:
    return sum(not check.ok for part in parts for check in part.checks)
