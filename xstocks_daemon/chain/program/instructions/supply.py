"""What moves or allows supply: statements, mints, burns, distributions, participants and redemptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solders.instruction import Instruction

from xstocks_daemon.chain.errors import ArgumentError
from xstocks_daemon.chain.program.instructions.builder import InstructionBuilder, readonly, writable
from xstocks_daemon.chain.program.records import REDEMPTION_ID_BYTES
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import Address


class SupplyInstructions(InstructionBuilder):
    """What operator, registrar, attesters and participants do."""

    def set_participant(
        self, *, registrar: Address, wallet: Address, active: bool, expires_ts: int, country: str
    ) -> Instruction:
        """Put a wallet on the allow-list or change it; the registrar pays."""
        return self.build(
            "set_participant",
            {"state": int(active), "expires_ts": expires_ts, "country": country.encode()},
            {"registrar": registrar, "participant": self.addresses.participant(wallet), "wallet": wallet},
        )

    def submit_attestation(self, statement: Statement) -> Instruction:
        """Bring a statement to the chain. The ed25519 instruction with its quorum's signatures
        (chain.transactions.quorum_instruction) must stand directly before this one."""
        return self.build(
            "submit_attestation",
            {
                "epoch": statement.epoch,
                "observed_ms": statement.observed_ms,
                "expires_ts": statement.expires_ts,
                "entries": [
                    {
                        "shares_nano": entry.shares_nano,
                        "capacity_raw": entry.capacity_raw,
                        "redeemed_seen_raw": entry.redeemed_seen_raw,
                    }
                    for entry in statement.entries
                ],
            },
            {"custodian": statement.custodian},
            [writable(self.addresses.asset(entry.mint)) for entry in statement.entries],
        )

    def withdraw_entry(self, *, attester: Address, custodian: Address, mint: Address) -> Instruction:
        """Set a custodian's entry to zero until a newer quorum statement; any of its present attesters signs."""
        return self.build(
            "withdraw_entry", {}, {"attester": attester, "custodian": custodian, "asset": self.addresses.asset(mint)}
        )

    def mint(
        self, *, operator: Address, custodians: Iterable[Address], intents: Sequence[Intent], genesis_hash: Address
    ) -> Instruction:
        """Mint into the vaults, all intents or none. Entries of custodians that are not passed count zero."""
        return self._change_supply("mint", IntentKind.MINT, operator, custodians, intents, genesis_hash)

    def burn(
        self,
        *,
        operator: Address,
        intents: Sequence[Intent],
        genesis_hash: Address,
        custodians: Iterable[Address] = (),
    ) -> Instruction:
        """Burn from the vaults, all intents or none."""
        return self._change_supply("burn", IntentKind.BURN, operator, custodians, intents, genesis_hash)

    def _change_supply(
        self,
        name: str,
        kind: IntentKind,
        operator: Address,
        custodians: Iterable[Address],
        intents: Sequence[Intent],
        genesis_hash: Address,
    ) -> Instruction:
        remaining = [readonly(each) for each in sorted(set(custodians))]
        entries = []
        for intent in intents:
            if intent.kind is not kind:
                raise ArgumentError(f"{name}: an intent to {intent.kind.name.lower()} was given")
            entries.append(
                {
                    "sequence": intent.sequence,
                    "amount_raw": intent.amount_raw,
                    "intent_hash": intent.intent_hash(genesis_hash, self.program_id),
                }
            )
            remaining += map(writable, self.asset_accounts(intent.mint))
        return self.build(name, {"entries": entries}, {"operator": operator}, remaining)

    def distribute(self, *, operator: Address, intent: Intent, wallet: Address, genesis_hash: Address) -> Instruction:
        """Send from the vault to the intent's destination, a token account of the participant `wallet`."""
        if intent.kind is not IntentKind.DISTRIBUTE:
            raise ArgumentError(f"distribute: an intent to {intent.kind.name.lower()} was given")
        asset, mint, vault = self.asset_accounts(intent.mint)
        return self.build(
            "distribute",
            {
                "sequence": intent.sequence,
                "amount_raw": intent.amount_raw,
                "order_id": intent.order_id,
                "intent_hash": intent.intent_hash(genesis_hash, self.program_id),
            },
            {
                "operator": operator,
                "asset": asset,
                "mint": mint,
                "vault": vault,
                "destination": intent.destination,
                "participant": self.addresses.participant(wallet),
            },
        )

    def request_redemption(
        self, *, wallet: Address, source: Address, mint: Address, redemption_id: bytes, amount_raw: int
    ) -> Instruction:
        """Bring tokens of the participant `wallet` from its token account `source` into the redemption vault.

        The wallet signs and pays for the record. `redemption_id` (16 bytes) is unique per mint for ever; choose it at
        random. Raises ArgumentError where it has another length.
        """
        if len(redemption_id) != REDEMPTION_ID_BYTES:
            raise ArgumentError(f"redemption_id: {len(redemption_id)} bytes given, it has {REDEMPTION_ID_BYTES}")
        return self.build(
            "request_redemption",
            {"id": redemption_id, "amount_raw": amount_raw},
            {
                "wallet": wallet,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "participant": self.addresses.participant(wallet),
                "source": source,
                "redemption_vault": self.addresses.redemption_vault(mint),
                "redemption": self.addresses.redemption(mint, redemption_id),
            },
        )

    def cancel_redemption(
        self, *, wallet: Address, mint: Address, redemption: Address, destination: Address
    ) -> Instruction:
        """Take the tokens of an open redemption back, as the wallet that requested it: to the token account that they
        came from or, while it is an active participant, to another one of it."""
        accounts = {"wallet": wallet, "destination": destination, **self._permission(wallet)}
        return self.build("cancel_redemption", {}, {**accounts, **self._waiting(mint, redemption)})

    def reject_redemption(
        self,
        *,
        operator: Address,
        mint: Address,
        redemption: Address,
        destination: Address,
        participant_wallet: Address | None = None,
    ) -> Instruction:
        """Give the tokens of an open redemption back to the token account that they came from, or, with
        `participant_wallet` (the wallet that requested it, an active participant), to another one of that wallet."""
        accounts = {"operator": operator, "destination": destination, **self._permission(participant_wallet)}
        return self.build("reject_redemption", {}, {**accounts, **self._waiting(mint, redemption)})

    def _permission(self, wallet: Address | None) -> dict[str, Address | None]:
        return {"participant": None if wallet is None else self.addresses.participant(wallet)}

    def accept_redemption(
        self, *, attester: Address, custodian: Address, mint: Address, redemption: Address
    ) -> Instruction:
        """Give the word of `custodian` that it delivers the shares of an open redemption once it is settled; an
        attester of its own party signs. The wallet then cannot take it back for the policy's time."""
        accounts = {"attester": attester, "custodian": custodian, "redemption": redemption}
        return self.build("accept_redemption", {}, {**accounts, "asset": self.addresses.asset(mint)})

    def settle_redemption(
        self, *, operator: Address, custodian: Address, mint: Address, redemption: Address
    ) -> Instruction:
        """Burn the tokens of an open redemption that `custodian` accepted; it owes the shares. Its entry must be fresh
        and cover the amount beside its unseen redemptions (M6)."""
        accounts = {"operator": operator, "custodian": custodian}
        return self.build("settle_redemption", {}, {**accounts, **self._waiting(mint, redemption)})

    def _waiting(self, mint: Address, redemption: Address) -> dict[str, Address]:
        """The accounts around tokens in the redemption vault."""
        return {
            "asset": self.addresses.asset(mint),
            "mint": mint,
            "redemption": redemption,
            "redemption_authority": self.addresses.redemption_authority(mint),
            "redemption_vault": self.addresses.redemption_vault(mint),
        }
