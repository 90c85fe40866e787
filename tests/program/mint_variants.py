"""Mints made by real instructions, one of which is another than it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solders.instruction import Instruction

from tests.support.deployed import FreshMint
from tests.support.error_codes import ErrorCode
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


MADE: dict[str, Made] = {
    "9 decimals": Made(replaced(MINT2, mint2(9)), ErrorCode.WrongDecimals),
    "0 decimals": Made(replaced(MINT2, mint2(0)), ErrorCode.WrongDecimals),
    "a foreign mint authority": Made(replaced(MINT2, mint2(authority=False)), ErrorCode.MintAuthorityInvalid),
    "a foreign freeze authority": Made(
        replaced(MINT2, mint2(freeze=b"\1" + STRANGER)), ErrorCode.FreezeAuthorityInvalid
    ),
    "no freeze authority": Made(replaced(MINT2, mint2(freeze=b"\0")), ErrorCode.FreezeAuthorityInvalid),
    "a foreign metadata pointer authority": Made(
        replaced(POINTER, lambda _asset, mint: bytes([39, 0]) + STRANGER + mint), ErrorCode.MetadataPointerInvalid
    ),
    "metadata somewhere else": Made(
        replaced(POINTER, lambda asset, _mint: bytes([39, 0]) + asset + STRANGER), ErrorCode.MetadataPointerInvalid
    ),
    "a foreign permanent delegate": Made(
        replaced(DELEGATE, lambda _asset, _mint: bytes([35]) + STRANGER), ErrorCode.PermanentDelegateInvalid
    ),
    "accounts frozen by default": Made(
        replaced(STATE, lambda _asset, _mint: bytes([28, 0, 2])), ErrorCode.DefaultAccountStateInvalid
    ),
    "a foreign multiplier authority": Made(
        replaced(SCALED, lambda _asset, _mint: bytes([43, 0]) + STRANGER + ONE.to_bytes(8, "little")),
        ErrorCode.ScaledUiAuthorityInvalid,
    ),
    "a foreign pause authority": Made(
        replaced(PAUSABLE, lambda _asset, _mint: bytes([44, 0]) + STRANGER), ErrorCode.PausableAuthorityInvalid
    ),
    "a foreign confidential authority": Made(
        replaced(CONFIDENTIAL, lambda _asset, _mint: bytes([27, 0]) + STRANGER + bytes(33)),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "confidential accounts approved by themselves": Made(
        replaced(CONFIDENTIAL, lambda asset, _mint: bytes([27, 0]) + asset + b"\1" + bytes(32)),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "an auditor": Made(
        replaced(CONFIDENTIAL, lambda asset, _mint: bytes([27, 0]) + asset + b"\0" + bytes([9]) * 32),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "a foreign hook authority": Made(
        replaced(HOOK, lambda _asset, _mint: bytes([36, 0]) + STRANGER + bytes(32)), ErrorCode.TransferHookInvalid
    ),
    "a hook program": Made(
        replaced(HOOK, lambda asset, _mint: bytes([36, 0]) + asset + STRANGER), ErrorCode.TransferHookInvalid
    ),
    "no metadata pointer": Made(left_out(POINTER, 64), ErrorCode.MissingExtension),
    "no permanent delegate": Made(left_out(DELEGATE, 32), ErrorCode.MissingExtension),
    "no default account state": Made(left_out(STATE, 1), ErrorCode.MissingExtension),
    "no multiplier": Made(left_out(SCALED, 56), ErrorCode.MissingExtension),
    "no pause": Made(left_out(PAUSABLE, 33), ErrorCode.MissingExtension),
    "no confidential transfers": Made(left_out(CONFIDENTIAL, 65), ErrorCode.MissingExtension),
    "no hook": Made(left_out(HOOK, 64), ErrorCode.MissingExtension),
    "a close authority": Made(added(bytes([25, 1]) + STRANGER, 32), ErrorCode.CloseAuthorityForbidden),
    "a group pointer": Made(added(bytes([40, 0]) + STRANGER + STRANGER, 64), ErrorCode.ForbiddenExtension),
    "a group member pointer": Made(added(bytes([41, 0]) + STRANGER + STRANGER, 64), ErrorCode.ForbiddenExtension),
    "confidential mint and burn": Made(added(bytes([42, 0]) + bytes(32 + 36), 196), ErrorCode.ForbiddenExtension),
    "burns by permission": Made(added(bytes([46, 0]) + STRANGER, 32), ErrorCode.ForbiddenExtension),
}
