"""Puts the program's accounts on a fresh chain: roles, custodians, one mint and Asset per catalogue row.

What an issuer does once, by hand and with care; here in one go, before `seal`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from localnet.catalogue.reader import DECIMALS, CatalogueAsset
from localnet.harness.keys import Key, generate_key
from localnet.harness.submit import Job, submit_ok
from localnet.harness.wait import until
from xstocks_daemon.chain.mint_layout import create_mint_instructions, mint_bytes_with_metadata
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcEndpoint
from xstocks_daemon.domain.snapshot import AttesterKey, Policy
from xstocks_daemon.domain.units import Address

CUSTODIANS = ("Alpaca", "Gtn")
"""The custodians that the reserves name; their ids count from 1."""
AGENTS = ("verification-agent", "security-agent")
"""Who co-signs beside the custodian: parties 1 and 2 of every custodian."""
THRESHOLD = 2
MAX_SKEW_SECS = 2
TIMELOCK_SECS = 60
MIN_TIMELOCK_SECS = 1
"""So that tests and people can play a timelock; an issuer fixes days."""

_ROLES = ("operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions")
_LAMPORTS_PER_SOL = 10**9
_KEY_LIFE_SECS = 365 * 86_400
_SHARE_RAW = 10**DECIMALS


@dataclass(frozen=True, slots=True)
class DeployedCustodian:
    """A custodian on chain with its attester keys, by party: itself, then AGENTS."""

    name: str
    id: int
    address: Address
    attesters: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class DeployedAsset:
    """A catalogue row with the mint that stands for it on this chain."""

    row: CatalogueAsset
    mint: Address


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a deployment, generated for it."""

    upgrade_authority: Key
    admin: Key
    operator: Key
    registrar: Key
    guardian: Key
    resumer: Key
    compliance: Key
    corporate_actions: Key
    custodians: dict[str, Key]
    agents: dict[str, Key]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What `deploy` has put on the chain, with its keys."""

    client: ProgramClient
    genesis_hash: Address
    keys: Keys
    custodians: dict[str, DeployedCustodian]
    assets: tuple[DeployedAsset, ...]

    def asset(self, symbol: str) -> DeployedAsset:
        """The asset of that symbol. KeyError if it is not deployed."""
        for asset in self.assets:
            if asset.row.symbol == symbol:
                return asset
        raise KeyError(symbol)


def generate_keys(directory: Path) -> Keys:
    """A fresh key for every role, custodian and agent, one file each in `directory`."""
    return Keys(
        upgrade_authority=generate_key(directory, "upgrade_authority"),
        admin=generate_key(directory, "admin"),
        **{role: generate_key(directory, role) for role in _ROLES},
        custodians={name: generate_key(directory, f"attester-{name.lower()}") for name in CUSTODIANS},
        agents={name: generate_key(directory, f"attester-{name}") for name in AGENTS},
    )


def demo_policy(capacity_raw: int) -> Policy:
    """Limits of a demo asset: ten times what is in custody, and buckets large enough to play a day in a minute."""
    return Policy(
        supply_limit_raw=10 * capacity_raw + 1_000_000 * _SHARE_RAW,
        mint_burst_raw=1_000 * _SHARE_RAW,
        mint_refill_raw_per_sec=100 * _SHARE_RAW,
        distribute_burst_raw=1_000 * _SHARE_RAW,
        distribute_refill_raw_per_sec=100 * _SHARE_RAW,
        burn_burst_raw=20_000 * _SHARE_RAW,
        burn_refill_raw_per_sec=10_000 * _SHARE_RAW,
        max_age_secs=3_600,
        max_rise_bps=5_000,
        max_multiplier_bps=500,
        ca_tolerance_bps=10,
        ca_window_secs=3 * 86_400,
        min_notice_secs=60,
        freezes_per_day=24,
        redemption_lock_secs=86_400,
    )


async def deploy(
    rpc: RpcEndpoint,
    keys: Keys,
    rows: Sequence[CatalogueAsset],
    *,
    client: ProgramClient | None = None,
    policy_of: Callable[[int], Policy] = demo_policy,
    progress: Callable[[int], None] = lambda _done: None,
    seal: bool = True,
) -> Deployment:
    """Initialise the program and register everything. `progress` gets the number of transactions confirmed so far.

    Each asset may mint what its custodian reports at once (initial_mint_raw); everything later passes the bucket.
    Raises TransactionRefused, RpcError.
    """
    client = client or ProgramClient()
    genesis_hash = await rpc.genesis_hash()
    await _fund(rpc, keys, len(rows))
    await _initialize(rpc, client, keys, genesis_hash)
    custodians = await _register_custodians(rpc, client, keys)
    assets = await _register_assets(rpc, client, keys, custodians, rows, policy_of, progress)
    if seal:
        admin = keys.admin
        instruction = client.seal(admin=admin.address, timelock_secs=TIMELOCK_SECS)
        await submit_ok(rpc, [Job("seal", [instruction], [admin.keypair])])
    return Deployment(client, genesis_hash, keys, custodians, assets)


async def _fund(rpc: RpcEndpoint, keys: Keys, assets: int) -> None:
    """Give lamports to the keys that pay fees and rent."""
    small = 10 * _LAMPORTS_PER_SOL
    payers = {keys.upgrade_authority.address: small, keys.operator.address: small, keys.registrar.address: small}
    payers |= {key.address: small for key in (keys.guardian, keys.resumer, *keys.custodians.values())}
    payers[keys.admin.address] = (10 + assets // 10) * _LAMPORTS_PER_SOL
    for address, lamports in payers.items():
        await rpc.request_airdrop(address, lamports)

    async def funded() -> bool:
        return all([await rpc.balance_lamports(address) >= lamports for address, lamports in payers.items()])

    await until(funded, "the faucet's money")


async def _initialize(rpc: RpcEndpoint, client: ProgramClient, keys: Keys, genesis_hash: Address) -> None:
    authority = keys.upgrade_authority
    instruction = client.initialize(
        authority=authority.address,
        admin=keys.admin.address,
        operator=keys.operator.address,
        registrar=keys.registrar.address,
        guardian=keys.guardian.address,
        resumer=keys.resumer.address,
        compliance=keys.compliance.address,
        corporate_actions=keys.corporate_actions.address,
        genesis_hash=genesis_hash,
        max_skew_secs=MAX_SKEW_SECS,
        min_timelock_secs=MIN_TIMELOCK_SECS,
    )
    await submit_ok(rpc, [Job("initialize", [instruction], [authority.keypair])])


async def _register_custodians(rpc: RpcEndpoint, client: ProgramClient, keys: Keys) -> dict[str, DeployedCustodian]:
    expires_ts = int(time.time()) + _KEY_LIFE_SECS
    custodians = {}
    jobs = []
    for custodian_id, name in enumerate(CUSTODIANS, start=1):
        attesters = (keys.custodians[name], *keys.agents.values())
        parties = [AttesterKey(key.address, party, expires_ts) for party, key in enumerate(attesters)]
        instruction = client.register_custodian(
            admin=keys.admin.address,
            custodian_id=custodian_id,
            name=name,
            threshold=THRESHOLD,
            keys=sorted(parties, key=lambda each: each.key),
        )
        jobs.append(Job(f"register custodian {name}", [instruction], [keys.admin.keypair]))
        custodians[name] = DeployedCustodian(name, custodian_id, client.addresses.custodian(custodian_id), attesters)
    await submit_ok(rpc, jobs)
    return custodians


async def _register_assets(
    rpc: RpcEndpoint,
    client: ProgramClient,
    keys: Keys,
    custodians: dict[str, DeployedCustodian],
    rows: Sequence[CatalogueAsset],
    policy_of: Callable[[int], Policy],
    progress: Callable[[int], None],
) -> tuple[DeployedAsset, ...]:
    admin = keys.admin
    creations: list[Job] = []
    registrations: list[Job] = []
    assets: list[DeployedAsset] = []
    lamports_of_size: dict[int, int] = {}
    for row in rows:
        mint_key = Keypair()
        mint = Address(bytes(mint_key.pubkey()))
        metadata = (("isin", row.token_isin), ("underlying_isin", row.underlying_isin))
        size = mint_bytes_with_metadata(name=row.name, symbol=row.symbol, uri=row.uri, additional_metadata=metadata)
        if size not in lamports_of_size:
            lamports_of_size[size] = await rpc.rent_exempt_lamports(size)
        create = create_mint_instructions(
            payer=admin.address,
            mint=mint,
            asset=client.addresses.asset(mint),
            multiplier_bits=row.multiplier_bits,
            rent_lamports=lamports_of_size[size],
            decimals=DECIMALS,
        )
        creations.append(Job(f"create the mint of {row.symbol}", create, [admin.keypair, mint_key]))
        register = [
            client.register_asset(
                admin=admin.address,
                mint=mint,
                name=row.name,
                symbol=row.symbol,
                uri=row.uri,
                additional_metadata=metadata,
                policy=policy_of(row.capacity_raw),
                initial_mint_raw=row.capacity_raw,
            )
        ]
        if row.custodian is not None:
            custodian = custodians[row.custodian].address
            register.append(client.attach_custodian(admin=admin.address, custodian=custodian, mint=mint))
        registrations.append(Job(f"register {row.symbol}", register, [admin.keypair]))
        assets.append(DeployedAsset(row, mint))
    # A mint has to exist before it is registered, so in waves; each wave fits one blockhash's life with room.
    wave = 100
    done = 0
    for start in range(0, len(rows), wave):
        for jobs in (creations[start : start + wave], registrations[start : start + wave]):
            await submit_ok(rpc, jobs)
            done += len(jobs)
            progress(done)
    return tuple(assets)
