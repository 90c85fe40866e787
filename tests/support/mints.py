"""Mints in other people's hands: live ones to be adopted, real ones of mainnet, and every way to spoil one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.system_program import CreateAccountParams, create_account

from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.initialized import NAMES, ROOMY
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import TOKEN_2022, associated_token_address, parse_address, pubkey
from xstocks_daemon.chain.authorities import handover_instructions, read_authorities, set_authority
from xstocks_daemon.chain.mint_layout import DECIMALS, Extension, read_mint
from xstocks_daemon.chain.program import Adoption, Authorities, Profile
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.snapshot import Policy
from xstocks_daemon.domain.units import NANO_PER_SHARE, ZERO_ADDRESS, Address, multiplier_fraction

_CATALOGUE = Path(__file__).parents[2] / "localnet" / "catalogue" / "mint_accounts.json"
CAPTURES: list[dict[str, Any]] = json.loads(_CATALOGUE.read_text(encoding="utf-8"))["mint_accounts"]
"""Account bytes of real xStocks mints as they stood on mainnet; localnet/catalogue/README.md names the sources."""

# Token-2022 mint: authority option 0, supply 36, decimals 44, initialized 45, freeze option 46, account type 165, TLV.
SUPPLY_AT, DECIMALS_AT, INITIALIZED_AT, FREEZE_AT, ACCOUNT_TYPE_AT, TLV_AT = 36, 44, 45, 46, 165, 166
# Within the value of ScaledUiAmount.
EFFECTIVE_TS, NEW_MULTIPLIER = 40, 48
_THAW, _MINT_TO_CHECKED, _INITIALIZE_MINT2, _INITIALIZE_CLOSE = 11, 14, 20, 25
_INITIALIZE_METADATA = hashlib.sha256(b"spl_token_metadata_interface:initialize_account").digest()[:8]


def token_instruction(data: bytes, *writable: Address, signer: Address | None = None) -> Instruction:
    """An instruction of Token-2022 over writable accounts, and behind them one that signs."""
    metas = [AccountMeta(pubkey(each), is_signer=False, is_writable=True) for each in writable]
    if signer is not None:
        metas.append(AccountMeta(pubkey(signer), is_signer=True, is_writable=False))
    return Instruction(pubkey(TOKEN_2022), data, metas)


def with_space(instructions: list[Instruction], extra_bytes: int) -> list[Instruction]:
    """The same creation with another size of the account."""
    create, *rest = instructions
    payer, mint = (meta.pubkey for meta in create.accounts)
    data = bytes(create.data)
    lamports, size = int.from_bytes(data[4:12], "little"), int.from_bytes(data[12:20], "little")
    bigger = create_account(
        CreateAccountParams(
            from_pubkey=payer,
            to_pubkey=mint,
            lamports=lamports + 10**7,
            space=size + extra_bytes,
            owner=pubkey(TOKEN_2022),
        )
    )
    return [bigger, *rest]


# ---- live mints ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiveMint:
    """A mint in use that others control, with the keys of its holders."""

    program: DeployedProgram
    mint: Address
    profile: Profile
    keys: Mapping[Address, Keypair]

    @property
    def asset_address(self) -> Address:
        """Where the Asset account will be."""
        return self.program.addresses.asset(self.mint)

    def begin(self, profile: Profile | None = None) -> Call:
        """begin_adopt by the admin."""
        admin = self.program.keys.admin
        profile = self.profile if profile is None else profile
        instruction = self.program.client.begin_adopt(admin=admin.address, mint=self.mint, profile=profile)
        return call(instruction, admin.keypair)

    def finish(self, policy: Policy = ROOMY) -> Call:
        """finish_adopt by the admin."""
        admin = self.program.keys.admin
        instruction = self.program.client.finish_adopt(admin=admin.address, mint=self.mint, policy=policy)
        return call(instruction, admin.keypair)

    def abort(self) -> Call:
        """abort_adopt by the admin."""
        admin = self.program.keys.admin
        return call(self.program.client.abort_adopt(admin=admin.address, mint=self.mint), admin.keypair)

    async def info(self) -> AccountInfo:
        """The mint account."""
        return await self.program.chain.account(self.mint)

    async def holders(self) -> Authorities:
        """Who holds its authorities now."""
        info = await self.info()
        return read_authorities(self.mint, info.data, info.owner)

    async def adoption(self) -> Adoption:
        """The Adoption account."""
        address = self.program.addresses.adoption(self.mint)
        info = await self.program.chain.account(address)
        return self.program.client.adoption(address, info.data, info.owner)

    async def asset(self) -> Asset:
        """The asset that it became, or will become."""
        info = await self.info()
        mint = read_mint(self.mint, info.data, info.owner)
        bits = mint.effective_multiplier_bits(await self.program.chain.clock_ts())
        return Asset(self.program, self.mint, bits, mint.decimals)

    async def hand_over(self, *, but: Iterable[str] = ()) -> None:
        """Every recorded holder signs its hand-over; authorities named in `but` stay where they are."""
        kept = dict.fromkeys(but, ZERO_ADDRESS)
        holders = Authorities(**asdict((await self.adoption()).holders) | kept)
        signed = handover_instructions(self.mint, holders, self.asset_address, self.profile)
        for holder, instructions in signed.items():
            await self.program.chain.accepted(call(instructions, self.keys[holder]))

    async def give(self, name: str, new: Address) -> None:
        """The present holder of one authority gives it to `new`; zeros: to nobody."""
        holder = asdict(await self.holders())[name]
        await self.program.chain.accepted(call(set_authority(self.mint, name, holder, new), self.keys[holder]))

    async def adopt(self, policy: Policy = ROOMY) -> Asset:
        """Adopt the mint: begin, hand over by its holders, finish."""
        await self.program.accepted(self.begin())
        await self.hand_over()
        await self.program.accepted(self.finish(policy))
        return await self.asset()


async def live_mint(
    program: DeployedProgram,
    *,
    profile: Profile = Profile.XSTOCKS,
    supply_raw: int = 10_000,
    wallet: Keypair | None = None,
    mint_key: Keypair | None = None,
    holders: tuple[Keypair, Keypair, Keypair] | None = None,
    freezable: bool = False,
    close_authority: Address | None = None,
    decimals: int = DECIMALS,
) -> LiveMint:
    """A live mint made by Token-2022's own instructions, its supply in the account of `wallet`.

    Its three `holders` have: the mint authority; freeze and pause; everything else. An open mint has a freeze authority
    where it is `freezable`; a mint that may be closed has one extension more.
    """
    minter, guard, other = holders or (Keypair(), Keypair(), Keypair())
    wallet = wallet or Keypair()
    owner, admin = address_of(other), program.keys.admin
    fresh = await program.mint_to_register(key=mint_key, profile=profile, authority=owner, decimals=decimals)
    chain, mint = program.chain, fresh.mint
    create = list(fresh.create)
    if freezable:
        create[-1] = token_instruction(bytes([_INITIALIZE_MINT2, decimals]) + owner + b"\1" + owner, mint)
    if close_authority is not None:
        create = [*with_space(create, 36)]
        create.insert(-1, token_instruction(bytes([_INITIALIZE_CLOSE, 1]) + close_authority, mint))
    await chain.accepted(call(create, admin.keypair, fresh.key))
    account = associated_token_address(address_of(wallet), mint)
    metadata = token_instruction(metadata_data(), mint, owner, mint, signer=owner)
    issue = [metadata, create_token_account(admin.address, address_of(wallet), mint)]
    if profile is Profile.PERMISSIONED:
        issue.append(token_instruction(bytes([_THAW]), account, mint, signer=owner))
    if supply_raw:
        amount = bytes([_MINT_TO_CHECKED]) + supply_raw.to_bytes(8, "little") + bytes([decimals])
        issue.append(token_instruction(amount, mint, account, signer=owner))
    new = {"mint": minter, "freeze": guard, "pausable": guard}
    held = asdict(read_authorities(mint, (await chain.account(mint)).data))
    moves = [
        set_authority(mint, name, owner, address_of(key)) for name, key in new.items() if held[name] != ZERO_ADDRESS
    ]
    await chain.accepted(call((*issue, *moves), admin.keypair, other))
    return LiveMint(program, mint, profile, {address_of(key): key for key in (minter, guard, other)})


def metadata_data() -> bytes:
    """Token metadata interface: Initialize, with the names of the tests."""
    texts = (text.encode() for text in (NAMES["name"], NAMES["symbol"], NAMES["uri"]))
    return _INITIALIZE_METADATA + b"".join(len(text).to_bytes(4, "little") + text for text in texts)


async def load_capture(program: DeployedProgram, row: Mapping[str, Any], *, mint: Address | None = None) -> LiveMint:
    """Embedded chain only: a real mint byte for byte at its own address, every authority's key replaced by one of ours.

    `mint` puts it at another address, which then stands in its bytes too.
    """
    data, own = base64.b64decode(row["data_base64"]), parse_address(row["mint"])
    keys: dict[Address, Keypair] = {}
    for holder in set(asdict(read_authorities(own, data)).values()) - {ZERO_ADDRESS}:
        key = Keypair()
        keys[address_of(key)] = key
        data = data.replace(holder, address_of(key))
    if mint is not None:
        data = data.replace(own, mint)
    lamports = row.get("lamports") or await program.chain.rpc.rent_exempt_lamports(len(data))
    live = LiveMint(program, mint or own, Profile.XSTOCKS, keys)
    await program.chain.set_account(live.mint, AccountInfo(TOKEN_2022, data, lamports, executable=False))
    return live


def shares_for(supply_raw: int, multiplier_bits: int) -> int:
    """The fewest shares (billionths) that back a supply."""
    exact = Fraction(supply_raw * NANO_PER_SHARE, 10**DECIMALS) * multiplier_fraction(multiplier_bits)
    return -(-exact.numerator // exact.denominator)


# ---- spoilt bytes ----------------------------------------------------------------------------------------------------

Edit = Callable[[bytes, int], bytes]
"""A mint's bytes spoilt; the second argument is the clock."""


def value_at(data: bytes, extension: int) -> int:
    """Where the value of an extension starts."""
    offset = TLV_AT
    while (kind := int.from_bytes(data[offset : offset + 2], "little")) != extension:
        offset += 4 + int.from_bytes(data[offset + 2 : offset + 4], "little")
    assert kind == extension
    return offset + 4


def appended(kind: int, value: bytes) -> Edit:
    """One more extension behind the others."""
    return lambda data, _now: data + kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value


def within(extension: int, at: int, content: bytes) -> Edit:
    """Other content at a place of an extension's value."""
    return lambda data, _now: patched(data, value_at(data, extension) + at, content)


def length_of(extension: int, length: int) -> Edit:
    """Another length in an extension's header."""
    return lambda data, _now: patched(data, value_at(data, extension) - 2, length.to_bytes(2, "little"))


def pending(from_now_secs: int) -> Edit:
    """A multiplier change that takes effect so long after the clock."""

    def edit(data: bytes, now: int) -> bytes:
        at = value_at(data, Extension.SCALED_UI_AMOUNT) + EFFECTIVE_TS
        return patched(data, at, (now + from_now_secs).to_bytes(8, "little"))

    return edit


_BAD_MULTIPLIERS = {
    "zero": 0,
    "NaN": 0x7FF8 << 48,
    "infinite": 0x7FF0 << 48,
    "subnormal": 1,
    "negative": 0xBFF0 << 48,
}

FORBIDDEN = {
    "transfer fees": (1, 108),
    "an account's withheld fees": (2, 8),
    "an account's confidential balance": (5, 295),
    "an account's immutable owner": (7, 0),
    "an account's required memo": (8, 1),
    "no transfers at all": (9, 0),
    "interest": (10, 52),
    "an account's CPI guard": (11, 1),
    "an account of no transfers": (13, 0),
    "an account's hook": (15, 1),
    "confidential fees": (16, 129),
    "an account's confidential fees": (17, 64),
    "a group pointer": (20, 64),
    "a group": (21, 80),
    "a group member pointer": (22, 64),
    "a group member": (23, 72),
    "confidential mint and burn": (24, 196),
    "an account of a pausable mint": (27, 0),
    "burns by permission": (28, 32),
    "the first unknown type": (29, 0),
    "a type that looks like another modulo 32": (32 + Extension.PAUSABLE, 33),
    "the last type": (0xFFFF, 0),
}
"""Extension types (spl-token-2022-interface `ExtensionType`) that no profile has, with their sizes: with a mint's close
authority (3) and the profile's own all there are. Token-2022 itself makes some of them only in other combinations."""

SPOILT: dict[str, tuple[Edit, ErrorCode]] = {
    "not initialised": (lambda data, _now: patched(data, INITIALIZED_AT, b"\0"), ErrorCode.MintNotInitialized),
    "10 decimals": (lambda data, _now: patched(data, DECIMALS_AT, b"\x0a"), ErrorCode.WrongDecimals),
    "a mint authority of an unknown tag": (lambda data, _now: patched(data, 0, b"\2"), ErrorCode.MintMalformed),
    "a freeze authority of an unknown tag": (
        lambda data, _now: patched(data, FREEZE_AT, b"\2"),
        ErrorCode.MintMalformed,
    ),
    "a token account": (lambda data, _now: patched(data, ACCOUNT_TYPE_AT, b"\2"), ErrorCode.MintMalformed),
    "no extensions at all": (lambda data, _now: data[:82], ErrorCode.MissingExtension),
    "cut within the mint": (lambda data, _now: data[:81], ErrorCode.MintNotInitialized),
    "cut within a value": (lambda data, _now: data[:-1], ErrorCode.MintMalformed),
    "cut within a header": (lambda data, _now: data + b"\x13\0\1", ErrorCode.MintMalformed),
    "a length beyond the end": (length_of(Extension.TRANSFER_HOOK, 0xFFFF), ErrorCode.MintMalformed),
    "a shorter known extension": (length_of(Extension.TRANSFER_HOOK, 60), ErrorCode.MintMalformed),
    "an extension twice": (appended(Extension.PERMANENT_DELEGATE, bytes(32)), ErrorCode.DuplicateExtension),
    "room to spare": (lambda data, _now: data + bytes(4), ErrorCode.MintMalformed),
    "a close authority": (appended(3, bytes(32)), ErrorCode.CloseAuthorityForbidden),
    **{name: (appended(kind, bytes(size)), ErrorCode.ForbiddenExtension) for name, (kind, size) in FORBIDDEN.items()},
    "metadata somewhere else": (within(Extension.METADATA_POINTER, 32, bytes([9])), ErrorCode.MetadataPointerInvalid),
    "accounts frozen by default": (
        within(Extension.DEFAULT_ACCOUNT_STATE, 0, b"\2"),
        ErrorCode.DefaultAccountStateInvalid,
    ),
    "paused": (within(Extension.PAUSABLE, 32, b"\1"), ErrorCode.MintPaused),
    "confidential accounts approved by themselves": (
        within(Extension.CONFIDENTIAL_TRANSFER_MINT, 32, b"\1"),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "an auditor": (
        within(Extension.CONFIDENTIAL_TRANSFER_MINT, 33, b"\1"),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "a hook program": (within(Extension.TRANSFER_HOOK, 32, b"\1"), ErrorCode.TransferHookInvalid),
    "a multiplier change pending": (pending(1_000), ErrorCode.MultiplierPending),
    **{
        f"multiplier {name}": (
            within(Extension.SCALED_UI_AMOUNT, NEW_MULTIPLIER, bits.to_bytes(8, "little")),
            ErrorCode.MultiplierInvalid,
        )
        for name, bits in _BAD_MULTIPLIERS.items()
    },
}
"""What neither a new mint nor one in use may be, as bytes that some instruction of Token-2022 or none would write."""
