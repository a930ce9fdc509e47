"""What was measured, beside what it should be and what the floor manages; and the table of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEAD = ("measure", "target", "ours", "floor", "ratio", "")


@dataclass(frozen=True)
class Measure:
    """`most` or `least` is the target; `share` is the least part of the floor's figure that is enough."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    most: float | None = None
    least: float | None = None
    share: float | None = None

    @property
    def passed(self) -> bool:
        """Where nothing could be measured (not a number), the target is missed."""
        return (
            (self.most is None or self.ours <= self.most)
            and (self.least is None or self.ours >= self.least)
            and (self.share is None or (self.floor is not None and self.ours >= self.share * self.floor))
        )

    @property
    def has_target(self) -> bool:
        return any(target is not None for target in (self.most, self.least, self.share))

    def row(self) -> tuple[str, ...]:
        target = ""
        if self.most is not None:
            target = f"≤ {self.most:g} {self.unit}"
        elif self.least is not None:
            target = f"≥ {self.least:g} {self.unit}"
        elif self.share is not None:
            target = f"≥ {self.share:g} of floor"
        floor = "" if self.floor is None else _figure(self.floor, self.unit)
        ratio = f"{self.ours / self.floor:.2f}" if self.floor else ""
        verdict = ("pass" if self.passed else "MISS") if self.has_target else ""
        return (self.name, target, _figure(self.ours, self.unit), floor, ratio, verdict)


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share of the values lies; not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def table(measures: Sequence[Measure]) -> str:
    rows = [HEAD, *(each.row() for each in measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(map(str.rstrip, lines))


def _figure(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"
