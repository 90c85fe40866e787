"""Alembic runs this. The journal hands over its own connection and transaction; there is no offline mode."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
