"""The form of a statement and of an intent: each rule with its refusal, beside the twin that passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import ALPACA, GENESIS, PROGRAM, mint_address, statement, vault_of
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.statement import MAX_ENTRIES, StatementEntry, StatementError
from xstocks_daemon.domain.units import U64_MAX, Address, UnitError

MINT = mint_address(1)
SAID = statement(ALPACA, {MINT: 5}).statement
INTENT = Intent(IntentKind.MINT, MINT, 1, 5, vault_of(MINT), b"o" * 16)


def entries(count: int) -> tuple[StatementEntry, ...]:
    return tuple(replace(SAID.entries[0], mint=mint_address(number)) for number in range(count))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entries": ()}, f"entries: 0 given, 1 to {MAX_ENTRIES} are allowed"),
        ({"entries": entries(25)}, f"entries: 25 given, 1 to {MAX_ENTRIES} are allowed"),
        ({"entries": entries(1) * 2}, "entries: mints must be strictly ascending by their bytes"),
        ({"entries": entries(2)[::-1]}, "entries: mints must be strictly ascending by their bytes"),
        ({"entries": (replace(SAID.entries[0], mint=Address(b"short")),)}, "entries: every mint must be 32 bytes"),
        ({"genesis_hash": Address(b"short")}, "genesis_hash: must be 32 bytes"),
        ({"program_id": Address(bytes(33))}, "program_id: must be 32 bytes"),
        ({"custodian": Address(b"")}, "custodian: must be 32 bytes"),
        ({"epoch": 2**32}, f"epoch: {2**32} does not fit an u32"),
        ({"epoch": -1}, "epoch: -1 does not fit an u32"),
        ({"expires_ts": -1}, "expires_ts: -1 does not fit an i64 or is negative"),
        ({"expires_ts": 2**63}, f"expires_ts: {2**63} does not fit an i64 or is negative"),
    ],
)
def test_a_statement_of_another_form_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StatementError) as caught:
        replace(SAID, **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "changes",
    [{"entries": entries(24)}, {"epoch": 2**32 - 1}, {"epoch": 0}, {"expires_ts": 0}, {"observed_ms": U64_MAX}],
)
def test_a_statement_at_the_limits_is_one(changes: dict[str, Any]) -> None:
    said = replace(SAID, **changes)
    assert len(said.preimage()) == len(SAID.preimage()) + (len(said.entries) - 1) * 64


@pytest.mark.parametrize("name", ["multiplier_bits", "shares_nano", "capacity_raw", "redeemed_seen_raw"])
@pytest.mark.parametrize("value", [-1, U64_MAX + 1])
def test_a_number_that_does_not_fit_is_refused_by_name(name: str, value: int) -> None:
    changes: dict[str, Any] = {name: value}
    with pytest.raises(UnitError, match=f"^{name} is {value}: "):
        replace(SAID, entries=(replace(SAID.entries[0], **changes),))


@pytest.mark.parametrize("name", ["genesis_hash", "program_id", "custodian"])
def test_a_statement_is_of_one_cluster_program_and_custodian(name: str) -> None:
    changes: dict[str, Any] = {name: Address(b"x" * 32)}
    assert replace(SAID, **changes).digest() != SAID.digest()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"order_id": b"short"}, ValueError, "order_id: 5 bytes given, it must be 16"),
        ({"order_id": bytes(17)}, ValueError, "order_id: 17 bytes given, it must be 16"),
        (
            {"amount_raw": U64_MAX + 1},
            UnitError,
            f"amount_raw is {U64_MAX + 1}: it must be an integer from 0 to {U64_MAX}",
        ),
        ({"sequence": -1}, UnitError, f"sequence is -1: it must be an integer from 0 to {U64_MAX}"),
    ],
)
def test_an_intent_of_another_form_is_refused_by_name(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        replace(INTENT, **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": IntentKind.BURN},
        {"mint": mint_address(2)},
        {"sequence": 2},
        {"amount_raw": 6},
        {"destination": vault_of(mint_address(2))},
        {"order_id": b"p" * 16},
    ],
)
def test_every_part_of_an_intent_is_in_its_hash(changes: dict[str, Any]) -> None:
    assert replace(INTENT, **changes).intent_hash(GENESIS, PROGRAM) != INTENT.intent_hash(GENESIS, PROGRAM)


def test_an_intent_is_of_one_cluster_and_program() -> None:
    assert len({INTENT.intent_hash(a, b) for a, b in ((GENESIS, PROGRAM), (PROGRAM, GENESIS), (GENESIS, GENESIS))}) == 3
