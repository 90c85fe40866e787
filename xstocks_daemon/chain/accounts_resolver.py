"""Any instruction of the IDL, made of what a person says: which accounts he must name, and where the others follow.

An account follows from its fixed address, from its seeds, from the mint and the like (`_FOLLOWS`), or from the Config
where it is the key of a duty. Only what is left is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain.addresses import ProgramAddresses, associated_token_address, base58, proposal_hash, pubkey
from xstocks_daemon.chain.idl import AccountSpec, ProgramInterface, Seed
from xstocks_daemon.chain.program import REDEMPTION_ID_BYTES, ProgramClient
from xstocks_daemon.domain.snapshot import Config, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address
from xstocks_daemon.errors import MISSING, user_error

DUTIES = (
    "admin",
    "operator",
    "registrar",
    "guardian",
    "resumer",
    "compliance",
    "corporate_actions",
    "pending_admin",
)
"""Whose keys the Config names, by its fields."""

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
    """Who signs: the keys at hand, the first of which pays, and the Config that says whose duty is which (None before
    there is one)."""

    keys: Sequence[Address]
    config: Config | None

    def of(self, instruction: str, role: AccountSpec, named: Address | None, *, present: bool = True) -> Address | None:
        """The key that signs as `role`; None for an optional one that is not at hand. UserError where it is not at
        hand (unless not `present`) or nobody's."""
        duties = duties_of(role)
        if not duties:
            # A wallet, an attester: whoever it is, it signs here.
            return self._at_hand(instruction, role, {role.name: named or self.keys[0]})
        if self.config is None:
            raise user_error("program_id", MISSING, f"{instruction} needs a program that is initialized")
        found: dict[str, Address] = {duty: getattr(self.config, duty) for duty in duties}
        holders = {duty: address for duty, address in found.items() if address != ZERO_ADDRESS}
        if not holders:
            raise user_error(" or ".join(duties), "nobody", f"{instruction} needs this key, and the Config names none")
        return self._at_hand(instruction, role, holders) if present else next(iter(holders.values()))

    def _at_hand(self, instruction: str, role: AccountSpec, holders: Mapping[str, Address]) -> Address | None:
        if role.optional or any(address in self.keys for address in holders.values()):
            return next((address for address in holders.values() if address in self.keys), None)
        wanted = " or ".join(f"{duty} {base58(address)}" for duty, address in holders.items())
        given = ", ".join(map(base58, self.keys))
        raise user_error("--key", given, f"{instruction} is signed by {wanted}; add that key's file by --key")


def duties_of(role: AccountSpec) -> tuple[str, ...]:
    """The duties whose keys may sign as this account; none where it is no duty's."""
    if role.name in DUTIES:
        return (role.name,)
    # "Admin or guardian.": the IDL has no other place for this.
    words = role.doc.lower().rstrip(".").split(" or ")
    return tuple(duty for word in words if (duty := word.replace(" ", "_")) in DUTIES)


def option(name: str) -> str:
    """How an argument or account is written on the command line."""
    # `--key` names a key file, and a multiplier is given as a decimal, not as its bits.
    name = "public_key" if name == "key" else name
    name = f"{name.removesuffix('_bits')}_multiplier" if name.endswith("_bits") else name
    return f"--{name.replace('_', '-')}"


def takes_remaining(interface: ProgramInterface, instruction: str) -> bool:
    """Whether an instruction takes more accounts than it has names for."""
    return "Remaining accounts:" in interface.doc_of[instruction]


def inputs(interface: ProgramInterface, instruction: str) -> tuple[Input, ...]:
    """The accounts to be named for an instruction, in its order."""
    roles = interface.accounts_of[instruction]
    own = {role.name for role in roles}
    found: dict[str, Input] = {}

    def add(name: str, required: bool, doc: str) -> None:
        known = found.get(name)
        found[name] = Input(name, required or (known is not None and known.required), doc)

    wallet = "wallet" in own or "participant" in own
    for role in roles:
        if role.signer:
            if not duties_of(role):
                add(role.name, False, role.doc or "Which of the keys it is.")
        elif role.fixed is not None or (role.name == "proposal" and instruction != "cancel_proposal"):
            continue
        elif (needs := _needs(role)) is None:
            add(role.name, not role.optional and not (wallet and role.name in _OF_THE_WALLET), role.doc)
        else:
            for name in needs:
                if name not in own:
                    add(name, not role.optional, f"The {role.name} follows from it. {role.doc}".rstrip())
    return tuple(found.values())


def _needs(role: AccountSpec) -> tuple[str, ...] | None:
    """The accounts that this one follows from; None where it does not follow."""
    if role.seeds:
        return tuple(seed.account for seed in role.seeds if seed.account is not None)
    return _FOLLOWS[role.name][0] if role.name in _FOLLOWS else None


def fill(
    client: ProgramClient,
    instruction: str,
    args: Mapping[str, Any],
    named: Named,
    signatories: AvailableSigners,
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
        _Filling(client, instruction, args, named, signatories, present).accounts(remaining),
        remaining,
    )


class _Filling:
    """The accounts of one instruction, found from each other."""

    def __init__(
        self,
        client: ProgramClient,
        instruction: str,
        args: Mapping[str, Any],
        named: Named,
        signatories: AvailableSigners,
        present: bool,
    ) -> None:
        self._client = client
        self._instruction = instruction
        self._args = args
        self._named = named
        self._signatories = signatories
        self._present = present
        self._roles = {role.name: role for role in client.interface.accounts_of[instruction]}
        self._arg_kinds = dict(client.interface.args_of[instruction])

    def accounts(self, remaining: Sequence[AccountMeta]) -> dict[str, Address | None]:
        """By name; None: an optional one that is not given."""
        found: dict[str, Address | None] = {}
        before: Address | None = None
        for role in self._roles.values():
            if role.optional and role.fixed is not None:
                # A program that only serves the optional account before it.
                found[role.name] = role.fixed if before is not None else None
            elif role.optional and role.name == "mint" and not self._args["scopes"] & Scope.TRANSFERS:
                # pause and resume take the mint along for Token-2022's own pause only.
                found[role.name] = None
            elif role.name == "proposal" and self._instruction == "propose":
                keys = [Address(bytes(meta.pubkey)) for meta in remaining]
                data = self._args["instruction_data"]
                found[role.name] = self._client.addresses.proposal(proposal_hash(data, keys))
            else:
                found[role.name] = self._find(role.name)
            before = found[role.name]
        return found

    def _find(self, name: str) -> Address | None:
        role, given = self._roles.get(name), self._named.get(name)
        if role is not None and role.signer:
            address = None if given is None else self._address(name, given)
            return self._signatories.of(self._instruction, role, address, present=self._present)
        if given is not None:
            return self._address(name, given)
        if role is not None and role.fixed is not None:
            return role.fixed
        if role is not None and role.seeds:
            seeds = [self._seed(seed) for seed in role.seeds]
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


def metas(addresses: Iterable[tuple[Address, bool]]) -> list[AccountMeta]:
    """Remaining accounts: addresses, and whether each is writable."""
    return [AccountMeta(pubkey(address), is_signer=False, is_writable=writable) for address, writable in addresses]
