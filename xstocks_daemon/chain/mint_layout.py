"""Token-2022 accounts: reading mints and token accounts strictly, and the instructions that make a mint of a profile.

Layouts: spl-token-2022-interface `state.rs`, `extension/mod.rs` (type-length-value from byte 166 on) and the packed
structs of each extension; instruction bytes: its `instruction.rs` and the `instruction.rs` of each extension.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from solders.instruction import AccountMeta, Instruction
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import ACCOUNT_LEN, MINT_LEN, TOKEN_2022_PROGRAM_ID

from xstocks_daemon.chain.addresses import TOKEN_2022, base58, pubkey
from xstocks_daemon.chain.errors import ArgumentError, MalformedAccount
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.domain.snapshot import MintAccount
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address, UnitError, multiplier_fraction

DECIMALS = 8
"""Of a new mint where nothing else is asked for, as all real xStocks have; an asset has those of its mint."""
MAX_DECIMALS = 9
"""The most that a mint may have (design, section 4.7)."""


class Extension(IntEnum):
    """Token-2022 extension types that occur in the profiles, and the one of accounts that cannot change hands."""

    CONFIDENTIAL_TRANSFER_MINT = 4
    DEFAULT_ACCOUNT_STATE = 6
    IMMUTABLE_OWNER = 7
    PERMANENT_DELEGATE = 12
    TRANSFER_HOOK = 14
    METADATA_POINTER = 18
    TOKEN_METADATA = 19
    SCALED_UI_AMOUNT = 25
    PAUSABLE = 26


_VALUE_BYTES = {
    Extension.CONFIDENTIAL_TRANSFER_MINT: 65,
    Extension.DEFAULT_ACCOUNT_STATE: 1,
    Extension.PERMANENT_DELEGATE: 32,
    Extension.TRANSFER_HOOK: 64,
    Extension.METADATA_POINTER: 64,
    Extension.SCALED_UI_AMOUNT: 56,
    Extension.PAUSABLE: 33,
}

_ALL_EXTENSIONS = (
    Extension.PAUSABLE,
    Extension.METADATA_POINTER,
    Extension.PERMANENT_DELEGATE,
    Extension.DEFAULT_ACCOUNT_STATE,
    Extension.SCALED_UI_AMOUNT,
    Extension.CONFIDENTIAL_TRANSFER_MINT,
    Extension.TRANSFER_HOOK,
)
PROFILE_EXTENSIONS: Mapping[Profile, tuple[Extension, ...]] = {
    Profile.XSTOCKS: _ALL_EXTENSIONS,
    Profile.OPEN: (Extension.METADATA_POINTER, Extension.SCALED_UI_AMOUNT),
    Profile.PERMISSIONED: _ALL_EXTENSIONS,
}
"""What a client initialises, in the order of the real mints, but Pausable first: Token-2022 looks for it from the
front in every transfer, mint and burn (decision 19). TokenMetadata comes last, by register_asset."""

_DECIMALS_OFFSET = 44
_INITIALIZED_OFFSET = 45
_ACCOUNT_TYPE_OFFSET = ACCOUNT_LEN
_TLV_OFFSET = ACCOUNT_LEN + 1
_TLV_HEADER_BYTES = 4
_TYPE_MINT = 1
_TYPE_ACCOUNT = 2
_STATE_INITIALIZED = 1
_STATE_FROZEN = 2

# Instruction numbers of TokenInstruction; most extensions have a second number, 0 for Initialize.
_INITIALIZE_MINT2 = 20
_CONFIDENTIAL_TRANSFER = 27
_DEFAULT_ACCOUNT_STATE = 28
_INITIALIZE_PERMANENT_DELEGATE = 35
_TRANSFER_HOOK = 36
_METADATA_POINTER = 39
_SCALED_UI_AMOUNT = 43
_PAUSABLE = 44
_INITIALIZE = 0


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A Token-2022 token account, as far as it is used: whose it is and whether it stays that, how much it holds,
    whether it is frozen."""

    mint: Address
    owner: Address
    amount_raw: int
    frozen: bool
    immutable_owner: bool


def _fail(address: Address, what: str) -> MalformedAccount:
    return MalformedAccount(f"{base58(address)}: {what}")


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def extensions(address: Address, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The TLV entries of an extended mint or account as (type, value). MalformedAccount where a header or value is
    cut off, a type comes twice, or anything but zeros follows the end mark."""
    offset, seen = _TLV_OFFSET, set[int]()
    while offset < len(data):
        kind = int.from_bytes(data[offset : offset + 2], "little")
        if kind == 0:
            if any(data[offset:]):
                raise _fail(address, f"bytes after the end of its extensions at {offset}")
            return
        if offset + _TLV_HEADER_BYTES > len(data):
            raise _fail(address, f"extension header cut off at {offset}")
        length = int.from_bytes(data[offset + 2 : offset + 4], "little")
        start = offset + _TLV_HEADER_BYTES
        if start + length > len(data):
            raise _fail(address, f"extension {kind} at {offset} says {length} bytes, {len(data) - start} are there")
        if kind in seen:
            raise _fail(address, f"extension {kind} comes twice")
        seen.add(kind)
        yield kind, data[start : start + length]
        offset = start + length


def read_mint(address: Address, data: bytes, owner: Address = TOKEN_2022) -> MintAccount:
    """Decode an xStocks mint. MalformedAccount names the place and the fault; extensions that the daemon does not use
    are passed over (register_asset has checked them)."""
    if owner != TOKEN_2022:
        raise _fail(address, f"owned by {base58(owner)}, not by Token-2022: it is no mint of this program")
    if len(data) <= _TLV_OFFSET or len(data) == 355:  # 355: a multisig, which Token-2022 tells apart by its length
        raise _fail(address, f"{len(data)} bytes are no mint with extensions")
    if data[_ACCOUNT_TYPE_OFFSET] != _TYPE_MINT:
        raise _fail(address, f"account type {data[_ACCOUNT_TYPE_OFFSET]} at {_ACCOUNT_TYPE_OFFSET}, a mint has 1")
    if any(data[MINT_LEN:_ACCOUNT_TYPE_OFFSET]):
        raise _fail(address, f"bytes {MINT_LEN} to {_ACCOUNT_TYPE_OFFSET - 1} are not zero")
    for place, name in ((0, "mint authority"), (46, "freeze authority")):
        if int.from_bytes(data[place : place + 4], "little") > 1:
            raise _fail(address, f"the {name}'s tag at {place} is neither 0 nor 1")
    if data[45] != 1:
        raise _fail(address, "the mint is not initialized")
    found = dict(extensions(address, data))
    for kind, size in _VALUE_BYTES.items():
        if kind in found and len(found[kind]) != size:
            raise _fail(address, f"extension {kind.name} has {len(found[kind])} bytes instead of {size}")
    scaled = found.get(Extension.SCALED_UI_AMOUNT)
    metadata = found.get(Extension.TOKEN_METADATA)
    if scaled is None or metadata is None:
        missing = Extension.SCALED_UI_AMOUNT if scaled is None else Extension.TOKEN_METADATA
        raise _fail(address, f"extension {missing.name} is missing")
    multiplier_bits, effective_ts, new_multiplier_bits = (
        _u64(scaled, 32),
        int.from_bytes(scaled[40:48], "little", signed=True),
        _u64(scaled, 48),
    )
    for bits in (multiplier_bits, new_multiplier_bits):
        try:
            multiplier_fraction(bits)
        except UnitError as error:
            raise _fail(address, str(error)) from None
    pausable = found.get(Extension.PAUSABLE)
    if pausable is not None and pausable[32] > 1:
        raise _fail(address, f"its pause flag is {pausable[32]}, neither 0 nor 1")
    name, symbol = _names(address, metadata)
    return MintAccount(
        supply_raw=_u64(data, 36),
        decimals=data[_DECIMALS_OFFSET],
        multiplier_bits=multiplier_bits,
        new_multiplier_bits=new_multiplier_bits,
        new_multiplier_effective_ts=effective_ts,
        paused=pausable is not None and pausable[32] == 1,
        symbol=symbol,
        name=name,
    )


def read_decimals(address: Address, data: bytes, owner: Address = TOKEN_2022) -> int:
    """The decimals of a Token-2022 mint, whatever extensions it has or lacks. MalformedAccount where it is none."""
    if owner != TOKEN_2022 or len(data) < MINT_LEN or not data[_INITIALIZED_OFFSET]:
        raise _fail(address, "no initialized mint of Token-2022")
    return data[_DECIMALS_OFFSET]


def _names(mint: Address, metadata: bytes) -> tuple[str, str]:
    """Name and symbol of a TokenMetadata value (spl-token-metadata-interface `state.rs`), parsed to its last byte."""
    if metadata[32:64] != mint:
        raise _fail(mint, "its metadata is of another mint")
    offset = 64

    def text(what: str) -> str:
        nonlocal offset
        length = count(what)
        raw = metadata[offset : offset + length]
        if len(raw) != length:
            raise _fail(mint, f"metadata: {what} is cut off")
        offset += length
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise _fail(mint, f"metadata: {what} is not UTF-8") from None

    def count(what: str) -> int:
        nonlocal offset
        raw = metadata[offset : offset + 4]
        if len(raw) != 4:
            raise _fail(mint, f"metadata: the length of {what} is cut off")
        offset += 4
        return int.from_bytes(raw, "little")

    name, symbol = text("name"), text("symbol")
    text("uri")
    for _ in range(count("additional metadata")):
        text("a key of the additional metadata")
        text("a value of the additional metadata")
    if offset != len(metadata):
        raise _fail(mint, f"metadata: {len(metadata) - offset} bytes too many")
    return name, symbol


def read_token_account(address: Address, data: bytes, owner: Address = TOKEN_2022) -> TokenAccount:
    """Decode a Token-2022 token account. MalformedAccount where it is none."""
    if owner != TOKEN_2022:
        raise _fail(address, f"owned by {base58(owner)}, not by Token-2022: it is no token account of this program")
    if len(data) < ACCOUNT_LEN or len(data) == _TLV_OFFSET or len(data) == 355:
        raise _fail(address, f"{len(data)} bytes are no token account")
    if len(data) > ACCOUNT_LEN and data[_ACCOUNT_TYPE_OFFSET] != _TYPE_ACCOUNT:
        raise _fail(address, f"account type {data[_ACCOUNT_TYPE_OFFSET]}, a token account has 2")
    found = dict(extensions(address, data))
    state = data[108]
    if state not in (_STATE_INITIALIZED, _STATE_FROZEN):
        raise _fail(address, f"token account state {state}: it is not initialized")
    return TokenAccount(
        mint=Address(data[0:32]),
        owner=Address(data[32:64]),
        amount_raw=_u64(data, 64),
        frozen=state == _STATE_FROZEN,
        immutable_owner=Extension.IMMUTABLE_OWNER in found,
    )


def freezes_new_accounts(address: Address, data: bytes) -> bool:
    """Whether accounts of a mint with extensions are frozen when they are made, as in the permissioned profile."""
    return dict(extensions(address, data)).get(Extension.DEFAULT_ACCOUNT_STATE) == bytes([_STATE_FROZEN])


def mint_bytes_without_metadata(profile: Profile = Profile.XSTOCKS) -> int:
    """The size to create the account with: Token-2022 refuses a mint with room to spare, and grows it for metadata."""
    return _TLV_OFFSET + sum(_TLV_HEADER_BYTES + _VALUE_BYTES[each] for each in PROFILE_EXTENSIONS[profile])


def mint_bytes_with_metadata(
    *,
    name: str,
    symbol: str,
    uri: str,
    additional_metadata: Sequence[tuple[str, str]],
    profile: Profile = Profile.XSTOCKS,
) -> int:
    """The size after register_asset wrote the metadata: rent must be paid for this one."""
    texts = [name, symbol, uri, *(text for pair in additional_metadata for text in pair)]
    metadata = 64 + 4 + sum(4 + len(text.encode()) for text in texts)
    return mint_bytes_without_metadata(profile) + _TLV_HEADER_BYTES + metadata


def create_mint_instructions(
    *,
    payer: Address,
    mint: Address,
    asset: Address,
    multiplier_bits: int,
    rent_lamports: int,
    profile: Profile = Profile.XSTOCKS,
    decimals: int = DECIMALS,
) -> list[Instruction]:
    """A new mint with every authority the Asset account, as register_asset wants it (design, section 4.7).

    `rent_lamports` is the rent of `mint_bytes_with_metadata(...)` bytes. Payer and mint sign.
    """
    try:
        multiplier_fraction(multiplier_bits)
    except UnitError as error:
        raise ArgumentError(str(error)) from None
    account_state = _STATE_FROZEN if profile is Profile.PERMISSIONED else _STATE_INITIALIZED
    initializers = {
        Extension.METADATA_POINTER: bytes([_METADATA_POINTER, _INITIALIZE]) + asset + mint,
        Extension.PERMANENT_DELEGATE: bytes([_INITIALIZE_PERMANENT_DELEGATE]) + asset,
        Extension.DEFAULT_ACCOUNT_STATE: bytes([_DEFAULT_ACCOUNT_STATE, _INITIALIZE, account_state]),
        Extension.SCALED_UI_AMOUNT: bytes([_SCALED_UI_AMOUNT, _INITIALIZE])
        + asset
        + multiplier_bits.to_bytes(8, "little"),
        Extension.PAUSABLE: bytes([_PAUSABLE, _INITIALIZE]) + asset,
        # No automatic approval of accounts (0), no auditor (zeros).
        Extension.CONFIDENTIAL_TRANSFER_MINT: bytes([_CONFIDENTIAL_TRANSFER, _INITIALIZE]) + asset + bytes(1 + 32),
        Extension.TRANSFER_HOOK: bytes([_TRANSFER_HOOK, _INITIALIZE]) + asset + ZERO_ADDRESS,
    }
    freeze = b"\0" if profile is Profile.OPEN else b"\1" + asset
    data = [initializers[each] for each in PROFILE_EXTENSIONS[profile]]
    data.append(bytes([_INITIALIZE_MINT2, decimals]) + asset + freeze)
    account = AccountMeta(pubkey(mint), is_signer=False, is_writable=True)
    return [
        create_account(
            CreateAccountParams(
                from_pubkey=pubkey(payer),
                to_pubkey=pubkey(mint),
                lamports=rent_lamports,
                space=mint_bytes_without_metadata(profile),
                owner=TOKEN_2022_PROGRAM_ID,
            )
        ),
        *(Instruction(TOKEN_2022_PROGRAM_ID, each, [account]) for each in data),
    ]
