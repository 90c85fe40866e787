"""Who holds the authorities of a mint, and the instructions by which they are handed over."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict
from typing import Any

import pytest
from solders.instruction import AccountMeta

from tests.chain.builders import AAPLX, REAL_MINTS, mint_bytes
from tests.chain.cases import KEY, WALLET, address
from xstocks_daemon.chain.addresses import TOKEN_2022, base58, parse_address, pubkey
from xstocks_daemon.chain.authorities import handover_instructions, read_authorities, set_authority
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.program import Authorities, Profile
from xstocks_daemon.domain.units import ZERO_ADDRESS

NAMES = tuple(Authorities.__dataclass_fields__)
ASSET = address()


@pytest.mark.parametrize("row", REAL_MINTS, ids=lambda row: f"{row['symbol']}-{row['source']}")
def test_holders_of_real_mints_are_those_of_the_catalogue(row: dict[str, Any]) -> None:
    decoded = row["decoded"]
    of = {each["name"]: each for each in decoded["extensions"]}
    found = asdict(read_authorities(parse_address(row["mint"]), base64.b64decode(row["data_base64"])))
    assert {name: base58(holder) for name, holder in found.items()} == {
        "mint": decoded["mint_authority"],
        "freeze": decoded["freeze_authority"],
        "metadata_pointer": of["metadataPointer"]["authority"],
        "metadata_update": of["tokenMetadata"]["update_authority"],
        "permanent_delegate": of["permanentDelegate"]["delegate"],
        "scaled_ui": of["scaledUiAmountConfig"]["authority"],
        "pausable": of["pausableConfig"]["authority"],
        "confidential": of["confidentialTransferMint"]["authority"],
        "hook": of["transferHook"]["authority"],
    }


def test_nobody_is_zeros() -> None:
    data = mint_bytes(AAPLX)
    without = read_authorities(AAPLX, bytes(4) + data[4:46] + bytes(4) + data[50:166])
    assert without == Authorities(*[ZERO_ADDRESS] * len(NAMES))


@pytest.mark.parametrize(
    ("data", "owner", "message"),
    [
        (mint_bytes(AAPLX), KEY, "no mint of Token-2022"),
        (mint_bytes(AAPLX)[:81], TOKEN_2022, "no mint of Token-2022"),
        (b"\2" + mint_bytes(AAPLX)[1:], TOKEN_2022, "tag is 2, neither 0 nor 1"),
        (mint_bytes(AAPLX)[:166] + b"\x0c\0\x1f\0" + bytes(31), TOKEN_2022, "PERMANENT_DELEGATE is cut off"),
    ],
)
def test_what_is_no_mint_is_refused_by_name(data: bytes, owner: Any, message: str) -> None:
    with pytest.raises(MalformedAccount, match=message):
        read_authorities(AAPLX, data, owner)


def test_each_authority_is_set_by_its_number() -> None:
    numbers = {
        "mint": 0,
        "freeze": 1,
        "permanent_delegate": 8,
        "confidential": 9,
        "hook": 10,
        "metadata_pointer": 12,
        "scaled_ui": 15,
        "pausable": 16,
    }
    assert set(numbers) | {"metadata_update"} == set(NAMES)
    metas = [
        AccountMeta(pubkey(AAPLX), is_signer=False, is_writable=True),
        AccountMeta(pubkey(KEY), is_signer=True, is_writable=False),
    ]
    for name, number in numbers.items():
        given = set_authority(AAPLX, name, KEY, ASSET)
        assert (bytes(given.data), given.accounts) == (bytes([6, number, 1]) + ASSET, metas)
        assert bytes(set_authority(AAPLX, name, KEY, ZERO_ADDRESS).data) == bytes([6, number, 0])
    tag = hashlib.sha256(b"spl_token_metadata_interface:update_the_authority").digest()[:8]
    given = set_authority(AAPLX, "metadata_update", KEY, ASSET)
    assert (bytes(given.data), given.accounts) == (tag + ASSET, metas)


def test_each_holder_signs_its_own_handover_once() -> None:
    """Nobody's and the asset's own authorities are left alone."""
    holders = Authorities(
        mint=KEY,
        freeze=WALLET,
        metadata_pointer=ZERO_ADDRESS,
        metadata_update=WALLET,
        permanent_delegate=WALLET,
        scaled_ui=ASSET,
        pausable=WALLET,
        confidential=KEY,
        hook=ZERO_ADDRESS,
    )
    given = handover_instructions(AAPLX, holders, ASSET)
    assert given == {
        KEY: [set_authority(AAPLX, name, KEY, ASSET) for name in ("mint", "confidential")],
        WALLET: [
            set_authority(AAPLX, name, WALLET, ASSET)
            for name in ("freeze", "metadata_update", "permanent_delegate", "pausable")
        ],
    }
    of_open = handover_instructions(AAPLX, holders, ASSET, Profile.OPEN)
    assert of_open[WALLET][0] == set_authority(AAPLX, "freeze", WALLET, ZERO_ADDRESS)
    assert (of_open[KEY], of_open[WALLET][1:]) == (given[KEY], given[WALLET][1:])
