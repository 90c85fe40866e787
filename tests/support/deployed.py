"""A deployment with assets, and short ways to attest, mint, burn and distribute them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.system_program import CreateAccountParams, create_account

from localnet.harness.deploy import CUSTODIANS, Keys, deploy
from localnet.harness.submit import Job, submit_ok
from tests.support.edit import patched
from tests.support.initialized import (
    ADDITIONAL_METADATA,
    DAY_SECS,
    OWN_CUSTODIAN,
    ROOMY,
    InitializedProgram,
)
from tests.support.live_chain import Call, LiveChain, address_of, call
from xstocks_daemon.chain.addresses import TOKEN_2022, associated_token_address, pubkey
from xstocks_daemon.chain.mint_layout import (
    DECIMALS,
    read_mint,
    read_token_account,
)
from xstocks_daemon.chain.program import Profile, ProgramClient
from xstocks_daemon.chain.transactions import create_token_account, quorum_instruction
from xstocks_daemon.domain.intent import NO_ORDER, Intent, IntentKind
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    Entry,
    Hold,
    MintAccount,
    Policy,
)
from xstocks_daemon.domain.statement import AttesterSignature, Statement, StatementEntry
from xstocks_daemon.domain.units import MILLIS_PER_SEC, SHARE_DECIMALS, Address, capacity_raw, multiplier_bits_of

NANO_PER_RAW = 10
"""Billionths of a share that back one base unit at multiplier 1 and 8 decimals."""


@dataclass(frozen=True, slots=True)
class DeployedProgram(InitializedProgram):
    """The program with assets: statements about them, and how they come to be."""

    # ---- statements ---------------------------------------------------------------------------------------------

    async def statement(
        self,
        shares_nano: Mapping[Asset, int],
        *,
        custodian: str = OWN_CUSTODIAN,
        observed_ms: int | None = None,
        expires_ts: int | None = None,
    ) -> Statement:
        """What the custodian would say now: one line per asset, newer than all that the chain holds of it."""
        on_chain = await self.read_custodian(self.custodian(custodian).address)
        now_ts = await self.chain.clock_ts()
        if observed_ms is None:
            held = [await asset.entry(custodian) for asset in shares_nano]
            observed_ms = max(now_ts * MILLIS_PER_SEC, *(entry.observed_ms + 1 for entry in held))
        return Statement(
            genesis_hash=self.deployment.genesis_hash,
            program_id=self.client.program_id,
            custodian=on_chain.address,
            epoch=on_chain.epoch,
            observed_ms=observed_ms,
            expires_ts=now_ts + DAY_SECS if expires_ts is None else expires_ts,
            entries=tuple(
                asset.line(shares) for asset, shares in sorted(shares_nano.items(), key=lambda pair: pair[0].mint)
            ),
        )

    def relay(self, statement: Statement, *signers: Keypair, submitted: Statement | None = None) -> Call:
        """The quorum's signatures of `statement` and the instruction that brings it (or `submitted`) to the chain.

        Without `signers`: the custodian and the first agent. Anyone may relay, so nobody of the issuer signs.
        """
        keys = signers or self.quorum()
        return call(
            (
                quorum_instruction(statement.digest(), sign(statement.digest(), keys)),
                self.client.submit_attestation(submitted or statement),
            )
        )

    def quorum(self, custodian: str = OWN_CUSTODIAN, parties: Sequence[int] = (0, 1)) -> tuple[Keypair, ...]:
        """The attester keys of these parties of a custodian."""
        return tuple(self.custodian(custodian).attesters[party].keypair for party in parties)

    # ---- assets -------------------------------------------------------------------------------------------------

    async def register(
        self,
        count: int = 1,
        *,
        policy: Policy = ROOMY,
        initial_mint_raw: int = 0,
        multiplier: str = "1",
        custodians: Sequence[str] = CUSTODIANS,
        profile: Profile = Profile.XSTOCKS,
        additional_metadata: Sequence[tuple[str, str]] = ADDITIONAL_METADATA,
        mint_keys: Sequence[Keypair] = (),
        decimals: int = DECIMALS,
    ) -> list[Asset]:
        """Fresh assets, attached to `custodians`; their first statements may be made at once.

        `mint_keys` gives the mints' addresses; without, they are random.
        """
        admin = self.keys.admin
        bits = multiplier_bits_of(multiplier)
        creations: list[Job] = []
        registrations: list[Job] = []
        assets: list[Asset] = []
        for key in mint_keys or [Keypair() for _ in range(count)]:
            fresh = await self.mint_to_register(
                bits, key=key, profile=profile, decimals=decimals, additional_metadata=additional_metadata
            )
            register = [
                self.registration(
                    fresh.mint,
                    policy=policy,
                    initial_mint_raw=initial_mint_raw,
                    profile=profile,
                    additional_metadata=additional_metadata,
                )
            ]
            register += [
                self.client.attach_custodian(
                    admin=admin.address, custodian=self.custodian(custodian).address, mint=fresh.mint
                )
                for custodian in custodians
            ]
            creations.append(Job("create a mint", fresh.create, [admin.keypair, fresh.key]))
            registrations.append(Job("register an asset", register, [admin.keypair]))
            assets.append(Asset(self, fresh.mint, bits, decimals))
        await submit_ok(self.chain.rpc, creations)
        await submit_ok(self.chain.rpc, registrations)
        # An attached entry takes nothing that was observed before now + the allowed skew.
        await self.chain.clock_reaches(await self.chain.clock_ts() + 1)
        return assets


@dataclass(frozen=True, slots=True)
class Asset:
    """A registered asset with short ways to act on it. Amounts are base units; multiplier 1 unless said otherwise."""

    program: DeployedProgram
    mint: Address
    multiplier_bits: int
    decimals: int = DECIMALS

    def __hash__(self) -> int:
        return hash(self.mint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and self.mint == other.mint

    @property
    def address(self) -> Address:
        """The Asset account."""
        return self.program.addresses.asset(self.mint)

    @property
    def vault(self) -> Address:
        """The inventory."""
        return self.program.addresses.vault(self.mint)

    @property
    def accounts(self) -> tuple[Address, Address, Address]:
        """Asset, mint, vault."""
        return self.program.client.asset_accounts(self.mint)

    # ---- reading ------------------------------------------------------------------------------------------------

    async def read(self) -> AssetAccount:
        """The Asset account as it stands."""
        info = await self.program.chain.account(self.address)
        return self.program.client.asset(self.address, info.data, info.owner)

    async def entry(self, custodian: str = OWN_CUSTODIAN) -> Entry:
        """The custodian's entry."""
        custodian_address = self.program.custodian(custodian).address
        return next(entry for entry in (await self.read()).entries if entry.custodian == custodian_address)

    async def read_mint(self) -> MintAccount:
        """The Token-2022 mint as it stands."""
        info = await self.program.chain.account(self.mint)
        return read_mint(self.mint, info.data, info.owner)

    async def supply_raw(self) -> int:
        """The mint's supply."""
        return (await self.read_mint()).supply_raw

    async def balance_raw(self, token_account: Address | None = None) -> int:
        """What a token account holds; the vault by default."""
        address = token_account or self.vault
        info = await self.program.chain.account(address)
        return read_token_account(address, info.data, info.owner).amount_raw

    # ---- acting -------------------------------------------------------------------------------------------------

    def line(self, shares_nano: int, *, redeemed_seen_raw: int = 0) -> StatementEntry:
        """The asset's entry of a statement with the exact capacity of those shares."""
        capacity = capacity_raw(shares_nano, self.multiplier_bits, self.decimals)
        return StatementEntry(self.mint, self.multiplier_bits, shares_nano, capacity, redeemed_seen_raw)

    async def attest(
        self,
        capacity: int,
        *,
        custodian: str = OWN_CUSTODIAN,
        expires_ts: int | None = None,
        redeemed_seen_raw: int | None = None,
    ) -> Statement:
        """A quorum statement of exactly this capacity (at multiplier 1) is taken."""
        statement = await self.statement_for(
            capacity, custodian=custodian, expires_ts=expires_ts, redeemed_seen_raw=redeemed_seen_raw
        )
        await self.program.accepted(self.program.relay(statement, *self.program.quorum(custodian)))
        return statement

    async def statement_for(
        self,
        capacity: int,
        *,
        custodian: str = OWN_CUSTODIAN,
        expires_ts: int | None = None,
        redeemed_seen_raw: int | None = None,
    ) -> Statement:
        """The statement that `attest` relays. `redeemed_seen_raw` None: what the custodian has counted before."""
        shares_nano = capacity * 10 ** (SHARE_DECIMALS - self.decimals)
        if redeemed_seen_raw is None:
            redeemed_seen_raw = (await self.entry(custodian)).redeemed_seen_raw
        statement = await self.program.statement({self: shares_nano}, custodian=custodian, expires_ts=expires_ts)
        return replace(statement, entries=(self.line(shares_nano, redeemed_seen_raw=redeemed_seen_raw),))

    async def mint_call(self, *amounts_raw: int, **options: Any) -> Call:
        """One mint instruction of one entry per amount, its sequence numbers following the account's."""
        return await supply_call(self.program, IntentKind.MINT, [(self, amount) for amount in amounts_raw], **options)

    async def burn_call(self, *amounts_raw: int, **options: Any) -> Call:
        """One burn instruction, as `mint_call`."""
        return await supply_call(self.program, IntentKind.BURN, [(self, amount) for amount in amounts_raw], **options)

    async def distribute_call(
        self,
        amount_raw: int,
        wallet: Keypair,
        *,
        destination: Address | None = None,
        sequence: int | None = None,
        order_id: bytes = bytes(range(16)),
    ) -> Call:
        """A distribution to the wallet's associated token account (which it does not create)."""
        program = self.program
        owner = address_of(wallet)
        intent = Intent(
            kind=IntentKind.DISTRIBUTE,
            mint=self.mint,
            sequence=(await self.read()).sequence if sequence is None else sequence,
            amount_raw=amount_raw,
            destination=destination or self.token_account(owner),
            order_id=order_id,
        )
        operator = program.keys.operator
        instruction = program.client.distribute(
            operator=operator.address, intent=intent, wallet=owner, genesis_hash=program.deployment.genesis_hash
        )
        return call(instruction, operator.keypair)

    def token_account(self, wallet: Address) -> Address:
        """The associated token account of a wallet."""
        return associated_token_address(wallet, self.mint)

    async def open_account(self, wallet: Address) -> Address:
        """Create the associated token account of a wallet; gives its address."""
        chain = self.program.chain
        await chain.accepted(call(create_token_account(address_of(chain.payer), wallet, self.mint)))
        return self.token_account(wallet)

    async def open_another(self, wallet: Keypair, *, key: Keypair | None = None) -> Address:
        """A second token account of a wallet with lamports, beside its associated one: that one less ImmutableOwner.
        `key` gives its address."""
        chain, account = self.program.chain, key or Keypair()
        associated = await chain.account(self.token_account(address_of(wallet)))
        immutable_owner_bytes = 4
        size = len(associated.data) - immutable_owner_bytes
        create = create_account(
            CreateAccountParams(
                from_pubkey=wallet.pubkey(),
                to_pubkey=account.pubkey(),
                lamports=await chain.rpc.rent_exempt_lamports(size),
                space=size,
                owner=pubkey(TOKEN_2022),
            )
        )
        metas = [
            AccountMeta(account.pubkey(), is_signer=False, is_writable=True),
            AccountMeta(pubkey(self.mint), is_signer=False, is_writable=False),
        ]
        initialize_account_3 = Instruction(pubkey(TOKEN_2022), bytes([18]) + address_of(wallet), metas)
        await chain.accepted(call((create, initialize_account_3), wallet, account))
        return address_of(account)

    async def clear_hold_call(self, holds: int) -> Call:
        """The resumer clears holds, having looked at the asset as it stands."""
        program = self.program
        resumer = program.keys.resumer.address
        number = (await self.read()).hold_number
        return program.by(
            "resumer",
            program.client.clear_hold(resumer=resumer, mint=self.mint, holds=Hold(holds), hold_number=number),
        )

    async def holder(self, amount_raw: int) -> Keypair:
        """A participant whose associated token account holds so much, a multiple of 100; attested, minted and
        distributed for it. Once per asset: a second rise of what is attested would set a hold."""
        await self.attest(amount_raw)
        await self.program.accepted(await self.mint_call(amount_raw))
        wallet = await self.program.participant()
        await self.open_account(address_of(wallet))
        await self.program.accepted(await self.distribute_call(amount_raw, wallet))
        return wallet

    async def frozen(self, token_account: Address) -> bool:
        """Whether a token account is frozen."""
        info = await self.program.chain.account(token_account)
        return read_token_account(token_account, info.data, info.owner).frozen

    async def rewrite(self, offset: int, value: int) -> None:
        """Embedded chain only: another byte in the Asset account, for a state that its story has not led to."""
        info = await self.program.chain.account(self.address)
        await self.program.chain.set_account(
            self.address, replace(info, data=patched(info.data, offset, bytes([value])))
        )

    async def set_policy(self, **changes: int) -> None:
        """Other limits, by loosen_policy (the program must not be sealed)."""
        policy = replace((await self.read()).policy, **changes)
        admin = self.program.keys.admin
        await self.program.accepted(
            call(self.program.client.loosen_policy(admin=admin.address, mint=self.mint, policy=policy), admin.keypair)
        )


async def supply_call(
    program: DeployedProgram,
    kind: IntentKind,
    entries: Sequence[tuple[Asset, int]],
    *,
    sequence: int | None = None,
    custodians: Sequence[str] = (OWN_CUSTODIAN,),
    operator: Keypair | None = None,
) -> Call:
    """One mint or burn instruction over (asset, amount) entries; the same asset may come twice.

    `sequence` None: of each asset the next ones; else that number for the first entry of every asset.
    """
    next_of: dict[Asset, int] = {}
    intents = []
    for asset, amount_raw in entries:
        if asset not in next_of:
            next_of[asset] = (await asset.read()).sequence if sequence is None else sequence
        intents.append(Intent(kind, asset.mint, next_of[asset], amount_raw, asset.vault, NO_ORDER))
        next_of[asset] += 1
    signer = operator or program.keys.operator.keypair
    build = program.client.mint if kind is IntentKind.MINT else program.client.burn
    instruction = build(
        operator=address_of(signer),
        custodians=[program.custodian(custodian).address for custodian in custodians],
        intents=intents,
        genesis_hash=program.deployment.genesis_hash,
    )
    return call(instruction, signer)


def sign(digest: bytes, keys: Iterable[Keypair]) -> list[AttesterSignature]:
    """Signatures of a digest in the order of their keys."""
    signed = [AttesterSignature(address_of(key), bytes(key.sign_message(digest))) for key in keys]
    return sorted(signed, key=lambda each: each.key)


@dataclass(slots=True)
class AssetPool:
    """Fresh assets of a deployment, made in batches since making one takes several transactions and a second."""

    program: DeployedProgram
    batch: int = 24
    _ready: list[Asset] = field(default_factory=list)

    async def take(self) -> Asset:
        """An asset that no other test has: handed out once."""
        if not self._ready:
            self._ready = await self.program.register(self.batch)
        return self._ready.pop()


async def deploy_program(chain: LiveChain, keys: Keys, client: ProgramClient, *, seal: bool = False) -> DeployedProgram:
    """Initialise the program at the client's address, with its two custodians and no assets."""
    return DeployedProgram(chain, await deploy(chain.rpc, keys, [], client=client, seal=seal))
