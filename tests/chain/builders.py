"""A whole deployment as account bytes, for fake nodes: config, a custodian, registered assets."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

from tests.chain import idl_values as reading
from tests.chain.cases import CLIENT, CUSTODIAN
from tests.chain.fake_rpc import GENESIS, FakeNode
from xstocks_daemon.chain.addresses import TOKEN_2022, base58, parse_address
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.domain.units import Address

CATALOGUE = Path(__file__).parents[2] / "localnet" / "catalogue" / "mint_accounts.json"
REAL_MINTS: list[dict[str, Any]] = json.loads(CATALOGUE.read_text())["mint_accounts"]
AAPLX = parse_address(next(row["mint"] for row in REAL_MINTS if row["symbol"] == "AAPLx"))
SPYX = parse_address(next(row["mint"] for row in REAL_MINTS if row["symbol"] == "SPYx"))
NVDAX = parse_address(next(row["mint"] for row in REAL_MINTS if row["symbol"] == "NVDAx"))


def own(data: bytes) -> AccountInfo:
    return AccountInfo(CLIENT.program_id, data, 1_000_000, executable=False)


def mint_bytes(mint: Address) -> bytes:
    """The bytes of a real mint, as captured from mainnet."""
    return base64.b64decode(next(row["data_base64"] for row in REAL_MINTS if row["mint"] == base58(mint)))


def token_account(mint: Address, owner: Address, amount_raw: int) -> AccountInfo:
    data = bytearray(165)
    data[0:32], data[32:64], data[64:72] = mint, owner, amount_raw.to_bytes(8, "little")
    data[108] = 1
    return AccountInfo(TOKEN_2022, bytes(data), 2_000_000, executable=False)


def asset_data(mint: Address, /, **changes: Any) -> bytes:
    value = reading.value_of(reading.struct_type("Asset"), random.Random(mint))
    value |= {
        "version": 1,
        "decimals": 8,
        "state": 1,
        "paused": 0,
        "holds": 0,
        "entry_count": 1,
        "mint": mint,
        "vault": CLIENT.addresses.vault(mint),
        "redemption_vault": CLIENT.addresses.redemption_vault(mint),
        "sequence": 5,
        "last_intent_hash": bytes(16),
    } | changes
    value["entries"][0] |= {"custodian": CUSTODIAN, "state": 1, "withdrawn": 0}
    return reading.account_bytes("Asset", value)


def asset_accounts(mint: Address, /, **changes: Any) -> dict[Address, AccountInfo]:
    a = CLIENT.addresses
    return {
        a.asset(mint): own(asset_data(mint, **changes)),
        mint: AccountInfo(TOKEN_2022, mint_bytes(mint), 3_000_000, executable=False),
        a.vault(mint): token_account(mint, a.asset(mint), 1_000),
        a.redemption_vault(mint): token_account(mint, a.redemption_authority(mint), 20),
    }


def deployment(*mints: Address) -> dict[Address, AccountInfo]:
    config = reading.value_of(reading.struct_type("Config"), random.Random(1)) | {
        "version": 1,
        "genesis_hash": GENESIS,
        "paused": 0,
    }
    custodian = reading.value_of(reading.struct_type("Custodian"), random.Random(2)) | {
        "version": 1,
        "state": 0,
        "key_count": 2,
        "name": b"Alpaca".ljust(32, b"\0"),
    }
    accounts = {
        CLIENT.addresses.config: own(reading.account_bytes("Config", config)),
        CUSTODIAN: own(reading.account_bytes("Custodian", custodian)),
    }
    for mint in mints:
        accounts |= asset_accounts(mint)
    return accounts


def two_nodes(*mints: Address) -> tuple[FakeNode, FakeNode]:
    return FakeNode(accounts=deployment(*mints)), FakeNode(accounts=deployment(*mints))
