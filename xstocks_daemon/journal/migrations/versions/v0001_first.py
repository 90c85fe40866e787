"""The first schema.

Numbers of 64 unsigned bits are 20 decimal digits (`schema.U64` says why).
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_U64 = sa.String(20)


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "acknowledgements",
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("up_to_raw", _U64, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mint", "person"),
    )
    op.create_table(
        "assets",
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", _U64, nullable=False),
        sa.Column("adopted_raw", _U64, nullable=False),
        sa.Column("minted_raw", _U64, nullable=False),
        sa.Column("burnt_raw", _U64, nullable=False),
        sa.Column("distributed_raw", _U64, nullable=False),
        sa.Column("holder_burnt_raw", _U64, nullable=False),
        sa.PrimaryKeyConstraint("mint"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("wire", sa.LargeBinary(), nullable=False),
        sa.Column("blockhash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_valid_block_height", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("signature"),
    )
    op.create_index("attempts_by_state", "attempts", ["state"], unique=False)
    op.create_table(
        "burn_approvals",
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("up_to_raw", _U64, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mint"),
    )
    op.create_table(
        "events",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("mint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "halts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("cleared_by", sa.Text(), nullable=False),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "halts_one_open", "halts", ["mint"], unique=True, sqlite_where=sa.text("open"), postgresql_where=sa.text("open")
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("ttl_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lookup_tables",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("address", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address"),
    )
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("program_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "orders",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("order_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("amount_raw", _U64, nullable=False),
        sa.Column("wallet", sa.LargeBinary(length=32), nullable=False),
        sa.Column("destination", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_table(
        "set_asides",
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mint"),
    )
    op.create_table(
        "statements",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "intents",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", _U64, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("amount_raw", _U64, nullable=False),
        sa.Column("destination", sa.LargeBinary(length=32), nullable=False),
        sa.Column("order_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("intent_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mint"],
            ["assets.mint"],
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.order_id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("intents_by_state", "intents", ["state"], unique=False)
    op.create_index(
        "intents_one_per_order",
        "intents",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'dropped'"),
        postgresql_where=sa.text("state <> 'dropped'"),
    )
    op.create_index(
        "intents_one_per_sequence",
        "intents",
        ["mint", "sequence"],
        unique=True,
        sqlite_where=sa.text("state <> 'dropped'"),
        postgresql_where=sa.text("state <> 'dropped'"),
    )
    op.create_table(
        "lookup_table_assets",
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.LargeBinary(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["address"],
            ["lookup_tables.address"],
        ),
        sa.PrimaryKeyConstraint("mint"),
    )
    op.create_table(
        "statement_lines",
        sa.Column("custodian", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("newest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=True),
        sa.Column("observed_ms", _U64, nullable=False),
        sa.Column("multiplier_bits", _U64, nullable=False),
        sa.Column("shares_micro", _U64, nullable=False),
        sa.Column("capacity_raw", _U64, nullable=False),
        sa.Column("redeemed_seen_raw", _U64, nullable=False),
        sa.Column("lowered_ms", _U64, nullable=False),
        sa.ForeignKeyConstraint(
            ["newest"],
            ["statements.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["previous"],
            ["statements.digest"],
        ),
        sa.PrimaryKeyConstraint("custodian", "mint"),
    )
    op.create_table(
        "attempt_intents",
        sa.Column("attempt_id", _ID, nullable=False),
        sa.Column("intent_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["intent_id"],
            ["intents.id"],
        ),
        sa.PrimaryKeyConstraint("attempt_id", "intent_id"),
    )
    op.create_index("attempt_intents_by_intent", "attempt_intents", ["intent_id"], unique=False)
