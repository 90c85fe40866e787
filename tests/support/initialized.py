"""The program at one address on a live chain: its Config, roles and custodians; as yet without assets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.instruction import Instruction
from solders.keypair import Keypair

from localnet.harness.deploy import CUSTODIANS, DeployedCustodian, Deployment, Keys
from localnet.harness.keys import Key
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, LiveChain, address_of, call
from xstocks_daemon.chain.addresses import ProgramAddresses
from xstocks_daemon.chain.mint_layout import (
    DECIMALS,
    create_mint_instructions,
    mint_bytes_with_metadata,
)
from xstocks_daemon.chain.program import Profile, ProgramClient, ProgramEvent
from xstocks_daemon.chain.rpc import LandedTransaction
from xstocks_daemon.domain.snapshot import (
    AttesterKey,
    Config,
    Custodian,
    Policy,
)
from xstocks_daemon.domain.units import Address, multiplier_bits_of

OWN_CUSTODIAN, OTHER_CUSTODIAN = CUSTODIANS
"""The custodian that tests attest with, and the second one. Every pooled asset is attached to both."""
DAY_SECS = 86_400
PARTICIPANT_SECS = 30 * DAY_SECS
ROOMY = Policy(
    supply_limit_raw=10**17,
    mint_burst_raw=10**17,
    mint_refill_raw_per_sec=10**17,
    distribute_burst_raw=10**17,
    distribute_refill_raw_per_sec=10**17,
    burn_burst_raw=10**17,
    burn_refill_raw_per_sec=10**17,
    max_age_secs=3_600,
    max_rise_bps=5_000,
    max_multiplier_bps=500,
    ca_tolerance_bps=10,
    ca_window_secs=3 * DAY_SECS,
    min_notice_secs=60,
    freezes_per_day=1_000,
    redemption_lock_secs=0,
)
"""Limits that no test meets by accident; buckets are full one second after registration."""

ADDITIONAL_METADATA = (("isin", "CH0000000000"), ("underlying_isin", "US0000000000"))

NAMES: dict[str, str] = {"name": "Test xStock", "symbol": "TESTx", "uri": "https://example.test/x.json"}
"""Of every mint that tests make."""


@dataclass(frozen=True, slots=True)
class FreshMint:
    """A mint account to be created: its key and the instructions that make it."""

    key: Keypair
    create: tuple[Instruction, ...]

    @property
    def mint(self) -> Address:
        """The mint's address."""
        return address_of(self.key)


@dataclass(frozen=True, slots=True)
class InitializedProgram:
    """The program at one address, initialised, with two custodians (threshold 2, parties 0, 1 and 2 each)."""

    chain: LiveChain
    deployment: Deployment

    @property
    def client(self) -> ProgramClient:
        """Builds its instructions, reads its accounts."""
        return self.deployment.client

    @property
    def addresses(self) -> ProgramAddresses:
        """Its derived addresses."""
        return self.client.addresses

    @property
    def keys(self) -> Keys:
        """The keys of its roles."""
        return self.deployment.keys

    def custodian(self, name: str = OWN_CUSTODIAN) -> DeployedCustodian:
        """A custodian by name."""
        return self.deployment.custodians[name]

    def by(self, role: str, *instructions: Instruction) -> Call:
        """A call signed by the key of a role (`admin`, `operator`, ...)."""
        return call(instructions, getattr(self.keys, role).keypair)

    # ---- outcomes -----------------------------------------------------------------------------------------------

    async def accepted(self, sent: Call) -> tuple[ProgramEvent, ...]:
        """The call passes; gives the program's events."""
        return self.events(await self.chain.accepted(sent))

    async def refused(self, sent: Call, error: ErrorCode, *, also: Iterable[Address] = ()) -> LandedTransaction:
        """The call's last instruction is refused by this program with exactly this error; no account changes."""
        return await self.chain.refused(sent, error, by=self.client.program_id, also=also)

    def events(self, landed: LandedTransaction) -> tuple[ProgramEvent, ...]:
        """The program's events in a transaction's log."""
        return tuple(self.client.events(landed.logs))

    # ---- reading ------------------------------------------------------------------------------------------------

    async def config(self) -> Config:
        """The Config account."""
        info = await self.chain.account(self.addresses.config)
        return self.client.config(info.data, info.owner)

    async def read_custodian(self, address: Address) -> Custodian:
        """A Custodian account."""
        info = await self.chain.account(address)
        return self.client.custodian(address, info.data, info.owner)

    async def add_custodian(
        self,
        *,
        parties: Sequence[int] = (0, 1, 2),
        threshold: int = 2,
        expires_in_secs: Sequence[int] = (),
        attesters: Sequence[Keypair] = (),
    ) -> str:
        """Register one more custodian with a key per party; gives its name, by which `custodian` finds it.

        `expires_in_secs` says for each key how long it lasts from now (default: a year), `attesters` which keys.
        """
        now_ts = await self.chain.clock_ts()
        custodian_id = 100 + len(self.deployment.custodians)
        name = f"Custodian {custodian_id}"
        keypairs = attesters or [Keypair() for _ in parties]
        lives = expires_in_secs or [365 * DAY_SECS for _ in parties]
        keys = [
            AttesterKey(address_of(keypair), party, now_ts + life)
            for keypair, party, life in zip(keypairs, parties, lives, strict=True)
        ]
        instruction = self.client.register_custodian(
            admin=self.keys.admin.address, custodian_id=custodian_id, name=name, threshold=threshold, keys=keys
        )
        await self.accepted(self.by("admin", instruction))
        self.deployment.custodians[name] = DeployedCustodian(
            name, custodian_id, self.addresses.custodian(custodian_id), tuple(Key(each, Path()) for each in keypairs)
        )
        return name

    # ---- accounts that tests make --------------------------------------------------------------------------------

    async def mint_to_register(
        self,
        multiplier_bits: int = multiplier_bits_of("1"),
        *,
        key: Keypair | None = None,
        profile: Profile = Profile.XSTOCKS,
        decimals: int = DECIMALS,
        authority: Address | None = None,
        additional_metadata: Sequence[tuple[str, str]] = ADDITIONAL_METADATA,
    ) -> FreshMint:
        """The instructions that create a mint of the profile, not sent yet. `authority` None: its Asset account."""
        key = key or Keypair()
        mint = address_of(key)
        size = mint_bytes_with_metadata(**NAMES, additional_metadata=additional_metadata, profile=profile)
        create = create_mint_instructions(
            payer=self.keys.admin.address,
            mint=mint,
            asset=authority or self.addresses.asset(mint),
            multiplier_bits=multiplier_bits,
            rent_lamports=await self.chain.rpc.rent_exempt_lamports(size),
            profile=profile,
            decimals=decimals,
        )
        return FreshMint(key, tuple(create))

    def registration(
        self,
        mint: Address,
        *,
        policy: Policy = ROOMY,
        initial_mint_raw: int = 0,
        profile: Profile = Profile.XSTOCKS,
        additional_metadata: Sequence[tuple[str, str]] = ADDITIONAL_METADATA,
        admin: Address | None = None,
        **names: str,
    ) -> Instruction:
        """register_asset for a mint of `mint_to_register`, by the admin unless another is named."""
        return self.client.register_asset(
            admin=admin or self.keys.admin.address,
            mint=mint,
            **{**NAMES, **names},
            additional_metadata=additional_metadata,
            policy=policy,
            initial_mint_raw=initial_mint_raw,
            profile=profile,
        )

    async def participant(
        self, *, expires_in_secs: int = PARTICIPANT_SECS, active: bool = True, wallet: Keypair | None = None
    ) -> Keypair:
        """A wallet on the list of participants, a fresh one unless it is given."""
        wallet = wallet or Keypair()
        expires_ts = await self.chain.clock_ts() + expires_in_secs
        instruction = self.client.set_participant(
            registrar=self.keys.registrar.address,
            wallet=address_of(wallet),
            active=active,
            expires_ts=expires_ts,
            country="CH",
        )
        await self.accepted(self.by("registrar", instruction))
        return wallet
