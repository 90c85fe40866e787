"""Statements and audit details as JSON text. u64 values are decimal strings, bytes are hex."""

from __future__ import annotations

import json
from collections.abc import Mapping

from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address


def statement_text(signed: SignedStatement) -> str:
    """The signed statement as JSON."""
    statement = signed.statement
    return json.dumps(
        {
            "genesis_hash": statement.genesis_hash.hex(),
            "program_id": statement.program_id.hex(),
            "custodian": statement.custodian.hex(),
            "epoch": statement.epoch,
            "observed_ms": str(statement.observed_ms),
            "expires_ts": str(statement.expires_ts),
            "entries": [
                [
                    entry.mint.hex(),
                    str(entry.multiplier_bits),
                    str(entry.shares_nano),
                    str(entry.capacity_raw),
                    str(entry.redeemed_seen_raw),
                ]
                for entry in statement.entries
            ],
            "signatures": [[one.key.hex(), one.signature.hex()] for one in signed.signatures],
        },
        separators=(",", ":"),
    )


def statement_of(text: str) -> SignedStatement:
    """The signed statement that `statement_text` wrote."""
    body = json.loads(text)
    return SignedStatement(
        statement=Statement(
            genesis_hash=_address(body["genesis_hash"]),
            program_id=_address(body["program_id"]),
            custodian=_address(body["custodian"]),
            epoch=body["epoch"],
            observed_ms=int(body["observed_ms"]),
            expires_ts=int(body["expires_ts"]),
            entries=tuple(
                StatementEntry(_address(mint), int(bits), int(shares), int(capacity), int(seen))
                for mint, bits, shares, capacity, seen in body["entries"]
            ),
        ),
        signatures=tuple(
            AttesterSignature(_address(key), bytes.fromhex(signature)) for key, signature in body["signatures"]
        ),
    )


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text))


def detail_text(detail: Mapping[str, int | str]) -> str:
    """Audit details as JSON, keys in order."""
    return json.dumps(dict(detail), sort_keys=True)


def detail_of(text: str) -> Mapping[str, int | str]:
    """The details that `detail_text` wrote."""
    detail: dict[str, int | str] = json.loads(text)
    return detail
