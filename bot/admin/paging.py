"""Lists that are narrowed and paged by their address alone, so that a link to one shows the same to everybody."""

from collections.abc import Mapping
from urllib.parse import urlencode

LONGEST = 200


def chosen(query: Mapping[str, str], *names: str) -> dict[str, str]:
    """The filters as they came: one line each, not endless, "" for one that is not set."""
    return {name: tidy(query.get(name, "")) for name in names}


def number(typed: str, otherwise: int) -> int:
    """A cursor that is a number; any other text is no cursor."""
    return min(int(typed), otherwise) if typed.isascii() and typed.isdigit() and len(typed) < 12 else otherwise


def links(path: str, filters: Mapping[str, str], before: str, older: str) -> dict[str, str]:
    """Where the page leads: `older` and `newest`, "" for what there is not."""
    kept = {name: value for name, value in filters.items() if value}
    return {
        "older": f"{path}?{urlencode({**kept, 'before': older})}" if older else "",
        "newest": (f"{path}?{urlencode(kept)}" if kept else path) if before else "",
        "all": path if kept else "",
    }


def tidy(typed: str) -> str:
    """What came in an address, as a value to look for: one line, not endless."""
    return "".join(each for each in typed if each.isprintable()).strip()[:LONGEST]
