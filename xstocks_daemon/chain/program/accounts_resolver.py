"""Any instruction of the IDL, made of what a person says: which accounts he must name, and where the others follow.

An account follows from its fixed address, from its seeds, from the mint and the like (`_FOLLOWS`), or from the Config
where it is the key of a role. Only what is left is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain.addresses import ProgramAddresses, associated_token_address, base58, proposal_hash, pubkey
from xstocks_daemon.chain.program import REDEMPTION_ID_BYTES, ProgramClient
from xstocks_daemon.chain.program.idl import AccountSpec, ProgramInterface, Seed
from xstocks_daemon.domain.snapshot import Config, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address
from xstocks_daemon.errors import MISSING, user_error

Named = Mapping[str, Address | bytes | int]
"""Accounts by the name of their input: an address, a custodian's number, or the 16 bytes of a redemption's id."""

#: Accounts whose seeds the IDL does not have in every instruction, and those that are no addresses of the program: from
#: which others they follow.
_FOLLOWS: Mapping[str, tuple[tuple[str, ...], Callable[..., Address]]] = {
    "asset": (("mint",), ProgramAddresses.asset),
    "vault": (("mint",), ProgramAddresses.vault),
    "redemption_vault": (("mint",), ProgramAddresses.redemption_vault),
    "participant": (("wallet",), ProgramAddresses.participant),
    "recovery": (("source",), ProgramAddresses.recovery),
    "program": ((), lambda addresses: addresses.program_id),
    "program_data": ((), lambda addresses: addresses.program_data),
}
#: Where a wallet's tokens come from or go to, unless another token account of it is named.
_OF_THE_WALLET = ("source", "destination")
_INTEGER_BYTES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


@dataclass(frozen=True, slots=True)
class Input:
    """An account that must be named (`required`) or may be."""

    name: str
    required: bool
    doc: str


@dataclass(frozen=True, slots=True)
class AvailableSigners:
    """The keys at hand, the first of which pays, and the Config that says which key has which role (None before there
    is one)."""

    keys: Sequence[Address]
    config: Config | None

    def of(self, instruction: str, spec: AccountSpec, named: Address | None, *, present: bool = True) -> Address | None:
        """The key that signs as `spec`; None for an optional one that is not at hand. UserError where it is not at
        hand (unless not `present`) or nobody's."""
        if not spec.roles:
            # A wallet, an attester: whoever it is, it signs here.
            return self._at_hand(instruction, spec, {spec.name: named or self.keys[0]})
        if self.config is None:
            raise user_error("program_id", MISSING, f"{instruction} needs a program that is initialized")
        keys: dict[str, Address] = {role: getattr(self.config, role) for role in spec.roles}
        holders = {role: address for role, address in keys.items() if address != ZERO_ADDRESS}
        if not holders and spec.optional:
            return None
        if not holders:
            roles = " or ".join(spec.roles)
            raise user_error(roles, "nobody", f"{instruction} needs this key, and the Config names none")
        return self._at_hand(instruction, spec, holders) if present else next(iter(holders.values()))

    def _at_hand(self, instruction: str, spec: AccountSpec, holders: Mapping[str, Address]) -> Address | None:
        if spec.optional or any(address in self.keys for address in holders.values()):
            return next((address for address in holders.values() if address in self.keys), None)
        wanted = " or ".join(f"{role} {base58(address)}" for role, address in holders.items())
        given = ", ".join(map(base58, self.keys))
        raise user_error("--key", given, f"{instruction} is signed by {wanted}; add that key's file by --key")


def option(name: str) -> str:
    """How an argument or account is written on the command line."""
    # `--key` names a key file, and a multiplier is given as a decimal, not as its bits.
    name = "public_key" if name == "key" else name
    name = f"{name.removesuffix('_bits')}_multiplier" if name.endswith("_bits") else name
    return f"--{name.replace('_', '-')}"


def inputs(interface: ProgramInterface, instruction: str) -> tuple[Input, ...]:
    """The accounts to be named for an instruction, in its order."""
    specs = interface.accounts_of[instruction]
    own = {spec.name for spec in specs}
    found: dict[str, Input] = {}

    def add(name: str, required: bool, doc: str) -> None:
        known = found.get(name)
        found[name] = Input(name, required or (known is not None and known.required), doc)

    wallet = any(spec.name in ("wallet", "participant") and not spec.optional for spec in specs)
    for spec in specs:
        if spec.signer:
            if not spec.roles:
                add(spec.name, False, spec.doc or "Which of the keys it is.")
        elif spec.fixed is not None or (
            spec.name == "proposal" and instruction not in ("cancel_proposal", "accept_role")
        ):
            continue
        elif (needs := _needs(spec)) is None:
            add(spec.name, not spec.optional and not (wallet and spec.name in _OF_THE_WALLET), spec.doc)
        else:
            for name in needs:
                if name not in own:
                    add(name, not spec.optional, f"The {spec.name} follows from it. {spec.doc}".rstrip())
    return tuple(found.values())


def _needs(spec: AccountSpec) -> tuple[str, ...] | None:
    """The accounts that this one follows from; None where it does not follow."""
    if spec.seeds:
        return tuple(seed.account for seed in spec.seeds if seed.account is not None)
    return _FOLLOWS[spec.name][0] if spec.name in _FOLLOWS else None


def resolve_instruction(
    client: ProgramClient,
    instruction: str,
    args: Mapping[str, Any],
    named: Named,
    signers: AvailableSigners,
    remaining: Iterable[AccountMeta] = (),
    *,
    present: bool = True,
) -> Instruction:
    """The instruction with all its accounts, a timelocked one without its proposal.

    `present`: its signers' keys must be at hand. UserError names what is missing; ArgumentError for values that the
    arguments' types cannot hold.
    """
    for each in inputs(client.interface, instruction):
        if each.required and each.name not in named:
            raise user_error(option(each.name), MISSING, f"{instruction} needs it")
    remaining = list(remaining)
    return client.build(
        instruction,
        args,
        _Resolution(client, instruction, args, named, signers, present).accounts(remaining),
        remaining,
    )


class _Resolution:
    """The accounts of one instruction, found from each other."""

    def __init__(
        self,
        client: ProgramClient,
        instruction: str,
        args: Mapping[str, Any],
        named: Named,
        signers: AvailableSigners,
        present: bool,
    ) -> None:
        self._client = client
        self._instruction = instruction
        self._args = args
        self._named = named
        self._signers = signers
        self._present = present
        self._specs = {spec.name: spec for spec in client.interface.accounts_of[instruction]}
        self._arg_kinds = dict(client.interface.args_of[instruction])

    def accounts(self, remaining: Sequence[AccountMeta]) -> dict[str, Address | None]:
        """By name; None: an optional one that is not given."""
        found: dict[str, Address | None] = {}
        before: Address | None = None
        for spec in self._specs.values():
            if spec.optional and spec.fixed is not None:
                # A program that only serves the optional account before it.
                found[spec.name] = spec.fixed if before is not None else None
            elif spec.optional and spec.name == "mint" and not self._args["scopes"] & Scope.TRANSFERS:
                # pause and resume take the mint along for Token-2022's own pause only.
                found[spec.name] = None
            elif spec.name == "proposal" and self._instruction == "propose":
                keys = [Address(bytes(meta.pubkey)) for meta in remaining]
                data = self._args["instruction_data"]
                found[spec.name] = self._client.addresses.proposal(proposal_hash(data, keys))
            else:
                found[spec.name] = self._find(spec.name)
            before = found[spec.name]
        return found

    def _find(self, name: str) -> Address | None:
        spec, given = self._specs.get(name), self._named.get(name)
        if spec is not None and spec.signer:
            address = None if given is None else self._address(name, given)
            return self._signers.of(self._instruction, spec, address, present=self._present)
        if given is not None:
            return self._address(name, given)
        if spec is not None and spec.fixed is not None:
            return spec.fixed
        if spec is not None and spec.seeds:
            seeds = [self._seed(seed) for seed in spec.seeds]
            return None if None in seeds else self._client.addresses.derived(*filter(None, seeds))
        if name in _FOLLOWS:
            needs, derive = _FOLLOWS[name]
            values = [self._find(need) for need in needs]
            return None if None in values else derive(self._client.addresses, *values)
        if name in _OF_THE_WALLET and (wallet := self._find("wallet")) and (mint := self._find("mint")):
            return associated_token_address(wallet, mint)
        return None

    def _address(self, name: str, given: Address | bytes | int) -> Address:
        if isinstance(given, int):
            return self._client.addresses.custodian(given)
        if name == "redemption" and len(given) == REDEMPTION_ID_BYTES:
            mint = self._find("mint")
            assert mint is not None, "every instruction with a redemption requires its mint"
            return self._client.addresses.redemption(mint, given)
        return Address(given)

    def _seed(self, seed: Seed) -> bytes | None:
        if seed.const is not None:
            return seed.const
        if seed.account is not None:
            return self._find(seed.account)
        assert seed.arg is not None
        value = self._args[seed.arg]
        kind = self._arg_kinds[seed.arg]
        return value.to_bytes(_INTEGER_BYTES[kind], "little") if isinstance(value, int) else bytes(value)


def remaining_metas(addresses: Iterable[tuple[Address, bool]]) -> list[AccountMeta]:
    """Remaining accounts: addresses, and whether each is writable."""
    return [AccountMeta(pubkey(address), is_signer=False, is_writable=writable) for address, writable in addresses]
