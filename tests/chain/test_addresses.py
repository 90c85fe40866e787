"""Addresses and hashes that others compute alike: by their seeds, spelt out."""

from __future__ import annotations

import hashlib

import pytest
from solders.pubkey import Pubkey

from tests.chain.cases import CLIENT, KEY, MINT
from xstocks_daemon.chain.addresses import base58, parse_address, proposal_hash
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.domain.units import Address

PROGRAM = Pubkey.from_bytes(CLIENT.program_id)


def derived(*seeds: bytes) -> bytes:
    return bytes(Pubkey.find_program_address(list(seeds), PROGRAM)[0])


def test_accounts_of_the_program_are_derived_from_their_seeds() -> None:
    a = CLIENT.addresses
    assert a.config == derived(b"config")
    assert a.custodian(0x0102) == derived(b"custodian", b"\x02\x01")
    assert a.asset(MINT) == derived(b"asset", MINT)
    assert a.redemption_authority(MINT) == derived(b"redeem", MINT)
    assert a.participant(KEY) == derived(b"participant", KEY)
    assert a.recovery(KEY) == derived(b"recovery", KEY)
    assert a.adoption(MINT) == derived(b"adoption", MINT)
    assert a.redemption(MINT, b"i" * 16) == derived(b"redemption", MINT, b"i" * 16)
    assert a.proposal(b"h" * 32) == derived(b"proposal", b"h" * 32)


def test_an_asset_has_two_vaults_of_two_owners() -> None:
    a = CLIENT.addresses
    assert len({a.vault(MINT), a.redemption_vault(MINT), a.asset(MINT), a.redemption_authority(MINT)}) == 4


def test_a_proposal_is_of_a_tag_the_data_and_the_accounts_in_order() -> None:
    other = Address(bytes([7]) * 32)
    expected = hashlib.sha256(b"xstocks:proposal:v1" + b"data" + KEY + other).digest()
    assert proposal_hash(b"data", [KEY, other]) == expected
    assert proposal_hash(b"data", [other, KEY]) != expected


@pytest.mark.parametrize("text", ["", "not base58: 0OIl", base58(KEY)[:-1] + "11111", "1" * 31])
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text, "wallet")
    assert str(caught.value) == f"wallet: {text!r} is no address; give the base58 text of 32 bytes"
    assert parse_address(base58(KEY)) == KEY
