"""Token-2022 bytes: real mints are read, anything malformed is refused by name."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.system_program import decode_create_account

from tests.chain.builders import AAPLX, REAL_MINTS, mint_bytes, token_account
from tests.chain.cases import KEY, WALLET
from xstocks_daemon.chain.addresses import TOKEN_2022, parse_address
from xstocks_daemon.chain.errors import ArgumentError, MalformedAccount
from xstocks_daemon.chain.mint_layout import (
    PROFILE_EXTENSIONS,
    create_mint_instructions,
    extensions,
    mint_bytes_with_metadata,
    mint_bytes_without_metadata,
    read_mint,
    read_token_account,
)
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.domain.units import multiplier_bits_of

ONE = multiplier_bits_of("1.0")
REAL = [pytest.param(row, id=f"{row['symbol']}-{row.get('as_of')}") for row in REAL_MINTS]
METADATA_OFFSET = 509


def decoded(row: dict[str, Any], name: str) -> dict[str, Any]:
    return dict(next(each for each in row["decoded"]["extensions"] if each["name"] == name))


@pytest.mark.parametrize("row", REAL)
def test_real_mints_read_as_the_catalogue_says(row: dict[str, Any]) -> None:
    mint = read_mint(parse_address(row["mint"]), base64.b64decode(row["data_base64"]))
    scaled, metadata = decoded(row, "scaledUiAmountConfig"), decoded(row, "tokenMetadata")
    assert mint.supply_raw == int(row["decoded"]["supply"])
    assert mint.decimals == row["decoded"]["decimals"]
    assert mint.multiplier_bits.to_bytes(8, "little").hex() == scaled["multiplier_f64_le_hex"]
    assert mint.new_multiplier_bits.to_bytes(8, "little").hex() == scaled["new_multiplier_f64_le_hex"]
    assert mint.new_multiplier_effective_ts == scaled["new_multiplier_effective_timestamp"]
    assert mint.paused is decoded(row, "pausableConfig")["paused"]
    assert (mint.symbol, mint.name) == (metadata["token_symbol"], metadata["token_name"])


@pytest.mark.parametrize("row", REAL)
def test_sizes_and_extensions_are_those_of_the_real_mints(row: dict[str, Any]) -> None:
    data = base64.b64decode(row["data_base64"])
    metadata = decoded(row, "tokenMetadata")
    size = mint_bytes_with_metadata(
        name=metadata["token_name"], symbol=metadata["token_symbol"], uri=metadata["uri"], additional_metadata=()
    )
    assert size == len(data)
    assert mint_bytes_without_metadata() == METADATA_OFFSET
    kinds = [kind for kind, _ in extensions(AAPLX, data)]
    assert kinds == [18, 12, 6, 25, 26, 4, 14, 19]
    # Ours are the same, Pausable first.
    assert [*PROFILE_EXTENSIONS[Profile.XSTOCKS], 19] == [26, *(kind for kind in kinds if kind != 26)]


REAL_BYTES = mint_bytes(AAPLX)
SCALED_OFFSET = 275
PAUSED_OFFSET = 335 + 4 + 32


def with_byte(offset: int, value: int) -> bytes:
    return REAL_BYTES[:offset] + bytes([value]) + REAL_BYTES[offset + 1 :]


def with_bytes(offset: int, value: bytes) -> bytes:
    return REAL_BYTES[:offset] + value + REAL_BYTES[offset + len(value) :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes are no mint with extensions"),
        (REAL_BYTES[:82], "82 bytes are no mint with extensions"),
        (REAL_BYTES[:166], "166 bytes are no mint with extensions"),
        (REAL_BYTES[:355], "355 bytes are no mint with extensions"),
        (with_byte(165, 2), "account type 2 at 165, a mint has 1"),
        (with_byte(100, 1), "bytes 82 to 164 are not zero"),
        (with_byte(0, 2), "mint authority's tag at 0 is neither 0 nor 1"),
        (with_byte(46, 2), "freeze authority's tag at 46 is neither 0 nor 1"),
        (with_byte(45, 0), "not initialized"),
        (REAL_BYTES[:-1], "extension 19 at 509 says 165 bytes, 164 are there"),
        (REAL_BYTES[:METADATA_OFFSET], "extension TOKEN_METADATA is missing"),
        (REAL_BYTES[: METADATA_OFFSET + 3], "extension header cut off at 509"),
        (with_byte(SCALED_OFFSET, 99), "extension SCALED_UI_AMOUNT is missing"),
        (with_byte(270, 12), "extension 12 comes twice"),
        (REAL_BYTES + b"\0\0\0\1", "bytes after the end of its extensions at 678"),
        (with_byte(PAUSED_OFFSET, 2), "pause flag is 2"),
        (with_bytes(SCALED_OFFSET + 36, bytes(8)), "not a positive, finite, normal f64"),
        (with_bytes(SCALED_OFFSET + 52, b"\xff" * 8), "not a positive, finite, normal f64"),
        (with_byte(METADATA_OFFSET + 4 + 32, 0), "metadata is of another mint"),
        (with_byte(METADATA_OFFSET + 4 + 64 + 4, 0xFF), "name is not UTF-8"),
        (with_byte(METADATA_OFFSET + 4 + 64, 0xFF), "name is cut off"),
        (with_byte(METADATA_OFFSET + 4 + 64, 4), "metadata: "),
        (with_bytes(674, b"\1\0\0\0"), "the length of a key of the additional metadata is cut off"),
        (REAL_BYTES[:511] + (166).to_bytes(2, "little") + REAL_BYTES[513:] + b"\0", "metadata: 1 bytes too many"),
    ],
)
def test_malformed_mint_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(MalformedAccount, match=message.replace("(", r"\(")):
        read_mint(AAPLX, data)


def test_wrong_length_of_a_known_extension_is_refused() -> None:
    # PermanentDelegate with 31 bytes: everything after it moves up by one.
    data = REAL_BYTES[:236] + (31).to_bytes(2, "little") + REAL_BYTES[238:269] + REAL_BYTES[270:]
    with pytest.raises(MalformedAccount, match="extension PERMANENT_DELEGATE has 31 bytes instead of 32"):
        read_mint(AAPLX, data)


def test_zeros_after_the_extensions_and_foreign_extensions_are_fine() -> None:
    assert read_mint(AAPLX, REAL_BYTES + bytes(4)) == read_mint(AAPLX, REAL_BYTES)
    assert read_mint(AAPLX, REAL_BYTES + b"\x09\0\0\0") == read_mint(AAPLX, REAL_BYTES)
    assert read_mint(AAPLX, with_byte(PAUSED_OFFSET, 1)).paused is True


def test_mint_of_another_program_is_refused() -> None:
    with pytest.raises(MalformedAccount, match="not by Token-2022"):
        read_mint(AAPLX, REAL_BYTES, KEY)


@given(st.binary(max_size=800))
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    for read in (read_mint, read_token_account):
        with contextlib.suppress(MalformedAccount):
            read(AAPLX, data)


@given(st.lists(st.tuples(st.integers(0, len(REAL_BYTES) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_real_mint_is_read_or_refused_by_name(damage: list[tuple[int, int]]) -> None:
    data = bytearray(REAL_BYTES)
    for offset, value in damage:
        data[offset] = value
    try:
        mint = read_mint(AAPLX, bytes(data))
    except MalformedAccount:
        return
    assert mint.supply_raw == int.from_bytes(data[36:44], "little")


@given(
    st.text(max_size=40),
    st.text(max_size=10),
    st.text(max_size=60),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3),
)
def test_any_metadata_is_read_back_and_has_the_computed_size(
    name: str, symbol: str, uri: str, additional: list[tuple[str, str]]
) -> None:
    def text(value: str) -> bytes:
        return len(value.encode()).to_bytes(4, "little") + value.encode()

    value = REAL_BYTES[METADATA_OFFSET + 4 : METADATA_OFFSET + 4 + 64] + text(name) + text(symbol) + text(uri)
    value += len(additional).to_bytes(4, "little") + b"".join(text(key) + text(val) for key, val in additional)
    data = REAL_BYTES[: METADATA_OFFSET + 2] + len(value).to_bytes(2, "little") + value
    mint = read_mint(AAPLX, data)
    assert (mint.name, mint.symbol) == (name, symbol)
    size = mint_bytes_with_metadata(name=name, symbol=symbol, uri=uri, additional_metadata=additional)
    assert size == len(data)


# ---- token accounts ---------------------------------------------------------------------------------------------


def test_token_account_is_read() -> None:
    data = token_account(AAPLX, WALLET, 12_345).data
    account = read_token_account(KEY, data)
    assert (account.mint, account.owner, account.amount_raw, account.frozen) == (AAPLX, WALLET, 12_345, False)
    assert read_token_account(KEY, data[:108] + b"\2" + data[109:]).frozen is True
    extended = data + b"\2" + (7).to_bytes(2, "little") + bytes(2)
    assert (account.immutable_owner, read_token_account(KEY, extended)) == (
        False,
        replace(account, immutable_owner=True),
    )


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda data: data[:-1], "164 bytes are no token account"),
        (lambda data: data[:108] + b"\0" + data[109:], "token account state 0"),
        (lambda data: data + b"\1" + bytes(4), "account type 1"),
        (lambda data: data + b"\2\7\0\1\0", "says 1 bytes"),
        (lambda data: data + bytes(190), "355 bytes are no token account"),
    ],
)
def test_malformed_token_account_is_refused_by_name(fault: Any, message: str) -> None:
    with pytest.raises(MalformedAccount, match=message):
        read_token_account(KEY, fault(token_account(AAPLX, WALLET, 1).data))
    with pytest.raises(MalformedAccount, match="not by Token-2022"):
        read_token_account(KEY, token_account(AAPLX, WALLET, 1).data, KEY)


# ---- making a mint ----------------------------------------------------------------------------------------------


def test_instructions_of_a_new_mint() -> None:
    made = create_mint_instructions(payer=WALLET, mint=AAPLX, asset=KEY, multiplier_bits=ONE, rent_lamports=7)
    create = decode_create_account(made[0])
    assert (create["lamports"], create["space"], bytes(create["owner"])) == (7, METADATA_OFFSET, TOKEN_2022)
    # First bytes of each: the extension's instruction, 0 for Initialize; the order of the real mints, Pausable first.
    assert [bytes(each.data[:2]) for each in made[1:]] == [
        b"\x2c\0",
        b"\x27\0",
        bytes([35, KEY[0]]),
        b"\x1c\0",
        b"\x2b\0",
        b"\x1b\0",
        b"\x24\0",
        b"\x14\x08",
    ]
    for each in made[1:]:
        (meta,) = each.accounts
        assert (bytes(meta.pubkey), meta.is_signer, meta.is_writable) == (AAPLX, False, True)
        assert bytes(each.program_id) == TOKEN_2022
    assert bytes(made[5].data) == b"\x2b\0" + KEY + ONE.to_bytes(8, "little")
    assert bytes(made[-1].data) == b"\x14\x08" + KEY + b"\1" + KEY


def test_profiles_differ_as_the_design_says() -> None:
    frozen = create_mint_instructions(
        payer=WALLET, mint=AAPLX, asset=KEY, multiplier_bits=ONE, rent_lamports=7, profile=Profile.PERMISSIONED
    )
    assert bytes(frozen[4].data) == b"\x1c\0\2"
    opened = create_mint_instructions(
        payer=WALLET, mint=AAPLX, asset=KEY, multiplier_bits=ONE, rent_lamports=7, profile=Profile.OPEN
    )
    assert [each.data[0] for each in opened[1:]] == [39, 43, 20]
    assert bytes(opened[-1].data) == b"\x14\x08" + KEY + b"\0"


@pytest.mark.parametrize("bits", [0, 2**63, 0x7FF0 << 48, -1, 2**64])
def test_multiplier_that_is_none_is_refused(bits: int) -> None:
    with pytest.raises(ArgumentError):
        create_mint_instructions(payer=WALLET, mint=AAPLX, asset=KEY, multiplier_bits=bits, rent_lamports=7)
