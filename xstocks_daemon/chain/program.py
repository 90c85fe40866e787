"""The program's client: its instructions, accounts, events and errors, all by the IDL through anchorpy's coders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from typing import Any, cast

from anchorpy.coder.coder import Coder
from anchorpy.error import LangErrorMessage
from anchorpy.program.common import NamedInstruction
from construct import ConstructError
from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain.addresses import ProgramAddresses, base58, proposal_hash, pubkey
from xstocks_daemon.chain.errors import (
    ArgumentError,
    MalformedAccount,
    ProgramError,
    TransactionFailed,
)
from xstocks_daemon.chain.idl import ProgramInterface, discriminator, load_interface, plain_value
from xstocks_daemon.chain.logs import Invocation, invocations
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetState,
    AttesterKey,
    Bucket,
    Config,
    Custodian,
    CustodianState,
    Entry,
    EntryState,
    Hold,
    Participant,
    ParticipantState,
    Policy,
    Redemption,
    RedemptionState,
    Scope,
)
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

LAYOUT_VERSION = 1
CUSTODIAN_NAME_BYTES = 32
MAX_CUSTODIANS = 4
"""Of one asset: slots of entries in its account."""
REDEMPTION_ID_BYTES = 16

#: What mint and burn log of the entry that they refuse; errors of the whole instruction have no such line.
_ENTRY_LINE = re.compile(r"Entry: (\d{2})")


class Role(IntEnum):
    """The duties that set_role and clear_role name."""

    OPERATOR = 0
    REGISTRAR = 1
    GUARDIAN = 2
    RESUMER = 3
    COMPLIANCE = 4
    CORPORATE_ACTIONS = 5


class Profile(IntEnum):
    """Sets of mint extensions (design, section 4.7)."""

    XSTOCKS = 0
    OPEN = 1
    PERMISSIONED = 2


class ProposalState(IntEnum):
    """States of a Proposal account."""

    PENDING = 0
    EXECUTED = 1
    CANCELLED = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """A timelocked instruction waiting (Proposal account), executable from `ready_ts` on for 14 days. `role` is the one
    set_role would replace, else None."""

    address: Address
    state: ProposalState
    instruction: bytes
    hash: bytes
    role: Role | None
    ready_ts: int
    admin_epoch: int


class RecoveryState(IntEnum):
    """States of a Recovery account."""

    ANNOUNCED = 0
    EXECUTED = 1
    CANCELLED = 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """The newest recovery from one token account (Recovery account): `amount_raw` base units go from `source` to
    `destination`, both token accounts of `mint`, not before `ready_ts` (Unix seconds)."""

    address: Address
    state: RecoveryState
    mint: Address
    source: Address
    destination: Address
    amount_raw: int
    announced_ts: int
    ready_ts: int


class AdoptionState(IntEnum):
    """States of an Adoption account."""

    BEGUN = 0
    FINISHED = 1
    ABORTED = 2


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who holds each authority of a mint; zeros: nobody."""

    mint: Address
    freeze: Address
    metadata_pointer: Address
    metadata_update: Address
    permanent_delegate: Address
    scaled_ui: Address
    pausable: Address
    confidential: Address
    hook: Address


@dataclass(frozen=True, slots=True)
class Adoption:
    """A live mint on its way under the program (Adoption account). `holders` are those at begin_adopt, to whom
    abort_adopt gives back."""

    address: Address
    state: AdoptionState
    profile: Profile
    mint: Address
    holders: Authorities


@dataclass(frozen=True, slots=True)
class ProgramEvent:
    """An event of the program. Addresses and byte arrays are bytes, numbers are ints."""

    name: str
    fields: Mapping[str, Any]


class ProgramClient:
    """Builds instructions for and reads accounts of one deployment of the program.

    Instruction functions raise ArgumentError for values that the argument's type cannot hold; whether the program
    accepts them is the program's affair. Decoders raise MalformedAccount.
    """

    def __init__(self, program_id: Address | None = None, interface: ProgramInterface | None = None) -> None:
        self.interface = interface or load_interface()
        self.program_id = program_id or self.interface.program_id
        self.addresses = ProgramAddresses(self.program_id)
        self._coder = Coder(self.interface.idl)
        self._sizes = {name: 8 + layout.sizeof() for name, layout in self._coder.accounts._accounts_layout.items()}

    # ---- instructions -------------------------------------------------------------------------------------------

    def build(
        self,
        name: str,
        args: Mapping[str, Any],
        accounts: Mapping[str, Address | None],
        remaining: Iterable[AccountMeta] = (),
    ) -> Instruction:
        """Any instruction by name: accounts in the IDL's order with its flags.

        The config and accounts of which the IDL fixes the address may be left out; None stands for an optional
        account that is not given (Anchor's convention: the program's own address, read-only).
        """
        metas: list[AccountMeta] = []
        unknown = set(accounts)
        for role in self.interface.accounts_of[name]:
            unknown.discard(role.name)
            address = accounts.get(role.name)
            if address is None and not role.optional:
                address = self.addresses.config if role.name == "config" else role.fixed
            if address is None:
                if not role.optional:
                    raise ArgumentError(f"{name}: account {role.name} is missing")
                metas.append(AccountMeta(pubkey(self.program_id), is_signer=False, is_writable=False))
            else:
                metas.append(AccountMeta(pubkey(address), is_signer=role.signer, is_writable=role.writable))
        if unknown:
            raise ArgumentError(f"{name}: it takes no account {', '.join(sorted(unknown))}")
        try:
            data = self._coder.instruction.build(NamedInstruction(name=name, data=dict(args)))
        except (ConstructError, KeyError, TypeError) as error:
            raise ArgumentError(f"{name}: the arguments {dict(args)!r} do not encode: {_one_line(error)}") from None
        return Instruction(pubkey(self.program_id), data, [*metas, *remaining])

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
    ) -> Instruction:
        """Make the configuration; `authority` is the program's upgrade authority and pays. Zeros: nobody."""
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
        proposal = AccountMeta(pubkey(self.proposal_address(instruction)), is_signer=False, is_writable=True)
        return Instruction(instruction.program_id, instruction.data, [*metas, proposal])

    def propose(self, *, admin: Address, instruction: Instruction) -> Instruction:
        """Start the timelock of `instruction`, one that takes `proposal` as its last account; admin pays."""
        return self.build(
            "propose",
            {"instruction_data": bytes(instruction.data)},
            {"admin": admin, "proposal": self.proposal_address(instruction)},
            [AccountMeta(pubkey(key), is_signer=False, is_writable=False) for key in self._proposed_keys(instruction)],
        )

    def _proposed_keys(self, instruction: Instruction) -> list[Address]:
        """The accounts of a timelocked instruction without its proposal, which is the last one in the IDL."""
        name = self._coder.instruction.sighash_to_name.get(bytes(instruction.data[:8]), "")
        if not self.interface.timelocked(name):
            raise ArgumentError(f"instruction {name or 'unknown'} is not under the timelock: it takes no proposal")
        return [Address(bytes(meta.pubkey)) for meta in instruction.accounts[:-1]]

    def cancel_proposal(self, *, authority: Address, proposal: Address) -> Instruction:
        """Cancel a pending proposal, as admin or guardian."""
        return self.build("cancel_proposal", {}, {"authority": authority, "proposal": proposal})

    def set_role(self, *, admin: Address, role: Role, key: Address, proposal: Address | None = None) -> Instruction:
        """Give a duty to a key (timelocked once sealed)."""
        return self.build("set_role", {"role": int(role), "key": key}, {"admin": admin, "proposal": proposal})

    def clear_role(self, *, admin: Address, role: Role) -> Instruction:
        """Take a duty from its key at once."""
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
        """Offer the admin's office to a key, which may accept after the timelock and before `expires_ts` (at most a
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
        self, *, admin: Address, custodian: Address, mint: Address, proposal: Address | None = None
    ) -> Instruction:
        """Let a custodian's statements count for an asset (timelocked once sealed)."""
        return self.build(
            "attach_custodian",
            {},
            {"admin": admin, "custodian": custodian, "asset": self.addresses.asset(mint), "proposal": proposal},
        )

    def detach_custodian(self, *, admin: Address, custodian: Address, mint: Address) -> Instruction:
        """Let a custodian's statements no longer count for an asset."""
        return self.build(
            "detach_custodian", {}, {"admin": admin, "custodian": custodian, "asset": self.addresses.asset(mint)}
        )

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
                "additional_metadata": _fields(additional_metadata),
            },
            self._taking(admin, mint),
        )

    def begin_adopt(self, *, admin: Address, mint: Address, profile: Profile = Profile.XSTOCKS) -> Instruction:
        """Begin to take over a live mint: its authorities' holders are recorded; admin pays. Then each of them hands
        over (chain.authorities.handover_instructions)."""
        return self.build("begin_adopt", {"profile": int(profile)}, {"admin": admin} | self._adopting(mint))

    def finish_adopt(self, *, admin: Address, mint: Address, policy: Policy) -> Instruction:
        """Take a live mint that was handed over under the program: halted until its first statement; admin pays."""
        return self.build("finish_adopt", {"policy": asdict(policy)}, self._taking(admin, mint) | self._adopting(mint))

    def abort_adopt(self, *, admin: Address, mint: Address) -> Instruction:
        """Give every authority that was handed over back to its recorded holder."""
        return self.build("abort_adopt", {}, {"admin": admin} | self._adopting(mint))

    def _adopting(self, mint: Address) -> dict[str, Address]:
        return {"adoption": self.addresses.adoption(mint), "asset": self.addresses.asset(mint), "mint": mint}

    def _taking(self, admin: Address, mint: Address) -> dict[str, Address]:
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

    def retire_asset(self, *, admin: Address, mint: Address) -> Instruction:
        """Stop minting and distributing of an asset for ever; burns, redemptions and statements go on."""
        return self.build("retire_asset", {}, {"admin": admin, "asset": self.addresses.asset(mint)})

    def release_authority(
        self, *, admin: Address, mint: Address, new_authority: Address, proposal: Address | None = None
    ) -> Instruction:
        """Hand every authority of the mint to `new_authority`, for ever (timelocked once sealed): the program enforces
        nothing any more. The vault must be empty."""
        return self.build(
            "release_authority",
            {},
            {
                "admin": admin,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "vault": self.addresses.vault(mint),
                "new_authority": new_authority,
                "proposal": proposal,
            },
        )

    def set_metadata(self, *, admin: Address, mint: Address, updates: Sequence[tuple[str, str]]) -> Instruction:
        """Write fields of the mint's metadata: `name`, `symbol`, `uri`, or others; the admin pays for its growth."""
        return self.build(
            "set_metadata",
            {"updates": _fields(updates)},
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
        self, *, compliance: Address, mint: Address, account: Address, wallet: Address | None = None
    ) -> Instruction:
        """Thaw a holder's token account. `wallet`: its owner, a participant; needed in the permissioned
        profile, where the account needs ImmutableOwner too (an associated one has it)."""
        return self.build(
            "thaw",
            {},
            {
                "compliance": compliance,
                "asset": self.addresses.asset(mint),
                "mint": mint,
                "account": account,
                "recovery": self.addresses.recovery(account),
                "participant": None if wallet is None else self.addresses.participant(wallet),
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
        """Stop the announced recovery from a token account, which stays frozen."""
        return self.build("cancel_recovery", {}, {"guardian": guardian, "recovery": self.addresses.recovery(source)})

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
                        "shares_micro": entry.shares_micro,
                        "capacity_raw": entry.capacity_raw,
                        "redeemed_seen_raw": entry.redeemed_seen_raw,
                    }
                    for entry in statement.entries
                ],
            },
            {"custodian": statement.custodian},
            [_writable(self.addresses.asset(entry.mint)) for entry in statement.entries],
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
        remaining = [AccountMeta(pubkey(each), is_signer=False, is_writable=False) for each in sorted(set(custodians))]
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
            remaining += map(_writable, self.asset_accounts(intent.mint))
        return self.build(name, {"entries": entries}, {"operator": operator}, remaining)

    def asset_accounts(self, mint: Address) -> tuple[Address, Address, Address]:
        """The accounts of one mint or burn entry in their order: asset, mint, vault."""
        return self.addresses.asset(mint), mint, self.addresses.vault(mint)

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
        """Take the tokens of an open redemption back, as the wallet that requested it, to any token account of its."""
        accounts = {"wallet": wallet, "destination": destination}
        return self.build("cancel_redemption", {}, {**accounts, **self._waiting(mint, redemption)})

    def reject_redemption(
        self, *, operator: Address, mint: Address, redemption: Address, destination: Address
    ) -> Instruction:
        """Give the tokens of an open redemption back to a token account of the wallet that requested it."""
        accounts = {"operator": operator, "destination": destination}
        return self.build("reject_redemption", {}, {**accounts, **self._waiting(mint, redemption)})

    def settle_redemption(
        self, *, operator: Address, custodian: Address, mint: Address, redemption: Address
    ) -> Instruction:
        """Burn the tokens of an open redemption; `custodian` owes the shares. Its entry must be fresh and cover the
        amount beside its unseen redemptions (M6)."""
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

    def pause(self, *, guardian: Address, scopes: Scope, mint: Address | None = None) -> Instruction:
        """Stop scopes at once: of one asset, or of all where `mint` is None."""
        return self._pause("pause", "guardian", guardian, scopes, mint)

    def resume(self, *, resumer: Address, scopes: Scope, mint: Address | None = None) -> Instruction:
        """Let scopes go on: of one asset, or the global ones where `mint` is None."""
        return self._pause("resume", "resumer", resumer, scopes, mint)

    def _pause(self, name: str, duty: str, key: Address, scopes: Scope, mint: Address | None) -> Instruction:
        accounts: dict[str, Address | None] = {duty: key}
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

    def clear_hold(self, *, resumer: Address, mint: Address, holds: Hold, observed_ms: Sequence[int]) -> Instruction:
        """Clear holds of an asset (M9). `observed_ms` are those of its entries that the resumer looked at: with another
        statement since then the holds stay."""
        return self.build(
            "clear_hold",
            {"holds": int(holds), "observed_ms": [*observed_ms, *[0] * (MAX_CUSTODIANS - len(observed_ms))]},
            {"resumer": resumer, "asset": self.addresses.asset(mint)},
        )

    def _fixed(self, instruction: str, account: str) -> Address | None:
        return next(role.fixed for role in self.interface.accounts_of[instruction] if role.name == account)

    def _custodian_of(self, custodian_id: int) -> Address:
        if not 0 <= custodian_id < 2**16:
            raise ArgumentError(f"custodian id {custodian_id}: it must be from 0 to 65535")
        return self.addresses.custodian(custodian_id)

    # ---- accounts -----------------------------------------------------------------------------------------------

    def _parse(self, name: str, address: Address, data: bytes, owner: Address | None) -> Any:
        shown = f"{name} account {base58(address)}"
        if owner is not None and owner != self.program_id:
            raise MalformedAccount(f"{shown} is owned by {base58(owner)}, not by the program {base58(self.program_id)}")
        if data[:8] != discriminator("account", name):
            raise MalformedAccount(f"{shown} has another discriminator: it is no {name}")
        if len(data) != self._sizes[name]:
            raise MalformedAccount(f"{shown} has {len(data)} bytes, a {name} has {self._sizes[name]}")
        parsed = self._coder.accounts.decode(data)
        if parsed.version != LAYOUT_VERSION:
            raise MalformedAccount(
                f"{shown} has version {parsed.version}, this daemon reads {LAYOUT_VERSION}: use the daemon's release "
                "that fits the deployed program"
            )
        return parsed

    def config(self, data: bytes, owner: Address | None = None) -> Config:
        """Decode the Config account. `owner`, where given, is checked to be the program (so everywhere here)."""
        address = self.addresses.config
        raw = self._parse("Config", address, data, owner)
        return Config(
            address=address,
            sealed=bool(raw.sealed),
            paused=Scope(raw.paused),
            max_skew_secs=raw.max_skew_secs,
            timelock_secs=raw.timelock_secs,
            admin_epoch=raw.admin_epoch,
            genesis_hash=Address(bytes(raw.genesis_hash)),
            admin=_address(raw.admin),
            operator=_address(raw.operator),
            registrar=_address(raw.registrar),
            guardian=_address(raw.guardian),
            resumer=_address(raw.resumer),
            compliance=_address(raw.compliance),
            corporate_actions=_address(raw.corporate_actions),
            pending_admin=_address(raw.pending_admin),
            pending_admin_ready_ts=raw.pending_admin_ready_ts,
            pending_admin_expires_ts=raw.pending_admin_expires_ts,
        )

    def custodian(self, address: Address, data: bytes, owner: Address | None = None) -> Custodian:
        """Decode a Custodian account."""
        raw = self._parse("Custodian", address, data, owner)
        try:
            return Custodian(
                address=address,
                id=raw.id,
                state=CustodianState(raw.state),
                epoch=raw.epoch,
                threshold=raw.threshold,
                keys=tuple(
                    AttesterKey(_address(key.key), key.party, key.expires_ts) for key in raw.keys[: raw.key_count]
                ),
                name=bytes(raw.name).rstrip(b"\0").decode(),
            )
        except ValueError as error:
            raise MalformedAccount(f"Custodian account {base58(address)}: {error}") from None

    def asset(self, address: Address, data: bytes, owner: Address | None = None) -> AssetAccount:
        """Decode an Asset account. Empty entry slots are left out."""
        raw = self._parse("Asset", address, data, owner)
        try:
            return AssetAccount(
                address=address,
                mint=_address(raw.mint),
                vault=_address(raw.vault),
                redemption_vault=_address(raw.redemption_vault),
                decimals=raw.decimals,
                state=AssetState(raw.state),
                paused=Scope(raw.paused),
                holds=Hold(raw.holds),
                sequence=raw.sequence,
                last_intent_hash=bytes(raw.last_intent_hash),
                multiplier_bits=raw.multiplier_bits,
                pending_multiplier_bits=raw.pending_multiplier_bits,
                multiplier_effective_ts=raw.multiplier_effective_ts,
                multiplier_changed_ts=raw.multiplier_changed_ts,
                policy=Policy(
                    supply_limit_raw=raw.policy.supply_limit_raw,
                    mint_burst_raw=raw.policy.mint_burst_raw,
                    mint_refill_raw_per_sec=raw.policy.mint_refill_raw_per_sec,
                    distribute_burst_raw=raw.policy.distribute_burst_raw,
                    distribute_refill_raw_per_sec=raw.policy.distribute_refill_raw_per_sec,
                    max_age_secs=raw.policy.max_age_secs,
                    max_rise_bps=raw.policy.max_rise_bps,
                    max_multiplier_bps=raw.policy.max_multiplier_bps,
                    ca_tolerance_bps=raw.policy.ca_tolerance_bps,
                    ca_window_secs=raw.policy.ca_window_secs,
                    min_notice_secs=raw.policy.min_notice_secs,
                ),
                mint_bucket=Bucket(raw.mint_bucket.level_raw, raw.mint_bucket.updated_ts),
                distribute_bucket=Bucket(raw.distribute_bucket.level_raw, raw.distribute_bucket.updated_ts),
                initial_mint_raw=raw.initial_mint_raw,
                adopted_raw=raw.adopted_raw,
                minted_raw=raw.minted_raw,
                burnt_raw=raw.burnt_raw,
                distributed_raw=raw.distributed_raw,
                entries=tuple(
                    Entry(
                        custodian=_address(entry.custodian),
                        state=EntryState(entry.state),
                        withdrawn=bool(entry.withdrawn),
                        epoch=entry.epoch,
                        observed_ms=entry.observed_ms,
                        expires_ts=entry.expires_ts,
                        shares_micro=entry.shares_micro,
                        capacity_raw=entry.capacity_raw,
                        redeemed_total_raw=entry.redeemed_total_raw,
                        redeemed_seen_raw=entry.redeemed_seen_raw,
                        multiplier_bits=entry.multiplier_bits,
                    )
                    for entry in raw.entries[: raw.entry_count]
                ),
            )
        except ValueError as error:
            raise MalformedAccount(f"Asset account {base58(address)}: {error}") from None

    def participant(self, address: Address, data: bytes, owner: Address | None = None) -> Participant:
        """Decode a Participant account."""
        raw = self._parse("Participant", address, data, owner)
        try:
            return Participant(
                address=address,
                wallet=_address(raw.wallet),
                state=ParticipantState(raw.state),
                country=bytes(raw.country).decode("ascii"),
                expires_ts=raw.expires_ts,
            )
        except ValueError as error:
            raise MalformedAccount(f"Participant account {base58(address)}: {error}") from None

    def redemption(self, address: Address, data: bytes, owner: Address | None = None) -> Redemption:
        """Decode a Redemption account."""
        raw = self._parse("Redemption", address, data, owner)
        custodian = _address(raw.custodian)
        try:
            state = RedemptionState(raw.state)
        except ValueError as error:
            raise MalformedAccount(f"Redemption account {base58(address)}: {error}") from None
        return Redemption(
            address=address,
            state=state,
            id=bytes(raw.id),
            mint=_address(raw.mint),
            wallet=_address(raw.wallet),
            source=_address(raw.source),
            amount_raw=raw.amount_raw,
            requested_ts=raw.requested_ts,
            closed_ts=None if state is RedemptionState.REQUESTED else raw.closed_ts,
            custodian=None if custodian == ZERO_ADDRESS else custodian,
        )

    def proposal(self, address: Address, data: bytes, owner: Address | None = None) -> Proposal:
        """Decode a Proposal account."""
        raw = self._parse("Proposal", address, data, owner)
        try:
            return Proposal(
                address=address,
                state=ProposalState(raw.state),
                instruction=bytes(raw.instruction),
                hash=bytes(raw.hash),
                role=None if raw.role == 0xFF else Role(raw.role),
                ready_ts=raw.ready_ts,
                admin_epoch=raw.admin_epoch,
            )
        except ValueError as error:
            raise MalformedAccount(f"Proposal account {base58(address)}: {error}") from None

    def recovery(self, address: Address, data: bytes, owner: Address | None = None) -> Recovery:
        """Decode a Recovery account."""
        raw = self._parse("Recovery", address, data, owner)
        try:
            return Recovery(
                address=address,
                state=RecoveryState(raw.state),
                mint=_address(raw.mint),
                source=_address(raw.source),
                destination=_address(raw.destination),
                amount_raw=raw.amount_raw,
                announced_ts=raw.announced_ts,
                ready_ts=raw.ready_ts,
            )
        except ValueError as error:
            raise MalformedAccount(f"Recovery account {base58(address)}: {error}") from None

    def adoption(self, address: Address, data: bytes, owner: Address | None = None) -> Adoption:
        """Decode an Adoption account."""
        raw = self._parse("Adoption", address, data, owner)
        try:
            return Adoption(
                address=address,
                state=AdoptionState(raw.state),
                profile=Profile(raw.profile),
                mint=_address(raw.mint),
                holders=Authorities(
                    **{each.name: _address(getattr(raw.holders, each.name)) for each in fields(Authorities)}
                ),
            )
        except ValueError as error:
            raise MalformedAccount(f"Adoption account {base58(address)}: {error}") from None

    # ---- events and errors --------------------------------------------------------------------------------------

    def events(self, logs: Iterable[str]) -> list[ProgramEvent]:
        """The program's events in a transaction's log. Data of other programs or of unknown events is passed over."""
        own = base58(self.program_id)
        found: list[ProgramEvent] = []
        for run in invocations(logs):
            if run.program == own:
                found += filter(None, map(self._event, run.data))
        return found

    def _event(self, data: bytes) -> ProgramEvent | None:
        if data[:8] not in self._coder.events.discriminators:
            return None
        try:
            event = self._coder.events.parse(data)
        except ConstructError:
            return None
        kind = {"defined": {"name": event.name}}
        return ProgramEvent(event.name, plain_value(self.interface, kind, event.data))

    def failure(self, err: Any, logs: Sequence[str] = ()) -> TransactionFailed:
        """The named error for a TransactionError as RPC gives it (JSON), with what the log adds."""
        match err:
            case {"InstructionError": [int(index), {"Custom": int(code)}]}:
                runs = invocations(logs)
                failed = [run for run in runs if run.failure is not None]
                # The innermost failing program closes first; its callers pass its error on.
                raiser = max(failed, key=lambda run: run.depth).program if failed else None
                name, message = self._error(code, raiser)
                return ProgramError(err, index, code, name, message, raiser, self._failed_entry(runs))
            case {"InstructionError": [int(index), reason]}:
                return TransactionFailed(err, index, f"instruction {index}: {_reason(reason)}")
            case _:
                return TransactionFailed(err, None, f"the transaction was refused: {_reason(err)}")

    def _error(self, code: int, program: str | None) -> tuple[str, str]:
        if program in (None, base58(self.program_id)):
            if code in self.interface.error_of:
                return self.interface.error_of[code]
            for anchor_code, message in LangErrorMessage.items():
                if anchor_code == code:
                    return cast(IntEnum, anchor_code).name, message
        return "Custom", f"error {code} of program {program or '(the log does not tell which)'}"

    def _failed_entry(self, runs: Sequence[Invocation]) -> int | None:
        """The entry of a batch that this program itself says it refused."""
        own = [run for run in runs if run.failure is not None and run.program == base58(self.program_id)]
        named = [match for run in own for line in run.text if (match := _ENTRY_LINE.fullmatch(line))]
        return int(named[-1][1]) if named else None


def _address(key: Any) -> Address:
    return Address(bytes(key))


def _reason(err: Any) -> str:
    return err if isinstance(err, str) else str(err)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _writable(address: Address) -> AccountMeta:
    return AccountMeta(pubkey(address), is_signer=False, is_writable=True)


def _fields(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]


def _keys(keys: Sequence[AttesterKey]) -> list[dict[str, Any]]:
    """As the program wants them: strictly ascending."""
    return [asdict(key) for key in sorted(keys, key=lambda key: key.key)]
