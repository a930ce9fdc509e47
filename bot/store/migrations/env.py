"""Alembic's entry: runs over the connection that `bot.store.migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

import bot.dispatch.tables
import bot.tables  # noqa: F401 - makes its tables known

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
