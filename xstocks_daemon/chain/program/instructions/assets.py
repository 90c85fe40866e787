"""The life of an asset: registration, adoption, policy, metadata, retirement; freezes, recoveries, pauses, changes of
the multiplier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from solders.instruction import Instruction

from xstocks_daemon.chain.program.instructions.builder import InstructionBuilder, metadata_fields
from xstocks_daemon.chain.program.records import Profile
from xstocks_daemon.domain.snapshot import Hold, Policy, Scope
from xstocks_daemon.domain.units import Address


class AssetInstructions(InstructionBuilder):
    """What admin, guardian, resumer, compliance and corporate actions do with one asset."""

    def register_asset(
        self,
        *,
        admin: Address,
        mint: Address,
        name: str,
        symbol: str,
        uri: str,
        additional_metadata: Sequence[tuple[str, str]],
        policy: Policy,
        initial_mint_raw: int = 0,
        profile: Profile = Profile.XSTOCKS,
    ) -> Instruction:
        """Take a fresh mint (see chain.mint_layout) under the program; writes its metadata, makes its vaults."""
        return self.build(
            "register_asset",
            {
                "profile": int(profile),
                "initial_mint_raw": initial_mint_raw,
                "policy": asdict(policy),
                "name": name,
                "symbol": symbol,
                "uri": uri,
                "additional_metadata": metadata_fields(additional_metadata),
            },
            self._registered(admin, mint),
        )

    def begin_adopt(self, *, admin: Address, mint: Address, profile: Profile = Profile.XSTOCKS) -> Instruction:
        """Begin to take over a live mint: its authorities' holders are recorded; admin pays. Then each of them hands
        over (chain.authorities.handover_instructions)."""
        return self.build("begin_adopt", {"profile": int(profile)}, {"admin": admin} | self._adopting(mint))

    def finish_adopt(self, *, admin: Address, mint: Address, policy: Policy) -> Instruction:
        """Take a live mint that was handed over under the program: halted until its first statement; admin pays."""
        return self.build(
            "finish_adopt", {"policy": asdict(policy)}, self._registered(admin, mint) | self._adopting(mint)
        )

    def abort_adopt(self, *, admin: Address, mint: Address) -> Instruction:
        """Give every authority that was handed over back to its recorded holder."""
        return self.build("abort_adopt", {}, {"admin": admin} | self._adopting(mint))

    def _adopting(self, mint: Address) -> dict[str, Address]:
        return {"adoption": self.addresses.adoption(mint), "asset": self.addresses.asset(mint), "mint": mint}

    def _registered(self, admin: Address, mint: Address) -> dict[str, Address]:
        return {
            "admin": admin,
            "asset": self.addresses.asset(mint),
            "mint": mint,
            "vault": self.addresses.vault(mint),
            "redemption_authority": self.addresses.redemption_authority(mint),
            "redemption_vault": self.addresses.redemption_vault(mint),
        }

    def tighten_policy(self, *, admin: Address, mint: Address, policy: Policy) -> Instruction:
        """Make an asset's limits stricter at once."""
        return self.build(
            "tighten_policy", {"policy": asdict(policy)}, {"admin": admin, "asset": self.addresses.asset(mint)}
        )

    def loosen_policy(
        self, *, admin: Address, mint: Address, policy: Policy, proposal: Address | None = None
    ) -> Instruction:
        """Set an asset's limits (timelocked once sealed)."""
        return self.build(
            "loosen_policy",
            {"policy": asdict(policy)},
            {"admin": admin, "asset": self.addresses.asset(mint), "proposal": proposal},
        )

    def retire_asset(self, *, admin: Address, mint: Address, proposal: Address | None = None) -> Instruction:
        """Stop minting and distributing of an asset for ever (timelocked once sealed); all else goes on."""
        return self.build(
            "retire_asset", {}, {"admin": admin, "asset": self.addresses.asset(mint), "proposal": proposal}
        )

    def release_authority(
        self, *, admin: Address, mint: Address, new_authority: Address, proposal: Address | None = None
    ) -> Instruction:
        """Hand every authority of the mint to `new_authority`, for ever (timelocked once sealed): the program enforces
        nothing any more. No redemption may be open; what the vaults hold is burnt."""
        return self.build(
            "release_authority",
            {},
            {
                "admin": admin,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "vault": self.addresses.vault(mint),
                "redemption_authority": self.addresses.redemption_authority(mint),
                "redemption_vault": self.addresses.redemption_vault(mint),
                "new_authority": new_authority,
                "proposal": proposal,
            },
        )

    def set_metadata(self, *, admin: Address, mint: Address, updates: Sequence[tuple[str, str]]) -> Instruction:
        """Write fields of the mint's metadata: `name`, `symbol`, `uri`, or others; the admin pays for its growth."""
        return self.build(
            "set_metadata",
            {"updates": metadata_fields(updates)},
            {"admin": admin, "asset": self.addresses.asset(mint), "mint": mint},
        )

    def freeze(self, *, compliance: Address, mint: Address, account: Address) -> Instruction:
        """Freeze a holder's token account at once."""
        return self.build(
            "freeze",
            {},
            {"compliance": compliance, "asset": self.addresses.asset(mint), "mint": mint, "account": account},
        )

    def thaw(
        self,
        *,
        authority: Address,
        mint: Address,
        account: Address,
        wallet: Address | None = None,
        resumer: Address | None = None,
    ) -> Instruction:
        """Thaw a holder's token account. `authority`: compliance, or the admin, who needs the `resumer` beside.
        `wallet`: its owner, a participant; needed in the permissioned profile, where the account needs ImmutableOwner
        too (an associated one has it)."""
        return self.build(
            "thaw",
            {},
            {
                "authority": authority,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "account": account,
                "recovery": self.addresses.recovery(account),
                "participant": None if wallet is None else self.addresses.participant(wallet),
                "resumer": resumer,
            },
        )

    def announce_recovery(
        self,
        *,
        compliance: Address,
        mint: Address,
        source: Address,
        destination: Address,
        amount_raw: int,
        delay_secs: int,
    ) -> Instruction:
        """Freeze the token account `source` at once, and announce that so many base units will go to `destination`
        after `delay_secs` (at least the timelock); compliance pays."""
        return self.build(
            "announce_recovery",
            {"amount_raw": amount_raw, "delay_secs": delay_secs},
            {"compliance": compliance, **self._recovery_accounts(mint, source, destination)},
        )

    def execute_recovery(
        self, *, compliance: Address, admin: Address, mint: Address, source: Address, destination: Address
    ) -> Instruction:
        """Move the announced amount; compliance and admin sign."""
        return self.build(
            "execute_recovery",
            {},
            {"compliance": compliance, "admin": admin, **self._recovery_accounts(mint, source, destination)},
        )

    def _recovery_accounts(self, mint: Address, source: Address, destination: Address) -> dict[str, Address]:
        return {
            "asset": self.addresses.asset(mint),
            "mint": mint,
            "source": source,
            "destination": destination,
            "recovery": self.addresses.recovery(source),
        }

    def cancel_recovery(self, *, guardian: Address, source: Address) -> Instruction:
        """Stop the announced recovery from a token account, which stays frozen, or of a redemption, which stays on
        hold."""
        return self.build("cancel_recovery", {}, {"guardian": guardian, "recovery": self.addresses.recovery(source)})

    def hold_redemption(self, *, compliance: Address, redemption: Address) -> Instruction:
        """Hold an open redemption: it is neither settled nor given back until the hold is cleared."""
        return self.build("hold_redemption", {}, {"compliance": compliance, "redemption": redemption})

    def clear_redemption_hold(
        self, *, authority: Address, redemption: Address, resumer: Address | None = None
    ) -> Instruction:
        """Let a held redemption go on: as compliance, or as admin together with the `resumer`."""
        accounts = {"authority": authority, "redemption": redemption, "resumer": resumer}
        return self.build("clear_redemption_hold", {}, {**accounts, "recovery": self.addresses.recovery(redemption)})

    def announce_redemption_recovery(
        self, *, compliance: Address, mint: Address, redemption: Address, destination: Address, delay_secs: int
    ) -> Instruction:
        """Hold an open redemption at once, and announce that its tokens will go to `destination` after `delay_secs` (at
        least the timelock); compliance pays."""
        return self.build(
            "announce_redemption_recovery",
            {"delay_secs": delay_secs},
            {"compliance": compliance, **self._redemption_recovery(mint, redemption, destination)},
        )

    def execute_redemption_recovery(
        self, *, compliance: Address, admin: Address, mint: Address, redemption: Address, destination: Address
    ) -> Instruction:
        """Move the tokens of a redemption as announced; compliance and admin sign."""
        return self.build(
            "execute_redemption_recovery",
            {},
            {
                "compliance": compliance,
                "admin": admin,
                "redemption_authority": self.addresses.redemption_authority(mint),
                "redemption_vault": self.addresses.redemption_vault(mint),
                **self._redemption_recovery(mint, redemption, destination),
            },
        )

    def _redemption_recovery(self, mint: Address, redemption: Address, destination: Address) -> dict[str, Address]:
        return {
            "asset": self.addresses.asset(mint),
            "mint": mint,
            "redemption": redemption,
            "destination": destination,
            "recovery": self.addresses.recovery(redemption),
        }

    def pause(self, *, guardian: Address, scopes: Scope, mint: Address | None = None) -> Instruction:
        """Stop scopes at once: of one asset, or of all where `mint` is None."""
        return self._pause("pause", "guardian", guardian, scopes, mint)

    def resume(self, *, resumer: Address, scopes: Scope, mint: Address | None = None) -> Instruction:
        """Let scopes go on: of one asset, or the global ones where `mint` is None."""
        return self._pause("resume", "resumer", resumer, scopes, mint)

    def _pause(self, name: str, role: str, key: Address, scopes: Scope, mint: Address | None) -> Instruction:
        accounts: dict[str, Address | None] = {role: key}
        if mint is not None:
            accounts["asset"] = self.addresses.asset(mint)
            if scopes & Scope.TRANSFERS:
                # Token-2022 itself pauses transfers: it needs the mint.
                accounts["mint"] = mint
                accounts["token_program"] = self._fixed(name, "token_program")
        return self.build(name, {"scopes": int(scopes)}, accounts)

    def schedule_multiplier(
        self,
        *,
        corporate_actions: Address,
        mint: Address,
        current_bits: int,
        new_bits: int,
        effective_ts: int,
        admin: Address | None = None,
    ) -> Instruction:
        """Announce another multiplier (f64 bits), from `effective_ts` on (M9). The admin signs too where the change is
        beyond the policy's bound."""
        return self.build(
            "schedule_multiplier",
            {"current_bits": current_bits, "new_bits": new_bits, "effective_ts": effective_ts},
            {
                "corporate_actions": corporate_actions,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "admin": admin,
            },
        )

    def cancel_multiplier(self, *, authority: Address, mint: Address, pending_bits: int) -> Instruction:
        """Take the announced multiplier back, as corporate actions or guardian, before it takes effect."""
        return self.build(
            "cancel_multiplier",
            {"pending_bits": pending_bits},
            {"authority": authority, "asset": self.addresses.asset(mint), "mint": mint},
        )

    def clear_hold(self, *, resumer: Address, mint: Address, holds: Hold, hold_number: int) -> Instruction:
        """Clear holds of an asset (M9). `hold_number` is the asset's when the resumer looked: where a
        statement set a hold since then, all stay."""
        return self.build(
            "clear_hold",
            {"holds": int(holds), "hold_number": hold_number},
            {"resumer": resumer, "asset": self.addresses.asset(mint)},
        )
