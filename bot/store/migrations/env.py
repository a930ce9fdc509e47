"""Alembic's entry: runs over the connection that `bot.store.migrate` hands in.

It is told of no tables: a test compares them with the migrations, and loading them would double each first start.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
