"""The database: one small transaction interface, one writer that commits in groups, SQLite or PostgreSQL behind it."""

from bot.store.bulk import DOUBLE, INTEGER, TEXT, Bulk, Row, Values, Write
from bot.store.store import Job, Store, StoreUnavailable, Tx, open_store

__all__ = [
    "DOUBLE",
    "INTEGER",
    "TEXT",
    "Bulk",
    "Job",
    "Row",
    "Store",
    "StoreUnavailable",
    "Tx",
    "Values",
    "Write",
    "open_store",
]
