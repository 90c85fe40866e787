"""Tables by the words of the glossary: what a statement says of an asset is an entry, an asset left alone for a while
is quarantined. Only names change."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename two tables, and one kind of the audit log's lines."""
    op.rename_table("statement_lines", "statement_entries")
    op.rename_table("set_asides", "quarantines")
    op.execute(sa.text("UPDATE events SET kind = 'quarantined' WHERE kind = 'set_aside'"))
