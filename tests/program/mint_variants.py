"""Mints made by real instructions, one of which is another than it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solders.instruction import Instruction

from tests.support.error_codes import ErrorCode
from tests.support.initialized import FreshMint
from tests.support.mints import token_instruction, with_space
from xstocks_daemon.domain.units import Address

ONE = 0x3FF0_0000_0000_0000

# Places in register_asset.
ASSET, MINT, VAULT, REDEMPTION_AUTHORITY, REDEMPTION_VAULT, TOKEN_PROGRAM, ASSOCIATED, SYSTEM = range(2, 10)


# ---- mints made by real instructions, one of which is another --------------------------------------------------------


def added(data: bytes, value_bytes: int) -> Callable[[FreshMint, Address], list[Instruction]]:
    """One more extension, initialised before the mint."""

    def build(fresh: FreshMint, _asset: Address) -> list[Instruction]:
        *before, mint = with_space(list(fresh.create), 4 + value_bytes)
        return [*before, token_instruction(data, fresh.mint), mint]

    return build


def replaced(
    index: int, build_data: Callable[[Address, Address], bytes]
) -> Callable[[FreshMint, Address], list[Instruction]]:
    """Another initialisation of one extension; `build_data` is given asset and mint."""

    def build(fresh: FreshMint, asset: Address) -> list[Instruction]:
        instructions = list(fresh.create)
        instructions[index] = token_instruction(build_data(asset, fresh.mint), fresh.mint)
        return instructions

    return build


def left_out(index: int, value_bytes: int) -> Callable[[FreshMint, Address], list[Instruction]]:
    def build(fresh: FreshMint, _asset: Address) -> list[Instruction]:
        instructions = with_space(list(fresh.create), -4 - value_bytes)
        del instructions[index]
        return instructions

    return build


STRANGER, NOBODY = Address(bytes([9]) * 32), Address(bytes(32))

# Places of the initialisations in create_mint_instructions, after the creation of the account.
PAUSABLE, POINTER, DELEGATE, STATE, SCALED, CONFIDENTIAL, HOOK, MINT2 = range(1, 9)


@dataclass(frozen=True, slots=True)
class Made:
    """A mint that the client made in another way, and how it is refused."""

    build: Callable[[FreshMint, Address], list[Instruction]]
    error: ErrorCode


def mint2(
    decimals: int = 8, *, authority: bool = True, freeze: bytes | None = None
) -> Callable[[Address, Address], bytes]:
    def data(asset: Address, _mint: Address) -> bytes:
        freezer = b"\1" + asset if freeze is None else freeze
        return bytes([20, decimals]) + (asset if authority else STRANGER) + freezer

    return data
