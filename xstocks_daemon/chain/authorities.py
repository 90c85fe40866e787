"""The authorities of a Token-2022 mint: who holds them, and how their holders hand a live mint over (adoption).

Numbers: spl-token-2022-interface `instruction.rs` (SetAuthority, AuthorityType); spl-token-metadata-interface
`instruction.rs` (UpdateAuthority).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

from solders.instruction import AccountMeta, Instruction
from spl.token.constants import TOKEN_2022_PROGRAM_ID

from xstocks_daemon.chain.addresses import TOKEN_2022, base58, pubkey
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.mint_layout import Extension, extensions
from xstocks_daemon.chain.program import Authorities, Profile
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

_SET_AUTHORITY = 6
_UPDATE_METADATA_AUTHORITY = hashlib.sha256(b"spl_token_metadata_interface:update_the_authority").digest()[:8]

#: Extensions whose first 32 bytes are an authority, by the name it has in `Authorities`.
_EXTENSION_OF = {
    "metadata_pointer": Extension.METADATA_POINTER,
    "metadata_update": Extension.TOKEN_METADATA,
    "permanent_delegate": Extension.PERMANENT_DELEGATE,
    "scaled_ui": Extension.SCALED_UI_AMOUNT,
    "pausable": Extension.PAUSABLE,
    "confidential": Extension.CONFIDENTIAL_TRANSFER_MINT,
    "hook": Extension.TRANSFER_HOOK,
}
#: Token-2022's AuthorityType. The metadata's update authority has an instruction of its own.
_AUTHORITY_TYPE = {
    "mint": 0,
    "freeze": 1,
    "permanent_delegate": 8,
    "confidential": 9,
    "hook": 10,
    "metadata_pointer": 12,
    "scaled_ui": 15,
    "pausable": 16,
}


def read_authorities(address: Address, data: bytes, owner: Address = TOKEN_2022) -> Authorities:
    """Who holds each authority of a mint with extensions. MalformedAccount where it is none."""
    if owner != TOKEN_2022 or len(data) < 82:
        raise MalformedAccount(f"{base58(address)}: it is no mint of Token-2022")
    found = {"mint": _optional(address, data[0:36]), "freeze": _optional(address, data[46:82])}
    by_extension = dict(extensions(address, data))
    for name, extension in _EXTENSION_OF.items():
        value = by_extension.get(extension, ZERO_ADDRESS)
        if len(value) < len(ZERO_ADDRESS):
            raise MalformedAccount(f"{base58(address)}: extension {extension.name} is cut off")
        found[name] = Address(value[:32])
    return Authorities(**found)


def _optional(address: Address, option: bytes) -> Address:
    """A COption: zeros where it is None."""
    match int.from_bytes(option[:4], "little"):
        case 0:
            return ZERO_ADDRESS
        case 1:
            return Address(option[4:])
        case tag:
            raise MalformedAccount(f"{base58(address)}: an authority's tag is {tag}, neither 0 nor 1")


def set_authority(mint: Address, name: str, holder: Address, new: Address) -> Instruction:
    """Hand one authority (a field of `Authorities`) from `holder`, who signs, to `new`; zeros: to nobody, for ever."""
    metas = [
        AccountMeta(pubkey(mint), is_signer=False, is_writable=True),
        AccountMeta(pubkey(holder), is_signer=True, is_writable=False),
    ]
    if name == "metadata_update":
        data = _UPDATE_METADATA_AUTHORITY + new
    else:
        option = b"\0" if new == ZERO_ADDRESS else b"\1" + new
        data = bytes([_SET_AUTHORITY, _AUTHORITY_TYPE[name]]) + option
    return Instruction(TOKEN_2022_PROGRAM_ID, data, metas)


def handover_instructions(
    mint: Address, holders: Authorities, asset: Address, profile: Profile = Profile.XSTOCKS
) -> Mapping[Address, list[Instruction]]:
    """What each present holder signs between begin_adopt and finish_adopt, by holder: every authority that somebody
    holds goes to the Asset's address (`ProgramAddresses.asset(mint)`), the freeze authority of an open mint to nobody.

    A holder's instructions fit one transaction. Pass the holders that begin_adopt recorded (`Adoption.holders`), since
    those are whom abort_adopt gives back to.
    """
    signed: dict[Address, list[Instruction]] = {}
    for name, holder in asdict(holders).items():
        if holder in (ZERO_ADDRESS, asset):
            continue
        new = ZERO_ADDRESS if name == "freeze" and profile is Profile.OPEN else asset
        signed.setdefault(holder, []).append(set_authority(mint, name, holder, new))
    return signed
