"""Settings as forms show and take them. A secret goes in and never comes out again."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.channels.contract import Field
from bot.settings import DEFAULT, ENVIRONMENT, Settings, SettingsFault
from bot.store import Store, Tx

SWITCH = (("on", "on"), ("off", "off"))
LONG_ENOUGH = 12  # characters; of less, an end would give too much away
CLEAR = "clear."
HELD = "held."
WAS = "was."  # what a form was shown with: whoever did not touch it means nothing by it


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that could not be saved: what is wrong by name, what was sent, and which of its secrets are held."""

    flaws: Mapping[str, str]
    sent: Mapping[str, str]
    held: frozenset[str] = frozenset()


NEW = Refused({}, {})  # a form that nobody has sent yet


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a form: a short `label`, and what it `means` beside that, "" where the label says it all.

    `value` is "" for secrets; `ending` is what may be seen of one that is set.

    `default` is what holds while nothing is said, `source` where the value is from, `choices` are all there are.
    `held` is a secret that was typed and right while something else in the form was wrong; `clearing`, one to take out.
    `was` is what stood in the form when it was shown first.
    """

    name: str
    label: str
    means: str
    mend: str
    value: str
    was: str
    default: str
    default_holds: bool
    choices: tuple[tuple[str, str], ...]
    secret: bool
    required: bool
    is_set: bool
    ending: str
    source: str
    locked: bool
    saved_at: float | None
    wrong: str = ""
    held: bool = False
    clearing: bool = False


def entries_of(
    fields: Iterable[Field],
    settings: Settings,
    times: Mapping[str, float],
    refused: Refused = NEW,
    labels: Mapping[str, str] | None = None,
) -> list[Entry]:
    """`times` are moments of saving, `refused` is what was sent and could not be saved.

    `labels` are short names; a setting without one is called by the beginning of what it means.
    """
    known = labels or {}
    return [_entry(each, settings, times, refused, known.get(each.name, "")) for each in fields]


def _entry(field: Field, settings: Settings, times: Mapping[str, float], refused: Refused, label: str) -> Entry:
    label, means = (label, field.meaning) if label else _parted(field.meaning)
    value, source = settings[field.name], settings.sources.get(field.name, DEFAULT)
    shown = "" if field.secret or source == DEFAULT else value
    return Entry(
        name=field.name,
        label=label,
        means=means,
        mend=field.mend,
        value=shown if field.secret else refused.sent.get(field.name, shown),
        was=shown if field.secret else refused.sent.get(WAS + field.name, shown),
        default="" if field.secret else value if source == DEFAULT else field.default,
        default_holds=source == DEFAULT and bool(value),
        choices=field.choices or (SWITCH if field.default in ("on", "off") and not field.secret else ()),
        secret=field.secret,
        required=field.required,
        is_set=source != DEFAULT and bool(value),
        ending=ending_of(value) if field.secret and source != DEFAULT else "",
        source=_source_words(source),
        locked=settings.locked(field.name),
        saved_at=times.get(field.name) if source not in {DEFAULT, ENVIRONMENT} else None,
        wrong=refused.flaws.get(field.name, ""),
        held=field.name in refused.held,
        clearing=CLEAR + field.name in refused.sent,
    )


def _parted(meaning: str) -> tuple[str, str]:
    """`Signing Secret: proves that …` is called `Signing Secret`."""
    label, *rest = re.split(r"[:;] ", meaning.rstrip("."), maxsplit=1)
    return label, "".join(f"{each[:1].upper()}{each[1:]}." for each in rest)


def ending_of(secret: str) -> str:
    return f"…{secret[-4:]}" if len(secret) >= LONG_ENOUGH else ""


def _source_words(source: str) -> str:
    return source if source in {DEFAULT, ENVIRONMENT} else Path(source).name


def changes_of(
    fields: Iterable[Field], settings: Settings, form: Mapping[str, str], held: Mapping[str, str]
) -> dict[str, str | None]:
    """What a form changes: an empty secret stays as it is unless it is to be cleared, anything else empty goes.

    An empty one that the form calls held is the one of `held`. What stands as it was shown is not changed, also where
    somebody else has changed it since.
    """
    changes: dict[str, str | None] = {}
    for field in fields:
        if settings.locked(field.name) or field.name not in form:
            continue
        said = form[field.name].strip()
        said_before = settings[field.name] if settings.sources.get(field.name, DEFAULT) != DEFAULT else ""
        if field.secret:
            if said:
                changes[field.name] = said
            elif CLEAR + field.name in form:
                changes |= {field.name: None} if said_before else {}
            elif HELD + field.name in form and field.name in held:
                changes[field.name] = held[field.name]
        elif said not in (said_before, form.get(WAS + field.name)):
            changes[field.name] = said or None
    return changes


def flaws_of(fault: SettingsFault) -> dict[str, str]:
    """By name, without the place: whoever filled in the form knows it."""
    return {flaw.name: flaw.words for flaw in fault.flaws}


async def saved_at(store: Store) -> dict[str, float]:
    """When each setting was last saved, by the audit log: unknown for what was in a file before the server ran."""

    async def job(tx: Tx) -> dict[str, float]:
        rows = await tx.rows("SELECT at, detail FROM audit WHERE action = 'settings.saved' ORDER BY seq")
        return {name: row["at"] for row in rows for name in json.loads(row["detail"]).get("names", ())}

    return await store.read(job)
