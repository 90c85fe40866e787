"""The journal's tables. `migrations/` makes them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

from xstocks_daemon.domain.units import checked_u64


class U64(TypeDecorator[int]):
    """An unsigned 64-bit number as 20 decimal digits.

    The integers of SQLite and PostgreSQL are signed: half of the range would not fit, and SQLite would silently make
    it a float. Zero-padded digits sort as the numbers do, are the same in both databases, and people can read them.
    """

    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To the database: 20 digits. UnitError where it is no u64."""
        return None if value is None else f"{checked_u64(value, 'journal number'):020d}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """From the database: the number that the digits are."""
        return None if value is None else int(value)


metadata = MetaData()
_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("genesis_hash", LargeBinary(32), nullable=False),
    Column("program_id", LargeBinary(32), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("ttl_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

# What the journal explains of each asset (M12).
assets = Table(
    "assets",
    metadata,
    Column("mint", LargeBinary(32), primary_key=True),
    Column("sequence", U64, nullable=False),
    Column("adopted_raw", U64, nullable=False),
    Column("minted_raw", U64, nullable=False),
    Column("burnt_raw", U64, nullable=False),
    Column("distributed_raw", U64, nullable=False),
    Column("holder_burnt_raw", U64, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("order_id", LargeBinary(16), nullable=False, unique=True),
    Column("mint", LargeBinary(32), nullable=False),
    Column("amount_raw", U64, nullable=False),
    Column("wallet", LargeBinary(32), nullable=False),
    Column("destination", LargeBinary(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("person", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("mint", LargeBinary(32), ForeignKey("assets.mint"), nullable=False),
    Column("sequence", U64, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("amount_raw", U64, nullable=False),
    Column("destination", LargeBinary(32), nullable=False),
    Column("order_id", LargeBinary(16), ForeignKey("orders.order_id"), nullable=True),
    Column("intent_hash", LargeBinary(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
_NOT_DROPPED = text("state <> 'dropped'")
# M4, M11: a number of an asset belongs to one intent, live or done; so does an order.
Index(
    "intents_one_per_sequence",
    intents.c.mint,
    intents.c.sequence,
    unique=True,
    sqlite_where=_NOT_DROPPED,
    postgresql_where=_NOT_DROPPED,
)
Index(
    "intents_one_per_order",
    intents.c.order_id,
    unique=True,
    sqlite_where=_NOT_DROPPED,
    postgresql_where=_NOT_DROPPED,
)
Index("intents_by_state", intents.c.state)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("signature", LargeBinary(64), nullable=False, unique=True),
    Column("wire", LargeBinary, nullable=False),
    Column("blockhash", LargeBinary(32), nullable=False),
    Column("last_valid_block_height", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
Index("attempts_by_state", attempts.c.state)

attempt_intents = Table(
    "attempt_intents",
    metadata,
    Column("attempt_id", _ID, ForeignKey("attempts.id"), primary_key=True),
    Column("intent_id", _ID, ForeignKey("intents.id"), primary_key=True),
)
Index("attempt_intents_by_intent", attempt_intents.c.intent_id)

statements = Table(
    "statements",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("body", Text, nullable=False),
)

# Newest and previous statement per custodian and asset; the newest's numbers beside it, for the comparison.
statement_entries = Table(
    "statement_entries",
    metadata,
    Column("custodian", LargeBinary(32), primary_key=True),
    Column("mint", LargeBinary(32), primary_key=True),
    Column("newest", LargeBinary(32), ForeignKey("statements.digest"), nullable=False),
    Column("previous", LargeBinary(32), ForeignKey("statements.digest"), nullable=True),
    Column("observed_ms", U64, nullable=False),
    Column("multiplier_bits", U64, nullable=False),
    Column("shares_nano", U64, nullable=False),
    Column("capacity_raw", U64, nullable=False),
    Column("redeemed_seen_raw", U64, nullable=False),
    Column("lowered_ms", U64, nullable=False),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("mint", LargeBinary(32), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("up_to_raw", U64, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

halts = Table(
    "halts",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("mint", LargeBinary(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("cleared_by", Text, nullable=False),
    Column("cleared_ms", BigInteger, nullable=False),
)
_OPEN = text("open")
Index("halts_one_open", halts.c.mint, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)

burn_approvals = Table(
    "burn_approvals",
    metadata,
    Column("mint", LargeBinary(32), primary_key=True),
    Column("up_to_raw", U64, nullable=False),
    Column("person", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

quarantines = Table(
    "quarantines",
    metadata,
    Column("mint", LargeBinary(32), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

lookup_tables = Table(
    "lookup_tables",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("address", LargeBinary(32), nullable=False, unique=True),
    Column("ready", Boolean, nullable=False),
)

lookup_table_assets = Table(
    "lookup_table_assets",
    metadata,
    Column("mint", LargeBinary(32), primary_key=True),
    Column("address", LargeBinary(32), ForeignKey("lookup_tables.address"), nullable=False),
    Column("position", Integer, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("mint", LargeBinary(32), nullable=True),
    Column("detail", Text, nullable=False),
)
