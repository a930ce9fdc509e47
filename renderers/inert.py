"""Characters from outside that do something unseen: controls, direction marks, zero-width ones, stray surrogates."""

import re

# Invisible or direction-changing characters, as ranges because asking unicodedata for each one is too slow.
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\uffff"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
_LINE_ENDS = "\u0085\u2028\u2029"
_SPACES = "\u202f\u205f"
# More marks on one letter than any language needs: they would run over the lines above and below.
_PILE = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def clean(text: str) -> str:
    """Prose that shows what it says: odd characters are gone, line ends are newlines."""
    if _is_plain(text):
        return text
    text = _ODD.sub(_dropped, text.replace("\r\n", "\n").replace("\r", "\n"))
    return _PILE.sub(r"\1", text)


def one_line(text: str) -> str:
    """Prose on one line, for titles, labels and names."""
    return " ".join(clean(text).split())


def visible(text: str) -> str:
    """Text of which every character counts: odd characters are written out, such as \\u202e."""
    if _is_plain(text):
        return text
    return _PILE.sub(_pile_written_out, _ODD.sub(_written_out, text))


def _is_plain(text: str) -> bool:
    """Letters, signs and newlines of ASCII, which is most of what there is, and quicker to see than to search."""
    return text.isascii() and (text.isprintable() or text.replace("\n", "").isprintable())


def _dropped(match: re.Match[str]) -> str:
    char = match.group()
    if char in _JOINERS:
        return char if _joins(match) else ""
    if char in _LINE_ENDS:
        return "\n"
    if char in _SPACES:
        return " "
    return "\ufffd" if "\ud800" <= char <= "\udfff" else ""


def _written_out(match: re.Match[str]) -> str:
    char = match.group()
    return char if char in _JOINERS and _joins(match) else escaped(char)


def _pile_written_out(match: re.Match[str]) -> str:
    kept = match.group(1)
    return kept + "".join(escaped(char) for char in match.group()[len(kept) :])


def escaped(char: str) -> str:
    """A character as JSON and most languages write it."""
    return f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}"


def _joins(match: re.Match[str]) -> bool:
    """Scripts such as Persian and Hindi, and some emoji, need joiners; between Latin letters they only deceive."""
    start, end, text = match.start(), match.end(), match.string
    if start == 0 or end == len(text):
        return False
    return all(char >= "\u0600" and not _ODD.match(char) for char in (text[start - 1], text[end]))
