"""jsonParsed form of accounts by their owner, as Agave's account decoder gives it.

Known: Token, Token-2022, nonces, lookup tables, upgradeable programs and the sysvars that clients read. What is
not known gives None, and the caller falls back to base64, as a validator does for programs it does not know.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses
from localnet.embedded_chain.parsed_token import parse_account, parse_mint, parse_multisig
from localnet.embedded_chain.token_layout import is_token_account
from localnet.embedded_chain.ui_amount import MintDisplay

Json = dict[str, Any]

_U64_MAX = 2**64 - 1


def parse(pubkey: Pubkey, account: Account, mint_display: Callable[[Pubkey], MintDisplay | None]) -> Json | None:
    """The `data` object (program, parsed, space), or None where the account is of no known kind.

    `mint_display` gives how a mint's amounts are shown, None where there is no such mint.
    """
    data = account.data
    parsed: Json | None = None
    program = ""
    if account.owner in addresses.TOKEN_PROGRAMS:
        program = "spl-token" if account.owner == addresses.TOKEN else "spl-token-2022"
        parsed = _token(data, mint_display)
    elif account.owner == addresses.SYSTEM:
        program, parsed = "nonce", _nonce(data)
    elif account.owner == addresses.UPGRADEABLE_LOADER:
        program, parsed = "bpf-upgradeable-loader", _upgradeable(data)
    elif account.owner == addresses.LOOKUP_TABLE:
        program, parsed = "address-lookup-table", _lookup_table(data)
    elif account.owner == addresses.SYSVAR_OWNER:
        program, parsed = "sysvar", _sysvar(pubkey, data)
    if parsed is None:
        return None
    return {"parsed": parsed, "program": program, "space": len(data)}


def _token(data: bytes, mint_display: Callable[[Pubkey], MintDisplay | None]) -> Json | None:
    if is_token_account(data):
        display = mint_display(Pubkey(data[:32]))
        return None if display is None else parse_account(data, display)
    return parse_mint(data) or parse_multisig(data)


def _nonce(data: bytes) -> Json | None:
    if len(data) != 80 or data[:4] not in (b"\0\0\0\0", b"\1\0\0\0") or data[4:8] != b"\1\0\0\0":
        return None
    info = {
        "authority": str(Pubkey(data[8:40])),
        "blockhash": str(Pubkey(data[40:72])),
        "feeCalculator": {"lamportsPerSignature": str(struct.unpack_from("<Q", data, 72)[0])},
    }
    return {"info": info, "type": "initialized"}


def _upgradeable(data: bytes) -> Json | None:
    if len(data) < 4:
        return None
    (kind,) = struct.unpack_from("<I", data)
    if kind == 0:
        return {"type": "uninitialized"}
    if kind == 1 and len(data) >= 37:
        info: Json = {
            "authority": str(Pubkey(data[5:37])) if data[4] else None,
            "data": _encoded(data[37:]),
        }
        return {"info": info, "type": "buffer"}
    if kind == 2 and len(data) >= 36:
        return {"info": {"programData": str(Pubkey(data[4:36]))}, "type": "program"}
    if kind == 3 and len(data) >= 45:
        info = {
            "authority": str(Pubkey(data[13:45])) if data[12] else None,
            "data": _encoded(data[45:]),
            "slot": struct.unpack_from("<Q", data, 4)[0],
        }
        return {"info": info, "type": "programData"}
    return None


def _lookup_table(data: bytes) -> Json | None:
    if len(data) < 56 or data[:4] != b"\1\0\0\0":
        return None
    deactivation_slot, last_extended_slot, start_index = struct.unpack_from("<QQB", data, 4)
    info: Json = {
        "addresses": [str(Pubkey(data[at : at + 32])) for at in range(56, len(data) - 31, 32)],
        "deactivationSlot": str(deactivation_slot),
        "lastExtendedSlot": str(last_extended_slot),
        "lastExtendedSlotStartIndex": start_index,
    }
    if data[21]:
        info["authority"] = str(Pubkey(data[22:54]))
    return {"info": info, "type": "lookupTable"}


def _sysvar(pubkey: Pubkey, data: bytes) -> Json | None:
    if pubkey == addresses.CLOCK:
        slot, epoch_start_ts, epoch, leader_epoch, unix_ts = struct.unpack_from("<QqQQq", data)
        return {
            "info": {
                "epoch": epoch,
                "epochStartTimestamp": epoch_start_ts,
                "leaderScheduleEpoch": leader_epoch,
                "slot": slot,
                "unixTimestamp": unix_ts,
            },
            "type": "clock",
        }
    if pubkey == addresses.RENT:
        return {"info": {"lamportsPerByte": str(struct.unpack_from("<Q", data)[0])}, "type": "rent"}
    if pubkey == addresses.EPOCH_SCHEDULE:
        per_epoch, offset, warmup, first_epoch, first_slot = struct.unpack_from("<QQ?QQ", data)
        return {
            "info": {
                "firstNormalEpoch": first_epoch,
                "firstNormalSlot": first_slot,
                "leaderScheduleSlotOffset": offset,
                "slotsPerEpoch": per_epoch,
                "warmup": warmup,
            },
            "type": "epochSchedule",
        }
    if pubkey == addresses.SLOT_HASHES:
        (count,) = struct.unpack_from("<Q", data)
        entries = [
            {
                "hash": str(Pubkey(data[at + 8 : at + 40])),
                "slot": struct.unpack_from("<Q", data, at)[0],
            }
            for at in range(8, 8 + 40 * count, 40)
        ]
        return {"info": entries, "type": "slotHashes"}
    return None


def _encoded(data: bytes) -> list[str]:
    return [base64.b64encode(data).decode(), "base64"]
