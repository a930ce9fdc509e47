"""Text from outside, made to look like what it is: nothing hidden, nothing in another order than it is read."""

import json
import re
from unicodedata import category

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian and emoji of several parts cannot be written without them
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")
_SIGN = re.compile(r"[\\`*\[\]<&~_]")
_OPENS = re.compile(r"[#>+=|-]|\d\d?[.)]")
_MARKUP = re.compile(r"[\\`*\[\]<&~]|(?<!\w)_|_(?!\w)|\A[#>+=|-]|(?<=\A\d)[.)]|(?<=\A\d\d)[.)]")


def visible(text: str) -> str:
    """Paragraphs without control characters, marks that turn the reading order round, and what cannot be seen."""
    if text.isprintable():
        return text
    shown = "".join(each for each in _BREAKS.sub("\n", text) if each in "\n\t" or not _is_hidden(each))
    return shown if shown.strip(_JOINERS + " \n\t") else ""


def one_line(text: str) -> str:
    """The same on a single line."""
    return text.strip() if text.isprintable() else _SPACES.sub(" ", visible(_BREAKS.sub(" ", text))).strip()


def spelled_out(text: str) -> str:
    """Exactly what is there: a character that cannot be seen stands as its escape, such as \\u202e."""
    return "\n".join(line if line.isprintable() else _spelled(line) for line in text.replace("\r\n", "\n").split("\n"))


def whole(text: str) -> str:
    """Without halves of characters (lone surrogates), which no store and no platform takes."""
    return text if text.isascii() else text.encode(errors="ignore").decode()


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last of which says that something is missing."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def literal(text: str) -> str:
    """For the middle or the beginning of a markdown sentence."""
    line = one_line(text)
    return _MARKUP.sub(r"\\\g<0>", line) if _SIGN.search(line) or _OPENS.match(line) else line


def code(text: str) -> str:
    """A code span around whatever it is, backticks included."""
    shown = one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def _is_hidden(each: str) -> bool:
    return each not in _JOINERS and category(each) in _HIDDEN


def _spelled(line: str) -> str:
    return "".join(
        json.dumps(each)[1:-1] if each != "\t" and category(each) in _HIDDEN | {"Cs"} else each for each in line
    )
