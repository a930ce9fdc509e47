"""Draws the icons of the Teams app: `python scripts/draw_icons.py`. What it draws is committed in teams_manifest/icons.

Shapes are polygons. A row of pixels is covered by the spans between the edges that cross it, so that edges are smooth
without an image library.
"""

import math
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "teams_manifest" / "icons"
ROWS = 16  # lines that are looked at in each row of pixels

Point = tuple[float, float]
Polygon = list[Point]
Colour = tuple[int, int, int]
Paint = Callable[[float, float], Colour]

WHITE = (255, 255, 255)
DEEP, BRIGHT = (13, 58, 102), (26, 104, 172)
GOLD, AMBER = (255, 214, 92), (245, 166, 24)
BRONZE = (214, 128, 12)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is covered: whatever lies inside of any of the polygons."""

    polygons: Sequence[Polygon]

    def moved(self, scale: float, right: float, down: float) -> "Shape":
        return Shape([[(x * scale + right, y * scale + down) for x, y in each] for each in self.polygons])

    def coverage(self, size: int) -> list[list[float]]:
        """How much of each pixel is covered, 0 to 1."""
        covered = [[0.0] * size for _ in range(size)]
        for line in range(size * ROWS):
            row = covered[line // ROWS]
            for left, right in _spans(self.polygons, (line + 0.5) / ROWS):
                _add(row, max(left, 0.0), min(right, float(size)))
        return [[min(value / ROWS, 1.0) for value in row] for row in covered]


def _spans(polygons: Iterable[Polygon], y: float) -> list[tuple[float, float]]:
    """Where a horizontal line is inside, by the winding number, so that overlapping polygons are one shape."""
    crossings = []
    for polygon in polygons:
        for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            if (y1 <= y) != (y2 <= y):
                crossings.append((x1 + (y - y1) * (x2 - x1) / (y2 - y1), 1 if y2 > y1 else -1))
    spans, winding, start = [], 0, 0.0
    for x, step in sorted(crossings):
        if winding == 0:
            start = x
        winding += step
        if winding == 0:
            spans.append((start, x))
    return spans


def _add(row: list[float], left: float, right: float) -> None:
    for x in range(int(left), min(math.ceil(right), len(row))):
        row[x] += max(0.0, min(right, x + 1) - max(left, x))


# ---- the bell, in a square of 24 -------------------------------------------------------------------------------------


def _curve(start: Point, one: Point, two: Point, end: Point, steps: int = 24) -> Polygon:
    """A cubic Bézier curve without its first point."""

    def at(t: float, axis: int) -> float:
        back = 1 - t
        first, second = 3 * back * back * t * one[axis], 3 * back * t * t * two[axis]
        return back**3 * start[axis] + first + second + t**3 * end[axis]

    return [(at(step / steps, 0), at(step / steps, 1)) for step in range(1, steps + 1)]


def _arc(x: float, y: float, radius: float, begin: float, end: float, steps: int = 32) -> Polygon:
    """Degrees, clockwise from three o'clock."""
    turns = [math.radians(begin + (end - begin) * step / steps) for step in range(steps + 1)]
    return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]


def _mirrored(half: Polygon) -> Polygon:
    return half + [(24 - x, y) for x, y in reversed(half)]


def _bell() -> Polygon:
    """From the crown down the right side to the rim, and mirrored."""
    half: Polygon = [(12.0, 3.4)]
    half += _curve(half[-1], (15.4, 3.4), (17.7, 5.9), (17.8, 9.3))
    half += _curve(half[-1], (17.9, 12.5), (18.6, 14.1), (20.1, 15.5))
    half += _curve(half[-1], (20.9, 16.3), (20.4, 17.6), (19.2, 17.6))
    return _mirrored(half)


def _stroke(line: Polygon, width: float, closed: bool = False) -> Shape:
    """A line of this width with round ends and corners."""
    pieces = [_arc(x, y, width / 2, 0, 360, 20)[:-1] for x, y in line]
    for (x1, y1), (x2, y2) in zip(line, line[1:] + (line[:1] if closed else []), strict=False):
        length = math.hypot(x2 - x1, y2 - y1)
        if length:
            right, down = (y1 - y2) / length * width / 2, (x2 - x1) / length * width / 2
            pieces.append(
                [(x1 - right, y1 - down), (x2 - right, y2 - down), (x2 + right, y2 + down), (x1 + right, y1 + down)]
            )
    return Shape(pieces)


def _ringing(distance: float, width: float) -> Shape:
    """A wave of sound on either side."""
    right = _arc(12, 10.6, distance, -33, 21)
    waves = [*_stroke(right, width).polygons, *_stroke([(24 - x, y) for x, y in right], width).polygons]
    return Shape(waves)


# ---- the two icons ---------------------------------------------------------------------------------------------------


def colour_icon(size: int = 192) -> bytes:
    """A golden bell on deep blue, without transparency: Teams cuts the corners itself."""

    def place(shape: Shape) -> Shape:
        scale = size / 24 * 0.7
        return shape.moved(scale, size / 2 - 12 * scale, size / 2 - 11.6 * scale)

    layers: list[tuple[Shape, Paint, float]] = [
        (place(_ringing(10.2, 1.15)), _plain(WHITE), 0.92),
        (place(_ringing(12.9, 1.15)), _plain(WHITE), 0.42),
        (place(Shape([_arc(12, 18.3, 2.75, 0, 360)[:-1]])), _plain(BRONZE), 1.0),
        (place(Shape([_arc(12, 3.3, 1.5, 0, 360)[:-1]])), _plain(GOLD), 1.0),
        (place(Shape([_bell()])), _slope(GOLD, AMBER, size * 0.25, size * 0.72), 1.0),
        (place(_stroke(_shine(), 1.05)), _plain(WHITE), 0.55),
    ]
    ground = _slope(BRIGHT, DEEP, 0, size)
    pixels = [[ground(x, y) for x in range(size)] for y in range(size)]
    for shape, paint, strength in layers:
        for y, row in enumerate(shape.coverage(size)):
            for x, covered in enumerate(row):
                if covered:
                    pixels[y][x] = _mixed(pixels[y][x], paint(x, y), covered * strength)
    return png([b"".join(bytes(pixel) for pixel in row) for row in pixels], size, colour_type=2)


def outline_icon(size: int = 32) -> bytes:
    """The bell's outline in white on nothing, for Teams' side bar."""
    scale = size / 24 * 1.16
    clapper = [*_arc(12, 18.9, 2.3, 8, 172)]
    lines = [*_stroke(_bell(), 1.6, closed=True).polygons, *_stroke(clapper, 1.6).polygons]
    drawn = Shape(lines).moved(scale, size / 2 - 12 * scale, size / 2 - 11.95 * scale)
    rows = [b"".join(bytes((*WHITE, round(255 * value))) for value in row) for row in drawn.coverage(size)]
    return png(rows, size, colour_type=6)


def _shine() -> Polygon:
    """Light on the left shoulder."""
    return [(8.55, 11.2), *_curve((8.55, 11.2), (8.5, 8.6), (8.7, 7.4), (10.3, 6.3))]


def _plain(colour: Colour) -> Paint:
    return lambda _x, _y: colour


def _slope(top: Colour, bottom: Colour, begin: float, end: float) -> Paint:
    return lambda _x, y: _mixed(top, bottom, min(max((y - begin) / (end - begin), 0.0), 1.0))


def _mixed(below: Colour, above: Colour, strength: float) -> Colour:
    red, green, blue = (round(b + (a - b) * strength) for b, a in zip(below, above, strict=True))
    return red, green, blue


def png(rows: Sequence[bytes], size: int, colour_type: int) -> bytes:
    """`colour_type` as PNG has it: 2 is RGB, 6 is RGBA."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", size, size, 8, colour_type, 0, 0, 0)
    lines = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "color.png").write_bytes(colour_icon())
    (FOLDER / "outline.png").write_bytes(outline_icon())
