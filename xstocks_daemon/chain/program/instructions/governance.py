"""Setting up, roles, the timelock and custodians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from solders.instruction import Instruction

from xstocks_daemon.chain.addresses import proposal_hash
from xstocks_daemon.chain.errors import ArgumentError
from xstocks_daemon.chain.program.instructions.builder import InstructionBuilder, readonly, writable
from xstocks_daemon.chain.program.records import CUSTODIAN_NAME_BYTES, Role
from xstocks_daemon.domain.snapshot import AttesterKey
from xstocks_daemon.domain.units import Address


class GovernanceInstructions(InstructionBuilder):
    """The admin's instructions that are of no one asset, and what the guardian may undo of them."""

    def initialize(
        self,
        *,
        authority: Address,
        admin: Address,
        operator: Address,
        registrar: Address,
        guardian: Address,
        resumer: Address,
        compliance: Address,
        corporate_actions: Address,
        genesis_hash: Address,
        max_skew_secs: int,
        min_timelock_secs: int,
    ) -> Instruction:
        """Make the configuration; `authority` is the program's upgrade authority and pays. Zeros: nobody. No timelock
        is ever below `min_timelock_secs`."""
        return self.build(
            "initialize",
            {
                "admin": admin,
                "operator": operator,
                "registrar": registrar,
                "guardian": guardian,
                "resumer": resumer,
                "compliance": compliance,
                "corporate_actions": corporate_actions,
                "genesis_hash": genesis_hash,
                "max_skew_secs": max_skew_secs,
                "min_timelock_secs": min_timelock_secs,
            },
            {"authority": authority, "program": self.program_id, "program_data": self.addresses.program_data},
        )

    def seal(self, *, admin: Address, timelock_secs: int) -> Instruction:
        """Enforce the timelock from now on, for ever."""
        return self.build("seal", {"timelock_secs": timelock_secs}, {"admin": admin})

    def proposal_address(self, instruction: Instruction) -> Address:
        """Where the proposal of a timelocked `instruction` lives (with or without its proposal account filled in)."""
        return self.addresses.proposal(proposal_hash(bytes(instruction.data), self._proposed_keys(instruction)))

    def with_proposal(self, instruction: Instruction) -> Instruction:
        """The same timelocked instruction with its proposal account, ready to be executed after the timelock."""
        metas = instruction.accounts[:-1]
        proposal = writable(self.proposal_address(instruction))
        return Instruction(instruction.program_id, instruction.data, [*metas, proposal])

    def propose(self, *, admin: Address, instruction: Instruction) -> Instruction:
        """Start the timelock of `instruction`, one that takes `proposal` as its last account; admin pays."""
        return self.build(
            "propose",
            {"instruction_data": bytes(instruction.data)},
            {"admin": admin, "proposal": self.proposal_address(instruction)},
            [readonly(key) for key in self._proposed_keys(instruction)],
        )

    def _proposed_keys(self, instruction: Instruction) -> list[Address]:
        """The accounts of a timelocked instruction without its proposal, which is the last one in the IDL."""
        name = self._coder.instruction.sighash_to_name.get(bytes(instruction.data[:8]), "")
        if name not in self.interface.timelocked:
            raise ArgumentError(f"instruction {name or 'unknown'} is not under the timelock: it takes no proposal")
        return [Address(bytes(meta.pubkey)) for meta in instruction.accounts[:-1]]

    def cancel_proposal(self, *, authority: Address, proposal: Address, resumer: Address | None = None) -> Instruction:
        """Cancel a pending proposal, as admin or guardian; one that replaces the guardian as the guardian together with
        the `resumer`."""
        return self.build("cancel_proposal", {}, {"authority": authority, "proposal": proposal, "resumer": resumer})

    def set_role(self, *, admin: Address, role: Role, key: Address, proposal: Address | None = None) -> Instruction:
        """Give a role to a key (timelocked once sealed, and the key accepts the proposal by `accept_role`)."""
        return self.build("set_role", {"role": int(role), "key": key}, {"admin": admin, "proposal": proposal})

    def accept_role(self, *, new_key: Address, proposal: Address) -> Instruction:
        """Accept the role that a pending proposal of set_role gives to `new_key`."""
        return self.build("accept_role", {}, {"new_key": new_key, "proposal": proposal})

    def clear_role(self, *, admin: Address, role: Role) -> Instruction:
        """Take a role from its key at once; once sealed not the guardian's and the resumer's."""
        return self.build("clear_role", {"role": int(role)}, {"admin": admin})

    def set_timing(
        self, *, admin: Address, timelock_secs: int, max_skew_secs: int, proposal: Address | None = None
    ) -> Instruction:
        """Set the timelock and the allowed skew (timelocked once sealed; before that the timelock stays zero)."""
        return self.build(
            "set_timing",
            {"timelock_secs": timelock_secs, "max_skew_secs": max_skew_secs},
            {"admin": admin, "proposal": proposal},
        )

    def propose_admin(self, *, admin: Address, pending_admin: Address, expires_ts: int) -> Instruction:
        """Offer the admin role to a key, which may accept after the timelock and before `expires_ts` (at most a
        year later). Takes the place of an older offer."""
        return self.build("propose_admin", {"pending_admin": pending_admin, "expires_ts": expires_ts}, {"admin": admin})

    def cancel_admin(self, *, authority: Address) -> Instruction:
        """Take the offer to a new admin back, as admin or guardian."""
        return self.build("cancel_admin", {}, {"authority": authority})

    def accept_admin(self, *, pending_admin: Address) -> Instruction:
        """Become admin, as the key that was offered it. Proposals made before are dead."""
        return self.build("accept_admin", {}, {"pending_admin": pending_admin})

    def register_custodian(
        self,
        *,
        admin: Address,
        custodian_id: int,
        name: str,
        threshold: int,
        keys: Sequence[AttesterKey],
        proposal: Address | None = None,
    ) -> Instruction:
        """Register a custodian; `name` is at most 32 bytes of UTF-8 (timelocked once sealed)."""
        raw_name = name.encode()
        if len(raw_name) > CUSTODIAN_NAME_BYTES:
            raise ArgumentError(f"name: {name!r} has {len(raw_name)} bytes, at most {CUSTODIAN_NAME_BYTES} fit")
        return self.build(
            "register_custodian",
            {
                "id": custodian_id,
                "name": raw_name.ljust(CUSTODIAN_NAME_BYTES, b"\0"),
                "threshold": threshold,
                "keys": _keys(keys),
            },
            {"admin": admin, "custodian": self._custodian_of(custodian_id), "proposal": proposal},
        )

    def set_custodian_keys(
        self,
        *,
        admin: Address,
        custodian: Address,
        threshold: int,
        keys: Sequence[AttesterKey],
        proposal: Address | None = None,
    ) -> Instruction:
        """Replace a custodian's keys; its epoch rises (timelocked once sealed)."""
        return self.build(
            "set_custodian_keys",
            {"threshold": threshold, "keys": _keys(keys)},
            {"admin": admin, "custodian": custodian, "proposal": proposal},
        )

    def revoke_custodian_key(self, *, authority: Address, custodian: Address, key: Address) -> Instruction:
        """Take one attester key away at once, as admin or guardian; the epoch rises."""
        return self.build("revoke_custodian_key", {"key": key}, {"authority": authority, "custodian": custodian})

    def attach_custodian(
        self,
        *,
        admin: Address,
        custodian: Address,
        mint: Address,
        retired: Address | None = None,
        proposal: Address | None = None,
    ) -> Instruction:
        """Let a custodian's statements count for an asset (timelocked once sealed). `retired`: a retired one, whose
        slot it may take."""
        return self.build(
            "attach_custodian",
            {},
            {
                "admin": admin,
                "custodian": custodian,
                "asset": self.addresses.asset(mint),
                "retired": retired,
                "proposal": proposal,
            },
        )

    def detach_custodian(self, *, admin: Address, custodian: Address, mint: Address) -> Instruction:
        """Let a custodian's statements no longer count for an asset."""
        return self.build(
            "detach_custodian", {}, {"admin": admin, "custodian": custodian, "asset": self.addresses.asset(mint)}
        )

    def retire_custodian(self, *, admin: Address, custodian: Address, proposal: Address | None = None) -> Instruction:
        """Retire a custodian for ever; its slots are free then (timelocked once sealed). It is detached from every
        asset, with nothing unseen."""
        return self.build("retire_custodian", {}, {"admin": admin, "custodian": custodian, "proposal": proposal})

    def _custodian_of(self, custodian_id: int) -> Address:
        if not 0 <= custodian_id < 2**16:
            raise ArgumentError(f"custodian id {custodian_id}: it must be from 0 to 65535")
        return self.addresses.custodian(custodian_id)


def _keys(keys: Sequence[AttesterKey]) -> list[dict[str, Any]]:
    """As the program wants them: strictly ascending."""
    return [asdict(key) for key in sorted(keys, key=lambda key: key.key)]
