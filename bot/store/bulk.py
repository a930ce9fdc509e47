"""Statements over many rows at once: whoever writes the same in one group shares one execution of it.

A statement costs more than its rows: over SQLite, each one hands the interpreter's lock from thread to thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from pydantic_core import to_json

TEXT, INTEGER, DOUBLE = "text", "integer", "double precision"

Row = Mapping[str, Any]
Value = str | int | float | None
Values = Sequence[Value]


@dataclass(frozen=True, slots=True, eq=False)
class Bulk:
    """SQL that reads its rows from `{rows}`: a row has these columns, each of a type; the first one names the row.

    With `returning`, it gives back rows with that name as `id`.
    """

    sql: str
    columns: Mapping[str, str]
    returning: bool = False

    @classmethod
    def insert(cls, table: str, columns: Mapping[str, str]) -> Self:
        names = ", ".join(columns)
        return cls(" ".join(("INSERT INTO", table, f"({names})", "SELECT", names, "FROM {rows}")), columns)


@dataclass(frozen=True, slots=True)
class Write:
    bulk: Bulk
    rows: Sequence[Values]


_FROM_JSON = "(SELECT {columns} FROM json_each(:rows)) AS r"


@cache
def for_sqlite(bulk: Bulk) -> str:
    columns = ", ".join(f"value ->> {place} AS {name}" for place, name in enumerate(bulk.columns))
    return bulk.sql.replace("{rows}", _FROM_JSON.replace("{columns}", columns))


def as_json(rows: Sequence[Values]) -> str:
    """Raises ValueError for a NUL, as PostgreSQL does: SQLite would keep what stands before it, and say nothing."""
    written = to_json(rows).decode()
    if "\\u0000" in written and any(isinstance(value, str) and "\0" in value for row in rows for value in row):
        raise ValueError("a text holds a NUL")
    return written


@cache
def for_postgres(bulk: Bulk) -> str:
    columns = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(bulk.columns.values(), 1))
    return bulk.sql.replace("{rows}", f"unnest({columns}) AS r ({', '.join(bulk.columns)})")
