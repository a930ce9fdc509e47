"""Opening the database, or saying in words why that cannot be."""

from urllib.parse import parse_qs, urlsplit

from bot.store import Store, StoreUnavailable, open_store
from bot.store.migrate import bring_up_to_date


async def opened_store(url: str) -> Store:
    """The database, brought to this version and started. Raises StoreUnavailable, CannotMigrate, OSError."""
    if not url.startswith("postgresql:"):
        return await _started(url)
    from asyncpg import InterfaceError, PostgresError

    try:
        return await _started(url)
    except OSError as error:
        words = (
            f"The database at {_place(url)} does not answer. Is PostgreSQL running there, and is DATABASE_URL right?"
        )
        raise StoreUnavailable(words) from error
    except (InterfaceError, PostgresError) as error:
        raise StoreUnavailable(f"The database at {_place(url)} refuses us: {error}. Look at DATABASE_URL.") from error


async def _started(url: str) -> Store:
    await bring_up_to_date(url)
    store = open_store(url)
    await store.start()
    return store


def _place(url: str) -> str:
    """Host and port, and nothing of the login."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    return hosts if ":" in hosts or hosts.startswith("/") else f"{hosts}:5432"
