"""Redemptions on a live chain: participants with tokens, and each instruction on one redemption."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from solders.keypair import Keypair

from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import with_account
from tests.support.initialized import OWN_CUSTODIAN, PARTICIPANT_SECS
from tests.support.live_chain import LAMPORTS_PER_SOL, Call, address_of, call
from xstocks_daemon.domain.snapshot import Redemption
from xstocks_daemon.domain.units import Address

_numbers = itertools.count(1)


def fresh_id() -> bytes:
    """A number that no other redemption of these tests has."""
    return next(_numbers).to_bytes(16, "big")


@dataclass(frozen=True, slots=True)
class Request:
    """A redemption to be, or that is: short ways to act on it. Amounts are base units."""

    asset: Asset
    wallet: Keypair
    id: bytes = field(default_factory=fresh_id)

    @property
    def program(self) -> DeployedProgram:
        """The deployment it belongs to."""
        return self.asset.program

    @property
    def owner(self) -> Address:
        """The participant's address."""
        return address_of(self.wallet)

    @property
    def account(self) -> Address:
        """The participant's associated token account."""
        return self.asset.token_account(self.owner)

    @property
    def address(self) -> Address:
        """The Redemption account."""
        return self.program.addresses.redemption(self.asset.mint, self.id)

    async def read(self) -> Redemption:
        """The Redemption account as it stands."""
        info = await self.program.chain.account(self.address)
        return self.program.client.redemption(self.address, info.data, info.owner)

    def request_call(self, amount_raw: int, *, source: Address | None = None) -> Call:
        """request_redemption, out of the associated token account unless another is named."""
        instruction = self.program.client.request_redemption(
            wallet=self.owner,
            source=source or self.account,
            mint=self.asset.mint,
            redemption_id=self.id,
            amount_raw=amount_raw,
        )
        return call(instruction, self.wallet)

    def cancel_call(self, *, destination: Address | None = None, listed: bool = False) -> Call:
        """cancel_redemption by the wallet; `listed`: its permission is passed."""
        program = self.program
        instruction = program.client.cancel_redemption(
            wallet=self.owner,
            mint=self.asset.mint,
            redemption=self.address,
            destination=destination or self.account,
        )
        if not listed:
            # The last account, an optional one.
            instruction = with_account(instruction, len(instruction.accounts) - 1, program.client.program_id)
        return call(instruction, self.wallet)

    def reject_call(self, *, destination: Address | None = None, listed: bool = False) -> Call:
        """reject_redemption by the operator; `listed`: the wallet's permission is passed."""
        instruction = self.program.client.reject_redemption(
            operator=self.program.keys.operator.address,
            mint=self.asset.mint,
            redemption=self.address,
            destination=destination or self.account,
            participant_wallet=self.owner if listed else None,
        )
        return self.program.by("operator", instruction)

    def hold_call(self) -> Call:
        """hold_redemption by compliance."""
        instruction = self.program.client.hold_redemption(
            compliance=self.program.keys.compliance.address, redemption=self.address
        )
        return self.program.by("compliance", instruction)

    def clear_hold_call(self) -> Call:
        """clear_redemption_hold by compliance."""
        instruction = self.program.client.clear_redemption_hold(
            authority=self.program.keys.compliance.address, redemption=self.address
        )
        return self.program.by("compliance", instruction)

    def announce_recovery_call(self, destination: Address, *, delay_secs: int = 0) -> Call:
        """announce_redemption_recovery by compliance."""
        instruction = self.program.client.announce_redemption_recovery(
            compliance=self.program.keys.compliance.address,
            mint=self.asset.mint,
            redemption=self.address,
            destination=destination,
            delay_secs=delay_secs,
        )
        return self.program.by("compliance", instruction)

    def execute_recovery_call(self, destination: Address) -> Call:
        """execute_redemption_recovery by compliance and admin."""
        keys = self.program.keys
        instruction = self.program.client.execute_redemption_recovery(
            compliance=keys.compliance.address,
            admin=keys.admin.address,
            mint=self.asset.mint,
            redemption=self.address,
            destination=destination,
        )
        return call(instruction, keys.compliance.keypair, keys.admin.keypair)

    def accept_call(self, custodian: str = OWN_CUSTODIAN, *, attester: Keypair | None = None) -> Call:
        """accept_redemption by that custodian's own attester, or by another key."""
        key = attester or self.program.quorum(custodian, parties=(0,))[0]
        instruction = self.program.client.accept_redemption(
            attester=address_of(key),
            custodian=self.program.custodian(custodian).address,
            mint=self.asset.mint,
            redemption=self.address,
        )
        return call(instruction, key)

    def settle_call(self, custodian: str = OWN_CUSTODIAN) -> Call:
        """settle_redemption by the operator, on that custodian."""
        instruction = self.program.client.settle_redemption(
            operator=self.program.keys.operator.address,
            custodian=self.program.custodian(custodian).address,
            mint=self.asset.mint,
            redemption=self.address,
        )
        return self.program.by("operator", instruction)


async def participant_with(
    asset: Asset, amount_raw: int, *, expires_in_secs: int = PARTICIPANT_SECS, wallet: Keypair | None = None
) -> Keypair:
    """A participant that holds so much and can pay rent. The asset's fresh entries must back it."""
    program = asset.program
    wallet = await program.participant(expires_in_secs=expires_in_secs, wallet=wallet)
    await program.chain.fund(address_of(wallet), lamports=LAMPORTS_PER_SOL)
    await asset.open_account(address_of(wallet))
    if amount_raw:
        await program.accepted(await asset.mint_call(amount_raw))
        await program.accepted(await asset.distribute_call(amount_raw, wallet))
    return wallet


async def requested(
    asset: Asset, amount_raw: int, *, wallet: Keypair | None = None, by: str | None = OWN_CUSTODIAN
) -> Request:
    """An open redemption of a participant whose whole balance it was, accepted `by` a custodian (None: by nobody); the
    asset's fresh entries must back it."""
    request = Request(asset, await participant_with(asset, amount_raw, wallet=wallet))
    await asset.program.accepted(request.request_call(amount_raw))
    if by is not None:
        await asset.program.accepted(request.accept_call(by))
    return request
