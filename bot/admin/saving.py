"""Saving what a form says: all of it, or nothing and the form once more with what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.admin.entries import CLEAR, HELD, Refused, changes_of, flaws_of
from bot.admin.site import Visit
from bot.channels.contract import Field
from bot.settings import Flaw, SettingsFault


@dataclass(frozen=True, slots=True)
class Saved:
    """`anything` is False where the form said what holds already; `later` are the names that count after a restart."""

    anything: bool
    later: Sequence[str] = ()

    @property
    def words(self) -> str:
        if not self.anything:
            return "Nothing was changed."
        holds = f"After a restart it counts: {', '.join(self.later)}" if self.later else "It holds from now on"
        return f"Saved. {holds}."


async def save_form(visit: Visit, fields: Sequence[Field]) -> Saved | Refused:
    """The settings of these fields. Where something is wrong, the secrets that are right are held for the next try."""
    faces, session, at = visit.faces, visit.who.session, visit.faces.clock.now()
    held = faces.held.of(session, at)
    changes = changes_of(fields, faces.settings.now, visit.form, held)
    lost = _lost(fields, visit.form, held)
    outcome = Refused(lost, visit.form) if lost else await save_changes(visit, changes)
    if isinstance(outcome, Saved):
        faces.held.drop(session, changes)
        return outcome
    secrets = {each.name: changes.get(each.name) for each in fields if each.secret}
    right = {name: secret for name, secret in secrets.items() if secret and name not in outcome.flaws}
    faces.held.hold(session, right, at)
    return replace(outcome, held=frozenset(right))


async def save_changes(visit: Visit, changes: Mapping[str, str | None]) -> Saved | Refused:
    """Without a change there is no entry in the audit log."""
    if not changes:
        return Saved(False)
    try:
        return Saved(True, await visit.faces.settings.save(changes, visit.by))
    except SettingsFault as fault:
        return Refused(flaws_of(fault), visit.form)


def _lost(fields: Sequence[Field], form: Mapping[str, str], held: Mapping[str, str]) -> Mapping[str, str]:
    """What was to be taken up again and is not there: too much time has passed, or another replica holds it."""
    flaw = Flaw("", "What you typed is not held any more", "Type it once more.")
    return {
        each.name: flaw.words
        for each in fields
        if HELD + each.name in form and CLEAR + each.name not in form
        if not form.get(each.name, "").strip() and each.name not in held
    }
