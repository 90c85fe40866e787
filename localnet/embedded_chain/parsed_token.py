"""jsonParsed form of Token and Token-2022 accounts, as Agave's account decoder gives it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any, Final

from solders.pubkey import Pubkey

from localnet.embedded_chain.token_layout import (
    ACCOUNT_BYTES,
    MINT_BYTES,
    MULTISIG_BYTES,
    extensions,
    is_mint,
    is_token_account,
)
from localnet.embedded_chain.ui_amount import MintDisplay, ui_token_amount

Json = dict[str, Any]

_STATES: Final = ("uninitialized", "initialized", "frozen")


def parse_mint(data: bytes) -> Json | None:
    """`type` and `info`, or None where it is no initialised mint."""
    if not is_mint(data):
        return None
    (supply_raw,) = struct.unpack_from("<Q", data, 36)
    info: Json = {
        "decimals": data[44],
        "freezeAuthority": _c_option(data, 46),
        "isInitialized": True,
        "mintAuthority": _c_option(data, 0),
        "supply": str(supply_raw),
    }
    if len(data) > MINT_BYTES:
        info["extensions"] = _extensions(data)
    return {"info": info, "type": "mint"}


def parse_account(data: bytes, display: MintDisplay) -> Json | None:
    """`type` and `info`, or None where it is no initialised token account. `display` is its mint's."""
    if not is_token_account(data):
        return None
    amount_raw, is_native = struct.unpack_from("<Q", data, 64)[0], _c_option_u64(data, 109)
    info: Json = {
        "isNative": is_native is not None,
        "mint": str(Pubkey(data[:32])),
        "owner": str(Pubkey(data[32:64])),
        "state": _STATES[data[108]],
        "tokenAmount": ui_token_amount(amount_raw, display),
    }
    delegate, close_authority = _c_option(data, 72), _c_option(data, 129)
    if delegate is not None:
        info["delegate"] = delegate
        (delegated_raw,) = struct.unpack_from("<Q", data, 121)
        info["delegatedAmount"] = ui_token_amount(delegated_raw, display)
    if is_native is not None:
        info["rentExemptReserve"] = ui_token_amount(is_native, display)
    if close_authority is not None:
        info["closeAuthority"] = close_authority
    if len(data) > ACCOUNT_BYTES:
        info["extensions"] = _extensions(data)
    return {"info": info, "type": "account"}


def parse_multisig(data: bytes) -> Json | None:
    """`type` and `info`, or None where it is no initialised multisig (355 bytes: threshold, signers, their keys)."""
    if len(data) != MULTISIG_BYTES or data[2] != 1:
        return None
    signers = [str(Pubkey(data[3 + 32 * i : 35 + 32 * i])) for i in range(data[1])]
    info = {"isInitialized": True, "numRequiredSigners": data[0], "numValidSigners": data[1], "signers": signers}
    return {"info": info, "type": "multisig"}


def _c_option(data: bytes, offset: int) -> str | None:
    (some,) = struct.unpack_from("<I", data, offset)
    return str(Pubkey(data[offset + 4 : offset + 36])) if some else None


def _c_option_u64(data: bytes, offset: int) -> int | None:
    some, value = struct.unpack_from("<IQ", data, offset)
    return int(value) if some else None


def _extensions(data: bytes) -> list[Json]:
    return [_extension(kind, value) for kind, value in extensions(data)]


def _extension(kind: int, value: bytes) -> Json:
    known = _EXTENSIONS.get(kind)
    if known is None:
        return {"extension": "unparseableExtension"}
    name, parse = known
    if parse is None:
        return {"extension": name}
    try:
        return {"extension": name, "state": parse(value)}
    except (struct.error, ValueError, IndexError):
        return {"extension": "unparseableExtension"}


def _key(value: bytes, offset: int) -> str | None:
    """An optional key: all zeros is none."""
    raw = value[offset : offset + 32]
    if len(raw) != 32:
        raise ValueError("extension too short")
    return str(Pubkey(raw)) if any(raw) else None


def _base64(value: bytes, offset: int, length: int) -> str:
    raw = value[offset : offset + length]
    if len(raw) != length:
        raise ValueError("extension too short")
    return base64.b64encode(raw).decode()


def _optional_base64(value: bytes, offset: int, length: int) -> str | None:
    return _base64(value, offset, length) if any(value[offset : offset + length]) else None


def float_text(number: float) -> str:
    """As Rust prints an f64: never an exponent, no trailing `.0`."""
    if number != number or number in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "inf", "-inf": "-inf"}[str(number)]
    text = repr(number)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        whole, _, fraction = mantissa.partition(".")
        fraction = "" if fraction == "0" else fraction
        point = len(whole) + int(exponent)
        digits = whole + fraction
        if point <= 0:
            text = f"{sign}0.{'0' * -point}{digits}"
        else:
            digits = digits.ljust(point, "0")
            text = f"{sign}{digits[:point]}.{digits[point:]}" if digits[point:] else f"{sign}{digits}"
    return text.removesuffix(".0")


def _transfer_fee(value: bytes, offset: int) -> Json:
    epoch, maximum_raw, bps = struct.unpack_from("<QQH", value, offset)
    return {"epoch": epoch, "maximumFee": maximum_raw, "transferFeeBasisPoints": bps}


def _transfer_fee_config(value: bytes) -> Json:
    return {
        "newerTransferFee": _transfer_fee(value, 90),
        "olderTransferFee": _transfer_fee(value, 72),
        "transferFeeConfigAuthority": _key(value, 0),
        "withdrawWithheldAuthority": _key(value, 32),
        "withheldAmount": struct.unpack_from("<Q", value, 64)[0],
    }


def _interest_bearing(value: bytes) -> Json:
    initial_ts, average_bps, updated_ts, present_bps = struct.unpack_from("<qhqh", value, 32)
    return {
        "currentRate": present_bps,
        "initializationTimestamp": initial_ts,
        "lastUpdateTimestamp": updated_ts,
        "preUpdateAverageRate": average_bps,
        "rateAuthority": _key(value, 0),
    }


def _scaled_ui_amount(value: bytes) -> Json:
    multiplier, effective_ts, new_multiplier = struct.unpack_from("<dqd", value, 32)
    return {
        "authority": _key(value, 0),
        "multiplier": float_text(multiplier),
        "newMultiplier": float_text(new_multiplier),
        "newMultiplierEffectiveTimestamp": effective_ts,
    }


def _confidential_account(value: bytes) -> Json:
    pending_max, expected, actual = struct.unpack_from("<QQQ", value, 271)
    return {
        "actualPendingBalanceCreditCounter": actual,
        "allowConfidentialCredits": bool(value[261]),
        "allowNonConfidentialCredits": bool(value[262]),
        "approved": bool(value[0]),
        "availableBalance": _base64(value, 161, 64),
        "decryptableAvailableBalance": _base64(value, 225, 36),
        "elgamalPubkey": _base64(value, 1, 32),
        "expectedPendingBalanceCreditCounter": expected,
        "maximumPendingBalanceCreditCounter": pending_max,
        "pendingBalanceCreditCounter": struct.unpack_from("<Q", value, 263)[0],
        "pendingBalanceHi": _base64(value, 97, 64),
        "pendingBalanceLo": _base64(value, 33, 64),
    }


def _token_metadata(value: bytes) -> Json:
    offset = 64
    texts = []

    def text() -> str:
        nonlocal offset
        (length,) = struct.unpack_from("<I", value, offset)
        raw = value[offset + 4 : offset + 4 + length]
        if len(raw) != length:
            raise ValueError("metadata too short")
        offset += 4 + length
        return raw.decode()

    texts = [text() for _ in range(3)]
    (pairs,) = struct.unpack_from("<I", value, offset)
    offset += 4
    additional = [[text(), text()] for _ in range(pairs)]
    return {
        "additionalMetadata": additional,
        "mint": str(Pubkey(value[32:64])),
        "name": texts[0],
        "symbol": texts[1],
        "updateAuthority": _key(value, 0),
        "uri": texts[2],
    }


def _token_group(value: bytes) -> Json:
    size, max_size = struct.unpack_from("<QQ", value, 64)
    return {
        "maxSize": max_size,
        "mint": str(Pubkey(value[32:64])),
        "size": size,
        "updateAuthority": _key(value, 0),
    }


def _token_group_member(value: bytes) -> Json:
    (number,) = struct.unpack_from("<Q", value, 64)
    return {"group": str(Pubkey(value[32:64])), "memberNumber": number, "mint": str(Pubkey(value[:32]))}


_Parser = Callable[[bytes], Json] | None

#: Extension type: (its name, how its state is shown; None: it has none).
_EXTENSIONS: Final[dict[int, tuple[str, _Parser]]] = {
    1: ("transferFeeConfig", _transfer_fee_config),
    2: ("transferFeeAmount", lambda v: {"withheldAmount": struct.unpack_from("<Q", v)[0]}),
    3: ("mintCloseAuthority", lambda v: {"closeAuthority": _key(v, 0)}),
    4: (
        "confidentialTransferMint",
        lambda v: {
            "auditorElgamalPubkey": _optional_base64(v, 33, 32),
            "authority": _key(v, 0),
            "autoApproveNewAccounts": bool(v[32]),
        },
    ),
    5: ("confidentialTransferAccount", _confidential_account),
    6: ("defaultAccountState", lambda v: {"accountState": _STATES[v[0]]}),
    7: ("immutableOwner", None),
    8: ("memoTransfer", lambda v: {"requireIncomingTransferMemos": bool(v[0])}),
    9: ("nonTransferable", None),
    10: ("interestBearingConfig", _interest_bearing),
    11: ("cpiGuard", lambda v: {"lockCpi": bool(v[0])}),
    12: ("permanentDelegate", lambda v: {"delegate": _key(v, 0)}),
    13: ("nonTransferableAccount", None),
    14: ("transferHook", lambda v: {"authority": _key(v, 0), "programId": _key(v, 32)}),
    15: ("transferHookAccount", lambda v: {"transferring": bool(v[0])}),
    16: (
        "confidentialTransferFeeConfig",
        lambda v: {
            "authority": _key(v, 0),
            "harvestToMintEnabled": bool(v[64]),
            "withdrawWithheldAuthorityElgamalPubkey": _optional_base64(v, 32, 32),
            "withheldAmount": _base64(v, 65, 64),
        },
    ),
    17: ("confidentialTransferFeeAmount", lambda v: {"withheldAmount": _base64(v, 0, 64)}),
    18: ("metadataPointer", lambda v: {"authority": _key(v, 0), "metadataAddress": _key(v, 32)}),
    19: ("tokenMetadata", _token_metadata),
    20: ("groupPointer", lambda v: {"authority": _key(v, 0), "groupAddress": _key(v, 32)}),
    21: ("tokenGroup", _token_group),
    22: ("groupMemberPointer", lambda v: {"authority": _key(v, 0), "memberAddress": _key(v, 32)}),
    23: ("tokenGroupMember", _token_group_member),
    25: ("scaledUiAmountConfig", _scaled_ui_amount),
    26: ("pausableConfig", lambda v: {"authority": _key(v, 0), "paused": bool(v[32])}),
    27: ("pausableAccount", None),
}
