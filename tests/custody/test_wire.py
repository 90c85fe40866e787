"""What the API takes and refuses: every refusal names the field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.custody.builders import CUSTODIAN, GENESIS, PROGRAM, mint_of
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.wire import (
    MAX_BODY_BYTES,
    CosignRequest,
    StatementsRequest,
    StatementWire,
    WireError,
    parse_body,
    parse_json,
    parse_model,
    statement_json,
    statement_of,
)
from xstocks_daemon.domain.statement import MAX_ENTRIES, Statement, StatementEntry
from xstocks_daemon.domain.units import U64_MAX, Address

U64 = st.integers(0, U64_MAX)
NORMAL_BITS = st.integers(1, 0x7FE).flatmap(
    lambda exponent: st.integers(0, 2**52 - 1).map(lambda mantissa: (exponent << 52) | mantissa)
)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    mints = sorted(draw(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=MAX_ENTRIES)))
    return Statement(
        GENESIS,
        PROGRAM,
        CUSTODIAN,
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(0, 2**63 - 1)),
        draw(st.integers(0, 2**63 - 1)),
        tuple(StatementEntry(Address(mint), draw(NORMAL_BITS), draw(U64), draw(U64), draw(U64)) for mint in mints),
    )


@given(statements())
def test_a_statement_survives_the_wire(statement: Statement) -> None:
    body = json.dumps({"statement": statement_json(statement)}).encode()
    assert statement_of(parse_body(CosignRequest, body).statement) == statement


def a_statement() -> dict[str, Any]:
    entries = (StatementEntry(mint_of(n), 0x3FF0000000000000, 5, 500, 0) for n in (1, 2))
    return statement_json(Statement(GENESIS, PROGRAM, CUSTODIAN, 1, 1_000, 100, tuple(entries)))


def set_at(value: Any, path: str, new: Any) -> Any:
    *parents, last = path.split(".")
    for part in parents:
        value = value[int(part)] if isinstance(value, list) else value[part]
    value[int(last) if isinstance(value, list) else last] = new


AMOUNTS = ("shares_nano", "capacity_raw", "redeemed_seen_raw", "multiplier_bits")
NOT_AN_AMOUNT: list[Any] = [
    1,
    1.0,
    True,
    None,
    "",
    "-1",
    "+1",
    "01",
    "1.0",
    "1e3",
    " 1",
    "1 ",
    "１",
    str(U64_MAX + 1),
    ["1"],
    {},
]
NOT_AN_ADDRESS: list[Any] = [
    1,
    None,
    "",
    "0" * 44,
    "1" * 31,
    "1" * 45,
    "é" * 32,
    "11111111111111111111111111111111 ",
    [],
]
NOT_A_COUNT = [1.0, "1", True, None, -1, 2**63]
WRONG = (
    [(f"entries.0.{name}", bad) for name in AMOUNTS for bad in NOT_AN_AMOUNT]
    + [(name, bad) for name in ("genesis_hash", "program_id", "custodian", "entries.1.mint") for bad in NOT_AN_ADDRESS]
    + [(name, bad) for name in ("epoch", "observed_ms", "expires_ts") for bad in NOT_A_COUNT]
    + [("epoch", 2**32), ("entries", []), ("entries", {}), ("entries", None), ("entries.0", 1)]
    + [("entries.0.multiplier_bits", str(bits)) for bits in (0, 1, 0x7FF0000000000000, 0xBFF0000000000000)]
)  # fmt: skip


@pytest.mark.parametrize(("path", "bad"), WRONG)
def test_a_wrong_value_is_refused_by_its_field(path: str, bad: Any) -> None:
    value = a_statement()
    parse_model(StatementWire, value)
    set_at(value, path, bad)
    with pytest.raises(WireError) as refused:
        parse_model(StatementWire, value)
    assert refused.value.field == path


@pytest.mark.parametrize("path", ["epoch", "custodian", "entries", "entries.0.mint", "entries.1.capacity_raw"])
def test_a_missing_key_is_refused_by_its_name(path: str) -> None:
    value = a_statement()
    parent, _, last = path.rpartition(".")
    del (value["entries"][int(parent[-1])] if parent else value)[last]
    with pytest.raises(WireError) as refused:
        parse_model(StatementWire, value)
    assert (refused.value.field, refused.value.value) == (path, "missing")


@pytest.mark.parametrize("path", ["extra", "entries.0.extra"])
def test_an_unknown_key_is_refused_by_its_name(path: str) -> None:
    value = a_statement()
    set_at(value, path, 1)
    with pytest.raises(WireError) as refused:
        parse_model(StatementWire, value)
    assert (refused.value.field, refused.value.value) == (path, "an unknown key")


def test_25_entries_are_refused_and_24_are_taken() -> None:
    value = a_statement()
    line = value["entries"][0]
    value["entries"] = [line | {"mint": base58(mint_of(n))} for n in range(MAX_ENTRIES)]
    statement_of(parse_model(StatementWire, value))
    value["entries"].append(line | {"mint": base58(mint_of(99))})
    with pytest.raises(WireError) as refused:
        parse_model(StatementWire, value)
    assert refused.value.field == "entries"


@pytest.mark.parametrize("order", [[1, 0], [0, 0]])
def test_mints_out_of_order_or_repeated_are_refused(order: list[int]) -> None:
    value = a_statement()
    value["entries"] = [value["entries"][index] for index in order]
    with pytest.raises(WireError) as refused:
        statement_of(parse_model(StatementWire, value))
    assert refused.value.field == "statement.entries"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"\xff", "body"),
        (b"NaN", "body"),
        (b"[" * 100_000, "body"),
        (b'{"mints": ' + b"9" * 5_000 + b"}", "body"),
        (b" " * (MAX_BODY_BYTES + 1), "body"),
        (b'{"mints": [], "mints": []}', "mints"),
        (b'{"at_most": {}, "at_most": {}, "mints": ["%b"]}' % (b"1" * 32), "at_most"),
        (b'{"mints": []}', "mints"),
        (b'{"mints": ["x"]}', "mints.0"),
        (b'{"mints": "x"}', "mints"),
        (b'{"mints": ["11111111111111111111111111111111"], "at_most": {"x": {"shares_nano": "1000"}}}', "at_most.x"),
        (
            b'{"mints": ["%b"], "at_most": {"%b": {"shares_nano": 1.5}}}' % (b"1" * 32, b"1" * 32),
            "at_most.11111111111111111111111111111111.shares_nano",
        ),
    ],
)
def test_a_body_that_is_no_request_is_refused(body: bytes, field: str) -> None:
    with pytest.raises(WireError) as refused:
        parse_body(StatementsRequest, body)
    assert refused.value.field == field
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_a_named_refusal(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_body(CosignRequest, body)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(WireError) as refused:
        parse_json(f'{{"observed_ms": {text}}}'.encode())
    assert (refused.value.field, refused.value.value) == ("body", text)
    assert parse_json(b'{"observed_ms": 1}') == {"observed_ms": 1}


def test_a_body_is_bounded_to_the_byte() -> None:
    most = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert parse_json(most) == "x" * (MAX_BODY_BYTES - 2)
    with pytest.raises(WireError) as refused:
        parse_json(most + b" ")
    assert (refused.value.field, refused.value.value) == ("body", f"{MAX_BODY_BYTES + 1} bytes")
