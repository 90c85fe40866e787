"""Shares in billionths. Statements of before count millionths under a digest of version 1, which no program takes any
more: they are forgotten, and what the custodians say next is the first word again. Nothing is burnt without two."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget the statements of the old unit, and name the column by the new one."""
    op.execute(sa.text("DELETE FROM statement_entries"))
    op.execute(sa.text("DELETE FROM statements"))
    op.execute(sa.text("ALTER TABLE statement_entries RENAME COLUMN shares_micro TO shares_nano"))
