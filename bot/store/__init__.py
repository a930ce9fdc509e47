"""The database: one small transaction interface, one writer that commits in groups, SQLite or PostgreSQL behind it."""

from bot.store.store import Job, Row, Store, StoreUnavailable, Tx, open_store

__all__ = ["Job", "Row", "Store", "StoreUnavailable", "Tx", "open_store"]
