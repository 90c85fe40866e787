"""The golden vectors: made without this project's code, from the words of the design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.statement import Statement, StatementEntry
from xstocks_daemon.domain.units import (
    Address,
    UnitError,
    address_text,
    capacity_raw,
    lacks_less_than_nano,
    multiplier_bits_of,
)

VECTORS = Path(__file__).parent.parent / "vectors"


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def address(text: str) -> Address:
    return Address(bytes(Pubkey.from_string(text)))


STATEMENTS, INTENTS, CAPACITIES = load("statement.json"), load("intent.json"), load("capacity.json")


def statement_of(vector: Any) -> Statement:
    return Statement(
        genesis_hash=address(STATEMENTS["genesis_hash"]),
        program_id=address(STATEMENTS["program_id"]),
        custodian=address(STATEMENTS["custodian"]),
        epoch=vector["epoch"],
        observed_ms=vector["observed_ms"],
        expires_ts=vector["expires_ts"],
        entries=tuple(
            StatementEntry(
                address(line["mint"]),
                line["multiplier_bits"],
                line["shares_nano"],
                line["capacity_raw"],
                line["redeemed_seen_raw"],
            )
            for line in vector["entries"]
        ),
    )


@pytest.mark.parametrize("vector", STATEMENTS["statements"])
def test_statements(vector: Any) -> None:
    statement = statement_of(vector)
    assert statement.preimage().hex() == vector["preimage_hex"]
    assert statement.digest().hex() == vector["digest_hex"]
    for signed in vector["signatures"]:
        signature = Signature.from_bytes(bytes.fromhex(signed["signature_hex"]))
        assert signature.verify(Pubkey.from_string(signed["public_key"]), statement.digest())


@pytest.mark.parametrize("vector", INTENTS["intents"])
def test_intents(vector: Any) -> None:
    intent = Intent(
        IntentKind(vector["kind"]),
        address(INTENTS["mint_of_intents"]),
        vector["sequence"],
        vector["amount_raw"],
        address(vector["destination"]),
        bytes.fromhex(vector["order_id_hex"]),
    )
    here = address(INTENTS["genesis_hash"]), address(INTENTS["program_id"])
    assert intent.preimage(*here).hex() == vector["preimage_hex"]
    assert intent.intent_hash(*here).hex() == vector["intent_hash_hex"]


def test_capacities() -> None:
    """One that does not fit an u64 has an error instead of a number."""
    assert CAPACITIES
    for vector in CAPACITIES:
        given = vector["shares_nano"], vector["multiplier_bits"], vector["decimals"]
        assert multiplier_bits_of(f"{float(vector['multiplier']):.40f}") == vector["multiplier_bits"]
        if "capacity_raw" in vector:
            assert capacity_raw(*given) == vector["capacity_raw"]
        else:
            with pytest.raises(UnitError, match="capacity_raw"):
                capacity_raw(*given)


def test_what_shares_lack() -> None:
    vectors = load("lacking.json")
    assert len(vectors) > 500
    for vector in vectors:
        given = vector["claimed_raw"], vector["shares_nano"], vector["multiplier_bits"], vector["decimals"]
        assert lacks_less_than_nano(*given) == vector["lacks_less_than_nano"], vector


def test_addresses_are_written_as_people_know_them() -> None:
    for text in (STATEMENTS["genesis_hash"], STATEMENTS["custodian"], "11111111111111111111111111111111"):
        assert address_text(address(text)) == text
