"""Account bytes of a model chain (tests/domain/chain_model.py): what nodes show of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import cache
from typing import Any

from tests.chain import idl_values as reading
from tests.chain.builders import REAL_MINTS, mint_bytes, own
from tests.chain.cases import CLIENT
from xstocks_daemon.chain.addresses import LOOKUP_TABLE_PROGRAM, TOKEN_2022, parse_address
from xstocks_daemon.chain.mint_layout import read_mint
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.domain.snapshot import AssetAccount, ChainSnapshot
from xstocks_daemon.domain.units import Address, multiplier_bits_of

ONE_BITS = multiplier_bits_of("1.0")


def _plain(name: str) -> dict[str, Any]:
    """A value of the type, all zeros."""
    return {each["name"]: _zero(each["type"]) for each in reading.TYPES[name]}


def _zero(kind: Any) -> Any:
    match kind:
        case str() if kind in reading.INTEGERS:
            return 0
        case "pubkey":
            return bytes(32)
        case {"array": ["u8", length]}:
            return bytes(length)
        case {"array": [inner, length]}:
            return [_zero(inner) for _ in range(length)]
        case {"defined": {"name": name}}:
            return _plain(name)
    raise AssertionError(f"no zero of type {kind!r}")


def account_of_asset(asset: AssetAccount) -> AccountInfo:
    names = {each["name"] for each in reading.TYPES["Asset"]}
    value = _plain("Asset") | {name: each for name, each in asdict(asset).items() if name in names}
    entries = [_plain("Entry") | asdict(entry) for entry in asset.entries]
    value |= {
        "version": 1,
        "entry_count": len(entries),
        "entries": entries + [_plain("Entry") for _ in range(4 - len(entries))],
    }
    return own(reading.account_bytes("Asset", value))


def shared_accounts(chain: ChainSnapshot) -> dict[Address, AccountInfo]:
    """Config, custodians and participants."""
    config = asdict(chain.config)
    config = {name: each for name, each in config.items() if name != "address"}
    found = {CLIENT.addresses.config: own(reading.account_bytes("Config", _plain("Config") | config | {"version": 1}))}
    for address, custodian in chain.custodians.items():
        keys = [_plain("AttesterKey") | asdict(key) for key in custodian.keys]
        value = _plain("Custodian") | {
            "version": 1,
            "id": custodian.id,
            "threshold": custodian.threshold,
            "state": int(custodian.state),
            "epoch": custodian.epoch,
            "key_count": len(keys),
            "keys": keys + [_plain("AttesterKey") for _ in range(8 - len(keys))],
            "name": custodian.name.encode().ljust(32, b"\0"),
        }
        found[address] = own(reading.account_bytes("Custodian", value))
    for wallet, participant in chain.participants.items():
        value = _plain("Participant") | {
            "version": 1,
            "state": int(participant.state),
            "country": participant.country.encode(),
            "expires_ts": participant.expires_ts,
            "wallet": wallet,
        }
        found[CLIENT.addresses.participant(wallet)] = own(reading.account_bytes("Participant", value))
    return found


@cache
def _model_mint() -> tuple[Address, bytes]:
    """A real mint with 8 decimals and a multiplier of 1, never split and not paused."""
    for row in REAL_MINTS:
        address = parse_address(row["mint"])
        mint = read_mint(address, mint_bytes(address))
        if (mint.multiplier_bits, mint.new_multiplier_bits) == (ONE_BITS, ONE_BITS) and not mint.paused:
            return address, mint_bytes(address)
    raise AssertionError("no such mint in the catalogue")


def made_mint(number: int) -> Address:
    """The address of a mint that is like a real one."""
    return Address(hashlib.sha256(b"mint %d" % number).digest())


def symbol_of(mint: Address) -> str:
    """Unique, and as long as the model's."""
    model, data = _model_mint()
    size = len(read_mint(model, data).symbol) - 1
    return hashlib.sha256(mint).hexdigest()[:size].upper() + "x"


def mint_account(mint: Address, supply_raw: int) -> AccountInfo:
    model, data = _model_mint()
    symbol = read_mint(model, data).symbol
    changed = bytearray(data.replace(model, mint).replace(symbol.encode(), symbol_of(mint).encode()))
    changed[36:44] = supply_raw.to_bytes(8, "little")
    return AccountInfo(TOKEN_2022, bytes(changed), 3_000_000, executable=False)


def table_account(addresses: list[Address], authority: Address) -> AccountInfo:
    """An active lookup table."""
    meta = (1).to_bytes(4, "little") + (2**64 - 1).to_bytes(8, "little") + bytes(9) + b"\1" + authority + bytes(2)
    return AccountInfo(LOOKUP_TABLE_PROGRAM, meta + b"".join(addresses), 1_000, executable=False)
