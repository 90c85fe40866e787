"""Any instruction by its name in the IDL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anchorpy.program.common import NamedInstruction
from construct import ConstructError
from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.chain.errors import ArgumentError
from xstocks_daemon.chain.program.codec import ProgramCodec
from xstocks_daemon.chain.program.idl import plain_value
from xstocks_daemon.domain.units import Address


class InstructionBuilder(ProgramCodec):
    """Builds instructions. ArgumentError for values that the argument's type cannot hold; whether the program accepts
    them is the program's affair."""

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
        for spec in self.interface.accounts_of[name]:
            unknown.discard(spec.name)
            address = accounts.get(spec.name)
            if address is None and not spec.optional:
                address = self.addresses.config if spec.name == "config" else spec.fixed
            if address is None:
                if not spec.optional:
                    raise ArgumentError(f"{name}: account {spec.name} is missing")
                metas.append(readonly(self.program_id))
            else:
                metas.append(AccountMeta(pubkey(address), is_signer=spec.signer, is_writable=spec.writable))
        if unknown:
            raise ArgumentError(f"{name}: it takes no account {', '.join(sorted(unknown))}")
        return Instruction(pubkey(self.program_id), self._encoded(name, args), [*metas, *remaining])

    def _encoded(self, name: str, args: Mapping[str, Any]) -> bytes:
        try:
            return bytes(self._coder.instruction.build(NamedInstruction(name=name, data=dict(args))))
        except (ConstructError, KeyError, TypeError) as error:
            raise ArgumentError(f"{name}: the arguments {dict(args)!r} do not encode: {_one_line(error)}") from None

    def read_instruction(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """The name and the arguments of an instruction's data. ArgumentError where it is no whole instruction."""
        refusal = ArgumentError(f"{len(data)} bytes are no instruction of this version of the program")
        try:
            parsed = self._coder.instruction.parse(data)
        except (ConstructError, KeyError):
            raise refusal from None
        kinds = self.interface.args_of[parsed.name]
        # By position: the coder changes names such as _pad0.
        values = list(parsed.data.values())[-len(kinds) :] if kinds else []
        args = {
            name: plain_value(self.interface, kind, value) for (name, kind), value in zip(kinds, values, strict=True)
        }
        if self._encoded(parsed.name, args) != data:  # the coder passes over what follows
            raise refusal
        return parsed.name, args

    def asset_accounts(self, mint: Address) -> tuple[Address, Address, Address]:
        """The accounts of one mint or burn entry in their order: asset, mint, vault."""
        return self.addresses.asset(mint), mint, self.addresses.vault(mint)

    def _fixed(self, instruction: str, account: str) -> Address | None:
        return next(spec.fixed for spec in self.interface.accounts_of[instruction] if spec.name == account)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def writable(address: Address) -> AccountMeta:
    """A remaining account that is written."""
    return AccountMeta(pubkey(address), is_signer=False, is_writable=True)


def readonly(address: Address) -> AccountMeta:
    """A remaining account that is only read."""
    return AccountMeta(pubkey(address), is_signer=False, is_writable=False)


def metadata_fields(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Fields of a mint's metadata as arguments."""
    return [{"key": key, "value": value} for key, value in pairs]
