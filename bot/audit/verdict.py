"""Whether the audit log is as it was written: what is found in the database, held against itself and the anchor."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.audit.ledger import Chain


@dataclass(frozen=True, slots=True)
class Mark:
    """How many entries the log had at a moment, and what bound the last of them."""

    seq: int
    mac: str
    at: datetime


class Anchoring(StrEnum):
    """How the anchor itself is."""

    THERE = "there"
    MISSING = "missing"
    FORGED = "forged"


class Trouble(StrEnum):
    """What does not fit."""

    CHANGED = "changed"  # an entry
    CUT = "cut"  # entries are missing at the end
    HEAD = "head"  # the row with the log's end
    FORGED = "forged"  # the anchor
    OLDER = "older"  # the log ends before its anchor
    OTHER = "other"  # where the anchor holds, another entry stands


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entry` is the first that is not as it was written or is missing. `words` say what is the case."""

    words: str
    trouble: Trouble | None = None
    entry: int = 0

    @property
    def may_be_restored(self) -> bool:
        """Whether a backup that was put back would look the same."""
        return self.trouble in {Trouble.FORGED, Trouble.OLDER, Trouble.OTHER}


def judge(chain: Chain, mark: Mark | None, anchoring: Anchoring) -> Verdict:
    """The first trouble counts: each makes what comes after it uncertain."""
    return _entries(chain) or _end(chain, mark) or _anchor(chain, mark, anchoring) or _well(chain, mark)


def _entries(chain: Chain) -> Verdict | None:
    if not chain.broken:
        return None
    entry = chain.count + 1
    words = f"Entry {entry} is not as it was written: it, or one beside it, was changed, removed or moved."
    return Verdict(words, Trouble.CHANGED, entry)


def _end(chain: Chain, mark: Mark | None) -> Verdict | None:
    """What the head row says that does not fit the entries."""
    head, entry = chain.head, chain.count + 1
    if head is None:
        return _no_end(chain, mark)
    if head.sealed and head.seq > chain.count:
        emptied = f"The log was emptied: entries 1 to {head.seq} are missing."
        cut = f"Entries are missing at the end: {_span(entry, head.seq)}."
        return Verdict(cut if chain.count else emptied, Trouble.CUT, entry)
    if not head.sealed or head.seq != chain.count or head.mac != chain.last:
        words = (
            f"The row with the end of the log is not as it was written, so entries may be missing after {chain.count}."
        )
        return Verdict(words, Trouble.HEAD, entry)
    return None


def _no_end(chain: Chain, mark: Mark | None) -> Verdict | None:
    """The head row is written with the first entry, so only a log that never had one lacks it."""
    known = f" {_entries_words(mark.seq)} stood there on {_moment(mark.at)}." if mark and mark.seq else ""
    if chain.count:
        words = f"The row with the end of the log is gone, so entries may be missing after {chain.count}.{known}"
        return Verdict(words, Trouble.HEAD, chain.count + 1)
    if known:
        return Verdict(f"The log is empty, and the row with its end is gone.{known}", Trouble.OLDER, 1)
    return None


def _anchor(chain: Chain, mark: Mark | None, anchoring: Anchoring) -> Verdict | None:
    if anchoring is Anchoring.FORGED:
        words = "The anchor is not as it was written, or with a SECRET_KEY that is not in the list any more."
        return Verdict(words, Trouble.FORGED)
    if mark is None:
        return None
    if mark.seq > chain.count:
        words = (
            f"The database is older than its anchor: {_entries_words(mark.seq)} stood there on {_moment(mark.at)}, and"
            f" {_span(chain.count + 1, mark.seq)} {'is' if mark.seq == chain.count + 1 else 'are'} missing."
        )
        return Verdict(words, Trouble.OLDER, chain.count + 1)
    if chain.spot != mark.mac:
        words = (
            f"Entry {mark.seq} is not the one that stood there on {_moment(mark.at)}: entries were removed at the end,"
            " and others written in their place."
        )
        return Verdict(words, Trouble.OTHER, mark.seq)
    return None


def _well(chain: Chain, mark: Mark | None) -> Verdict:
    words = f"Every entry is as it was written, and none is missing ({_entries_words(chain.count)})."
    return Verdict(words if mark else "Every entry is as it was written.")


def _entries_words(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
