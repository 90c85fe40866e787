"""jsonParsed form of the Token-2022 instructions that set mint extensions up and move them.

What is not here (confidential transfers among others) is shown partially decoded.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Final

from solders.pubkey import Pubkey

from localnet.embedded_chain.parsed_token import float_text

Json = dict[str, Any]
Keys = Sequence[Pubkey]
#: The instruction's data after its tags, and its accounts.
_Parse = Callable[[bytes, Keys], Json]

_ACCOUNT_STATES: Final = ("uninitialized", "initialized", "frozen")
_METADATA_INITIALIZE: Final = sha256(b"spl_token_metadata_interface:initialize_account").digest()[:8]


def parse_extension_instruction(data: bytes, keys: Keys) -> Json | None:
    """`type` and `info`, or None. Raises IndexError, ValueError or struct.error for what is cut off."""
    if data[:8] == _METADATA_INITIALIZE:
        return {"info": _token_metadata(data[8:], keys), "type": "initializeTokenMetadata"}
    known = _ONE_TAG.get(data[0])
    if known is not None:
        name, parse = known
        return {"info": parse(data[1:], keys), "type": name}
    known = _TWO_TAGS.get((data[0], data[1])) if len(data) > 1 else None
    if known is not None:
        name, parse = known
        return {"info": parse(data[2:], keys), "type": name}
    return None


def _mint(keys: Keys) -> Json:
    return {"mint": str(keys[0])}


def _bytes(data: bytes, offset: int, length: int) -> bytes:
    raw = data[offset : offset + length]
    if len(raw) != length:
        raise ValueError("instruction cut off")
    return raw


def _key(data: bytes, offset: int) -> str:
    return str(Pubkey(_bytes(data, offset, 32)))


def _nonzero(data: bytes, offset: int, name: str) -> Json:
    """A key that is absent when all zeros."""
    raw = _bytes(data, offset, 32)
    return {name: str(Pubkey(raw))} if any(raw) else {}


def _option(data: bytes, offset: int) -> tuple[str | None, int]:
    """An optional key with a tag byte, and where it ends."""
    if data[offset]:
        return _key(data, offset + 1), offset + 33
    return None, offset + 1


def _present(**values: str | None) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _transfer_fee_config(data: bytes, keys: Keys) -> Json:
    config_authority, offset = _option(data, 0)
    withdraw_authority, offset = _option(data, offset)
    bps, maximum_raw = struct.unpack_from("<HQ", data, offset)
    return {
        **_mint(keys),
        **_present(transferFeeConfigAuthority=config_authority, withdrawWithheldAuthority=withdraw_authority),
        "maximumFee": maximum_raw,
        "transferFeeBasisPoints": bps,
    }


def _close_authority(data: bytes, keys: Keys) -> Json:
    return {**_mint(keys), "newAuthority": _option(data, 0)[0]}


def _interest(data: bytes, keys: Keys) -> Json:
    authority = _nonzero(data, 0, "rateAuthority") or {"rateAuthority": None}
    return {**_mint(keys), **authority, "rate": struct.unpack_from("<h", data, 32)[0]}


def _default_state(data: bytes, keys: Keys) -> Json:
    return {**_mint(keys), "accountState": _ACCOUNT_STATES[data[0]]}


def _pointer(address_name: str) -> _Parse:
    def parse(data: bytes, keys: Keys) -> Json:
        return {**_mint(keys), **_nonzero(data, 0, "authority"), **_nonzero(data, 32, address_name)}

    return parse


def _confidential_mint(data: bytes, keys: Keys) -> Json:
    auditor = _bytes(data, 33, 32)
    return {
        **_mint(keys),
        **_nonzero(data, 0, "authority"),
        "auditorElGamalPubkey": base64.b64encode(auditor).decode() if any(auditor) else None,
        "autoApproveNewAccounts": bool(data[32]),
    }


def _scaled_ui_amount(data: bytes, keys: Keys) -> Json:
    (multiplier,) = struct.unpack_from("<d", data, 32)
    return {**_mint(keys), **_nonzero(data, 0, "authority"), "multiplier": float_text(multiplier)}


def _update_multiplier(data: bytes, keys: Keys) -> Json:
    multiplier, effective_ts = struct.unpack_from("<dq", data)
    return {
        **_mint(keys),
        **_authority(keys),
        "newMultiplier": float_text(multiplier),
        "newMultiplierTimestamp": effective_ts,
    }


def _authority(keys: Keys) -> Json:
    if len(keys) > 2:
        return {"multisigAuthority": str(keys[1]), "signers": [str(key) for key in keys[2:]]}
    return {"authority": str(keys[1])}


def _pause(_data: bytes, keys: Keys) -> Json:
    return {**_mint(keys), **_authority(keys)}


def _token_metadata(data: bytes, keys: Keys) -> Json:
    texts = []
    offset = 0
    for _ in range(3):
        (length,) = struct.unpack_from("<I", data, offset)
        texts.append(_bytes(data, offset + 4, length).decode())
        offset += 4 + length
    return {
        "metadata": str(keys[0]),
        "updateAuthority": str(keys[1]),
        "mint": str(keys[2]),
        "mintAuthority": str(keys[3]),
        "name": texts[0],
        "symbol": texts[1],
        "uri": texts[2],
    }


_ONE_TAG: Final[dict[int, tuple[str, _Parse]]] = {
    25: ("initializeMintCloseAuthority", _close_authority),
    32: ("initializeNonTransferableMint", lambda _data, keys: _mint(keys)),
    35: ("initializePermanentDelegate", lambda data, keys: {**_mint(keys), "delegate": _key(data, 0)}),
}

_TWO_TAGS: Final[dict[tuple[int, int], tuple[str, _Parse]]] = {
    (26, 0): ("initializeTransferFeeConfig", _transfer_fee_config),
    (27, 0): ("initializeConfidentialTransferMint", _confidential_mint),
    (28, 0): ("initializeDefaultAccountState", _default_state),
    (33, 0): ("initializeInterestBearingConfig", _interest),
    (36, 0): ("initializeTransferHook", _pointer("programId")),
    (39, 0): ("initializeMetadataPointer", _pointer("metadataAddress")),
    (40, 0): ("initializeGroupPointer", _pointer("groupAddress")),
    (41, 0): ("initializeGroupMemberPointer", _pointer("memberAddress")),
    (43, 0): ("initializeScaledUiAmountConfig", _scaled_ui_amount),
    (43, 1): ("updateMultiplier", _update_multiplier),
    (44, 0): ("initializePausableConfig", lambda data, keys: {**_mint(keys), **_nonzero(data, 0, "authority")}),
    (44, 1): ("pause", _pause),
    (44, 2): ("resume", _pause),
}
