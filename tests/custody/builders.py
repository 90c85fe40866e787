"""Keys, accounts, settings and books for the custody tests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from solders.keypair import Keypair

from xstocks_daemon.attester import books_create, new_asset_book
from xstocks_daemon.attester.books import Target
from xstocks_daemon.attester.settings import AttesterSettings, attester_settings
from xstocks_daemon.chain.addresses import ProgramAddresses, base58
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetState,
    AssetView,
    AttesterKey,
    Bucket,
    ChainSnapshot,
    Config,
    Custodian,
    CustodianState,
    Entry,
    EntryState,
    Hold,
    MintAccount,
    Policy,
    Scope,
)
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address, multiplier_bits_of

GENESIS = Address(bytes([7]) * 32)
PROGRAM = Address(bytes([9]) * 32)
ONE_BITS = multiplier_bits_of("1.0")
CUSTODIAN = ProgramAddresses(PROGRAM).custodian(1)
TOKEN = "a token that tests share".replace(" ", "-")
NEVER_TS = 4_000_000_000

CUSTODIAN_KEY = Keypair.from_seed(bytes([1]) * 32)
AGENT_KEY = Keypair.from_seed(bytes([2]) * 32)
SECOND_AGENT_KEY = Keypair.from_seed(bytes([3]) * 32)
CUSTODIAN_SECOND_KEY = Keypair.from_seed(bytes([4]) * 32)
STRANGER_KEY = Keypair.from_seed(bytes([5]) * 32)


def address_of(key: Keypair) -> Address:
    return Address(bytes(key.pubkey()))


def mint_of(number: int) -> Address:
    """Mints ascend with their numbers."""
    return Address(b"\x20" + number.to_bytes(4, "big") + bytes(27))


def attester_keys(*parties: tuple[Keypair, int], expires_ts: int = NEVER_TS) -> tuple[AttesterKey, ...]:
    keys = (AttesterKey(address_of(key), party, expires_ts) for key, party in parties)
    return tuple(sorted(keys, key=lambda one: one.key))


DEFAULT_KEYS = attester_keys((CUSTODIAN_KEY, 0), (AGENT_KEY, 1), (SECOND_AGENT_KEY, 2))


def custodian_account(**changes: Any) -> Custodian:
    base = Custodian(CUSTODIAN, 1, CustodianState.ACTIVE, epoch=3, threshold=2, keys=DEFAULT_KEYS, name="Alpaca")
    return replace(base, **changes)


def entry_of(custodian: Address = CUSTODIAN, **changes: Any) -> Entry:
    base = Entry(
        custodian=custodian,
        state=EntryState.ATTACHED,
        withdrawn=True,
        confirmed=False,
        epoch=3,
        observed_ms=1_000,
        expires_ts=NEVER_TS,
        shares_nano=0,
        capacity_raw=0,
        redeemed_total_raw=0,
        redeemed_seen_raw=0,
        multiplier_bits=ONE_BITS,
    )
    return replace(base, **changes)


POLICY = Policy(
    supply_limit_raw=2**63,
    mint_burst_raw=2**63,
    mint_refill_raw_per_sec=1,
    distribute_burst_raw=2**63,
    distribute_refill_raw_per_sec=1,
    burn_burst_raw=2**63,
    burn_refill_raw_per_sec=1,
    max_age_secs=86_400,
    max_rise_bps=1_000,
    max_multiplier_bps=1_000,
    ca_tolerance_bps=10,
    ca_window_secs=259_200,
    min_notice_secs=60,
    freezes_per_day=1,
    redemption_lock_secs=300,
)


def asset_view(
    mint: Address,
    *entries: Entry,
    supply_raw: int = 0,
    multiplier_bits: int = ONE_BITS,
    holds: Hold | None = None,
    change: tuple[int, int] | None = None,
    changed_ts: int = 0,
    decimals: int = 8,
) -> AssetView:
    """`change`: (effective_ts, multiplier_bits) of a pending multiplier change; `changed_ts`: when it changed last."""
    effective_ts, pending_bits = change or (0, 0)
    asset = AssetAccount(
        address=Address(bytes([3]) + mint[1:]),
        mint=mint,
        vault=Address(bytes([4]) + mint[1:]),
        redemption_vault=Address(bytes([5]) + mint[1:]),
        decimals=decimals,
        state=AssetState.ACTIVE,
        paused=Scope(0),
        holds=holds or Hold(0),
        sequence=0,
        last_intent_hash=bytes(16),
        multiplier_bits=multiplier_bits,
        pending_multiplier_bits=pending_bits,
        multiplier_effective_ts=effective_ts,
        hold_number=0,
        multiplier_changed_ts=changed_ts,
        change_cancelled_ts=0,
        policy=POLICY,
        mint_bucket=Bucket(0, 0),
        distribute_bucket=Bucket(0, 0),
        burn_bucket=Bucket(0, 0),
        initial_mint_raw=0,
        adopted_raw=0,
        minted_raw=supply_raw,
        burnt_raw=0,
        distributed_raw=0,
        open_redemptions=0,
        entries=entries or (entry_of(),),
    )
    return AssetView(
        asset,
        MintAccount(
            supply_raw=supply_raw,
            decimals=decimals,
            multiplier_bits=multiplier_bits,
            new_multiplier_bits=pending_bits or multiplier_bits,
            new_multiplier_effective_ts=effective_ts,
            paused=False,
            symbol="X",
            name="X",
        ),
        vault_raw=supply_raw,
        redemption_vault_raw=0,
    )


CONFIG = Config(
    address=ZERO_ADDRESS,
    sealed=True,
    paused=Scope(0),
    max_skew_secs=2,
    timelock_secs=60,
    min_timelock_secs=1,
    admin_epoch=0,
    genesis_hash=GENESIS,
    admin=ZERO_ADDRESS,
    operator=ZERO_ADDRESS,
    registrar=ZERO_ADDRESS,
    guardian=ZERO_ADDRESS,
    resumer=ZERO_ADDRESS,
    compliance=ZERO_ADDRESS,
    corporate_actions=ZERO_ADDRESS,
    pending_admin=ZERO_ADDRESS,
    pending_admin_ready_ts=0,
    pending_admin_expires_ts=0,
)


def snapshot_of(*views: AssetView, custodian: Custodian | None = None, now_ts: int | None = None) -> ChainSnapshot:
    found = custodian or custodian_account()
    return ChainSnapshot(
        slot=100,
        now_ts=int(time.time()) if now_ts is None else now_ts,
        genesis_hash=GENESIS,
        program_id=PROGRAM,
        config=CONFIG,
        custodians={found.address: found},
        assets={view.asset.mint: view for view in views},
    )


def signed_by(statement: Statement, *keys: Keypair) -> SignedStatement:
    digest = statement.digest()
    signatures = (AttesterSignature(address_of(key), bytes(key.sign_message(digest))) for key in keys)
    return SignedStatement(statement, tuple(sorted(signatures, key=lambda one: one.key)))


def write_key(path: Path, key: Keypair) -> None:
    path.write_text(json.dumps(list(bytes(key))))
    path.chmod(0o600)


def make_settings(
    folder: Path, key: Keypair, holdings: Iterable[tuple[Address, int]], peers: Sequence[str] = (), **changes: object
) -> AttesterSettings:
    """A sidecar's folder with key, token, books (mint, shares_nano) and settings; kept where it exists."""
    folder.mkdir(exist_ok=True)
    write_key(folder / "key.json", key)
    (folder / "token").write_text(TOKEN + "\n")
    if not (folder / "books.json").exists():
        records = [
            new_asset_book(Target(GENESIS, PROGRAM, mint), f"S{index}x", shares_nano, "1.0")
            for index, (mint, shares_nano) in enumerate(holdings)
        ]
        books_create(folder / "books.json", 1, records)
    values: dict[str, object] = {
        "key_file": "key.json",
        "listen": "127.0.0.1:0",
        "program_id": base58(PROGRAM),
        "genesis_hash": base58(GENESIS),
        "rpc_urls": ["http://127.0.0.1:1"],
        "token_files": ["token"],
        "store_file": "signed.sqlite3",
        "custodians": [
            {
                "id": 1,
                "books_file": "books.json",
                "peers": [{"url": url, "token_file": "token"} for url in peers],
            }
        ],
    }
    return attester_settings(values | changes, folder)
