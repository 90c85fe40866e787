"""jsonParsed form of instructions, as Agave's transaction decoder gives it.

Known: System, Token and Token-2022 (the instructions of Token), Associated Token Account, Memo, Address Lookup
Table. Any other instruction gives None, and the caller shows it partially decoded (accounts and data), which a
validator does for programs that it does not know.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses
from localnet.embedded_chain.parsed_token_extensions import parse_extension_instruction
from localnet.embedded_chain.ui_amount import MintDisplay, ui_token_amount

Json = dict[str, Any]
_Keys = Sequence[Pubkey]


def parse_instruction(program: Pubkey, data: bytes, keys: _Keys) -> Json | None:
    """`program` and `parsed`, or None where it is not known. `keys` are the instruction's accounts."""
    known = _PROGRAMS.get(program)
    if known is None:
        return None
    name, parse = known
    try:
        parsed = parse(data, keys)
    except (IndexError, struct.error, ValueError):
        # Too few accounts or bytes: not an instruction of this program, or one that it refuses.
        return None
    return None if parsed is None else {"parsed": parsed, "program": name}


def _typed(kind: str, info: Json) -> Json:
    return {"info": info, "type": kind}


def _key(data: bytes, offset: int) -> str:
    raw = data[offset : offset + 32]
    if len(raw) != 32:
        raise ValueError("key cut off")
    return str(Pubkey(raw))


def _named(keys: _Keys, *names: str) -> Json:
    return {name: str(keys[index]) for index, name in enumerate(names)}


def _u64(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<Q", data, offset)[0])


# System: bincode, u32 tag


def _system(data: bytes, keys: _Keys) -> Json | None:
    (tag,) = struct.unpack_from("<I", data)
    if tag == 0:
        info = {**_named(keys, "source", "newAccount"), "lamports": _u64(data, 4), "space": _u64(data, 12)}
        return _typed("createAccount", {**info, "owner": _key(data, 20)})
    if tag == 1:
        return _typed("assign", {**_named(keys, "account"), "owner": _key(data, 4)})
    if tag == 2:
        return _typed("transfer", {**_named(keys, "source", "destination"), "lamports": _u64(data, 4)})
    if tag == 3:
        seed_bytes = _u64(data, 36)
        end = 44 + seed_bytes
        info = {
            **_named(keys, "source", "newAccount"),
            "base": _key(data, 4),
            "seed": data[44:end].decode(),
            "lamports": _u64(data, end),
            "space": _u64(data, end + 8),
            "owner": _key(data, end + 16),
        }
        return _typed("createAccountWithSeed", info)
    if tag == 4:
        return _typed("advanceNonce", _named(keys, "nonceAccount", "recentBlockhashesSysvar", "nonceAuthority"))
    if tag == 5:
        names = ("nonceAccount", "destination", "recentBlockhashesSysvar", "rentSysvar", "nonceAuthority")
        return _typed("withdrawFromNonce", {**_named(keys, *names), "lamports": _u64(data, 4)})
    if tag == 6:
        info = _named(keys, "nonceAccount", "recentBlockhashesSysvar", "rentSysvar")
        return _typed("initializeNonce", {**info, "nonceAuthority": _key(data, 4)})
    if tag == 7:
        info = {**_named(keys, "nonceAccount", "nonceAuthority"), "newAuthorized": _key(data, 4)}
        return _typed("authorizeNonce", info)
    if tag == 8:
        return _typed("allocate", {**_named(keys, "account"), "space": _u64(data, 4)})
    return None


# Token and Token-2022: u8 tag


def _signed(keys: _Keys, names: Sequence[str], owner: str, multisig: str) -> Json:
    """The accounts `names`, then the owner; more accounts after it are the signers of a multisig owner."""
    info = _named(keys, *names)
    at = len(names)
    if len(keys) > at + 1:
        info[multisig] = str(keys[at])
        info["signers"] = [str(key) for key in keys[at + 1 :]]
    else:
        info[owner] = str(keys[at])
    return info


_AUTHORITY_TYPES: Final = (
    "mintTokens",
    "freezeAccount",
    "accountOwner",
    "closeAccount",
    "transferFeeConfig",
    "withheldWithdraw",
    "closeMint",
    "interestRate",
    "permanentDelegate",
    "confidentialTransferMint",
    "transferHookProgramId",
    "confidentialTransferFeeConfig",
    "metadataPointer",
    "groupPointer",
    "groupMemberPointer",
    "scaledUiAmount",
    "pause",
)

# tag: (type, accounts before the owner, owner's name, multisig owner's name, kind of amount)
_TOKEN_SIGNED: Final = {
    3: ("transfer", ("source", "destination"), "authority", "multisigAuthority", "amount"),
    4: ("approve", ("source", "delegate"), "owner", "multisigOwner", "amount"),
    5: ("revoke", ("source",), "owner", "multisigOwner", None),
    7: ("mintTo", ("mint", "account"), "mintAuthority", "multisigMintAuthority", "amount"),
    8: ("burn", ("account", "mint"), "authority", "multisigAuthority", "amount"),
    9: ("closeAccount", ("account", "destination"), "owner", "multisigOwner", None),
    10: ("freezeAccount", ("account", "mint"), "freezeAuthority", "multisigFreezeAuthority", None),
    11: ("thawAccount", ("account", "mint"), "freezeAuthority", "multisigFreezeAuthority", None),
    12: ("transferChecked", ("source", "mint", "destination"), "authority", "multisigAuthority", "checked"),
    13: ("approveChecked", ("source", "mint", "delegate"), "owner", "multisigOwner", "checked"),
    14: ("mintToChecked", ("mint", "account"), "mintAuthority", "multisigMintAuthority", "checked"),
    15: ("burnChecked", ("account", "mint"), "authority", "multisigAuthority", "checked"),
}


def _token(data: bytes, keys: _Keys) -> Json | None:
    tag = data[0]
    signed = _TOKEN_SIGNED.get(tag)
    if signed is not None:
        kind, names, owner, multisig, amount = signed
        info = _signed(keys, names, owner, multisig)
        if amount == "amount":
            info["amount"] = str(_u64(data, 1))
        elif amount == "checked":
            info["tokenAmount"] = ui_token_amount(_u64(data, 1), MintDisplay(data[9]))
        return _typed(kind, info)
    if tag in (0, 20):
        info = {**_named(keys, "mint"), "decimals": data[1], "mintAuthority": _key(data, 2)}
        if data[34]:
            info["freezeAuthority"] = _key(data, 35)
        if tag == 0:
            info["rentSysvar"] = str(keys[1])
        return _typed("initializeMint" if tag == 0 else "initializeMint2", info)
    if tag == 1:
        return _typed("initializeAccount", _named(keys, "account", "mint", "owner", "rentSysvar"))
    if tag == 16:
        info = {**_named(keys, "account", "mint"), "owner": _key(data, 1), "rentSysvar": str(keys[2])}
        return _typed("initializeAccount2", info)
    if tag == 18:
        return _typed("initializeAccount3", {**_named(keys, "account", "mint"), "owner": _key(data, 1)})
    if tag == 6:
        return _set_authority(data, keys)
    if tag == 17:
        return _typed("syncNative", _named(keys, "account"))
    if tag == 21:
        info = _named(keys, "mint")
        if len(data) > 1:
            kinds = struct.unpack_from(f"<{(len(data) - 1) // 2}H", data, 1)
            info["extensionTypes"] = [_EXTENSION_NAMES[kind] for kind in kinds]
        return _typed("getAccountDataSize", info)
    if tag == 22:
        return _typed("initializeImmutableOwner", _named(keys, "account"))
    return parse_extension_instruction(data, keys)


def _set_authority(data: bytes, keys: _Keys) -> Json:
    kind = _AUTHORITY_TYPES[data[1]]
    owned = "account" if kind in ("accountOwner", "closeAccount") else "mint"
    info = _signed(keys, (owned,), "authority", "multisigAuthority")
    info["authorityType"] = kind
    info["newAuthority"] = _key(data, 3) if data[2] else None
    return _typed("setAuthority", info)


_EXTENSION_NAMES: Final = (
    "uninitialized",
    "transferFeeConfig",
    "transferFeeAmount",
    "mintCloseAuthority",
    "confidentialTransferMint",
    "confidentialTransferAccount",
    "defaultAccountState",
    "immutableOwner",
    "memoTransfer",
    "nonTransferable",
    "interestBearingConfig",
    "cpiGuard",
    "permanentDelegate",
    "nonTransferableAccount",
    "transferHook",
    "transferHookAccount",
    "confidentialTransferFeeConfig",
    "confidentialTransferFeeAmount",
    "metadataPointer",
    "tokenMetadata",
    "groupPointer",
    "tokenGroup",
    "groupMemberPointer",
    "tokenGroupMember",
    "confidentialMintBurn",
    "scaledUiAmount",
    "pausable",
    "pausableAccount",
)


def _associated_token(data: bytes, keys: _Keys) -> Json | None:
    tag = data[0] if data else 0
    if tag in (0, 1):
        names = ("source", "account", "wallet", "mint", "systemProgram", "tokenProgram")
        return _typed("create" if tag == 0 else "createIdempotent", _named(keys, *names))
    return None


def _memo(data: bytes, _keys: _Keys) -> Any:
    return data.decode()


def _lookup_table(data: bytes, keys: _Keys) -> Json | None:
    (tag,) = struct.unpack_from("<I", data)
    base = ("lookupTableAccount", "lookupTableAuthority")
    if tag == 0:
        info: Json = _named(keys, *base, "payerAccount", "systemProgram")
        return _typed("createLookupTable", {**info, "recentSlot": _u64(data, 4), "bumpSeed": data[12]})
    if tag == 1:
        return _typed("freezeLookupTable", _named(keys, *base))
    if tag == 2:
        info = _named(keys, *base)
        info["newAddresses"] = [_key(data, 12 + 32 * index) for index in range(_u64(data, 4))]
        if len(keys) >= 4:
            info["payerAccount"], info["systemProgram"] = str(keys[2]), str(keys[3])
        return _typed("extendLookupTable", info)
    if tag == 3:
        return _typed("deactivateLookupTable", _named(keys, *base))
    if tag == 4:
        return _typed("closeLookupTable", _named(keys, *base, "recipient"))
    return None


_PROGRAMS: Final[dict[Pubkey, tuple[str, Callable[[bytes, _Keys], Any]]]] = {
    addresses.SYSTEM: ("system", _system),
    addresses.TOKEN: ("spl-token", _token),
    addresses.TOKEN_2022: ("spl-token", _token),
    addresses.ASSOCIATED_TOKEN: ("spl-associated-token-account", _associated_token),
    addresses.MEMO: ("spl-memo", _memo),
    addresses.MEMO_V1: ("spl-memo", _memo),
    addresses.LOOKUP_TABLE: ("address-lookup-table", _lookup_table),
}
