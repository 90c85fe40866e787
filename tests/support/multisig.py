"""The tests' multisig (programs/testing/small_multisig): vaults that hold a role, and instructions that they sign."""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from localnet.harness.paths import ROOT
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.domain.units import Address

MULTISIG_SO = ROOT / "programs" / "testing" / "small_multisig" / "deploy" / "small_multisig.so"
MULTISIG = address_of(Keypair())
"""Where the tests' chains have it."""


@dataclass(frozen=True, slots=True)
class Multisig:
    """A vault with its members; `threshold` of them have to sign."""

    threshold: int
    members: tuple[Keypair, ...]
    vault: Address
    bump: int

    @classmethod
    def of(cls, threshold: int, members: int) -> Multisig:
        """With fresh members."""
        keys = sorted((Keypair() for _ in range(members)), key=lambda key: bytes(key.pubkey()))
        seeds = [b"vault", bytes([threshold]), *(bytes(key.pubkey()) for key in keys)]
        vault, bump = Pubkey.find_program_address(seeds, pubkey(MULTISIG))
        return cls(threshold, tuple(keys), Address(bytes(vault)), bump)

    def signs(self, inner: Instruction, *also: Keypair, signing: int | None = None) -> Call:
        """The inner instruction, in which the vault signs, as the multisig's: so many members (by default just enough)
        sign the transaction, and whoever else has to."""
        signers = self.members[: self.threshold if signing is None else signing]
        metas = [AccountMeta(key.pubkey(), key in signers, False) for key in self.members]
        metas += [AccountMeta(pubkey(self.vault), False, False), AccountMeta(inner.program_id, False, False)]
        # The vault has no key: only the multisig says that it signs.
        metas += [self._without_key(meta) for meta in inner.accounts]
        data = bytes([self.threshold, len(self.members), self.bump]) + bytes(inner.data)
        return call(Instruction(pubkey(MULTISIG), data, metas), *signers, *also)

    def _without_key(self, meta: AccountMeta) -> AccountMeta:
        signs = meta.is_signer and bytes(meta.pubkey) != self.vault
        return AccountMeta(meta.pubkey, signs, meta.is_writable)
