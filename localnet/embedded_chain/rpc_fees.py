"""Blockhashes, fees, and what other transactions paid."""

from __future__ import annotations

from typing import Any, Final

from solders.message import Message, MessageV0

from localnet.embedded_chain import addresses
from localnet.embedded_chain.decode_transaction import decode_message
from localnet.embedded_chain.errors import invalid_params
from localnet.embedded_chain.params import Params, as_hash, as_pubkey
from localnet.embedded_chain.rpc_context import Json, Method, RpcContext
from localnet.embedded_chain.timeline import MAX_PROCESSING_AGE_SLOTS

LAMPORTS_PER_SIGNATURE: Final = 5_000

_MAX_FEE_ADDRESSES: Final = 128
# The compute budget that a transaction gets where it names no limit (Agave, compute-budget-instruction).
_DEFAULT_INSTRUCTION_UNITS: Final = 200_000
_BUILTIN_INSTRUCTION_UNITS: Final = 3_000
_MAX_TRANSACTION_UNITS: Final = 1_400_000
_MICRO_LAMPORTS: Final = 1_000_000
_BUILTINS: Final = frozenset(
    {
        addresses.SYSTEM,
        addresses.COMPUTE_BUDGET,
        addresses.VOTE,
        addresses.UPGRADEABLE_LOADER,
        addresses.LOADER_V2,
        addresses.LOADER_V1,
        addresses.LOADER_V4,
        addresses.SECP256K1,
        addresses.ED25519,
    }
)
_PRECOMPILES: Final = frozenset({addresses.ED25519, addresses.SECP256K1, addresses.SECP256R1})


def fee_methods(rpc: RpcContext) -> dict[str, Method]:
    """getLatestBlockhash, isBlockhashValid, getFeeForMessage, getRecentPrioritizationFees."""
    bank = rpc.bank

    def get_latest_blockhash(raw: Any) -> Json:
        slot = rpc.slot(Params(raw, 0, 1).config(0, "RpcContextConfig"))
        value = {
            "blockhash": str(bank.timeline.blockhash(slot)),
            "lastValidBlockHeight": slot + MAX_PROCESSING_AGE_SLOTS,
        }
        return rpc.with_context(slot, value)

    def is_blockhash_valid(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        blockhash = as_hash(params.string(0))
        slot = rpc.slot(params.config(1, "RpcContextConfig"))
        return rpc.with_context(slot, bank.timeline.is_blockhash_valid(blockhash, slot))

    def get_fee_for_message(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        message = decode_message(params.string(0))
        slot = rpc.slot(params.config(1, "RpcContextConfig"))
        valid = bank.timeline.is_blockhash_valid(message.recent_blockhash, slot)
        return rpc.with_context(slot, fee_lamports(message) if valid else None)

    def get_recent_prioritization_fees(raw: Any) -> list[Json]:
        params = Params(raw, 0, 1)
        pubkeys = [] if params.value(0) is None else [as_pubkey(text) for text in params.strings(0)]
        if len(pubkeys) > _MAX_FEE_ADDRESSES:
            raise invalid_params(f"Too many inputs provided; max {_MAX_FEE_ADDRESSES}")
        slots = range(max(1, bank.timeline.slot - MAX_PROCESSING_AGE_SLOTS), bank.timeline.slot)
        # There is no competition for block space: the lowest fee that lands is none.
        return [{"prioritizationFee": 0, "slot": slot} for slot in slots]

    return {
        "getLatestBlockhash": get_latest_blockhash,
        "isBlockhashValid": is_blockhash_valid,
        "getFeeForMessage": get_fee_for_message,
        "getRecentPrioritizationFees": get_recent_prioritization_fees,
    }


def fee_lamports(message: Message | MessageV0) -> int:
    """Signatures, those of precompiles included, and the priority fee that its compute budget asks for."""
    keys = message.account_keys
    signatures = message.header.num_required_signatures
    price_micro_lamports = 0
    limit: int | None = None
    default_units = 0
    for instruction in message.instructions:
        program = keys[instruction.program_id_index]
        data = bytes(instruction.data)
        if program in _PRECOMPILES and data:
            signatures += data[0]
        default_units += _BUILTIN_INSTRUCTION_UNITS if program in _BUILTINS else _DEFAULT_INSTRUCTION_UNITS
        if program == addresses.COMPUTE_BUDGET and data:
            if data[0] == 2 and len(data) >= 5:
                limit = int.from_bytes(data[1:5], "little")
            elif data[0] == 3 and len(data) >= 9:
                price_micro_lamports = int.from_bytes(data[1:9], "little")
    units = min(default_units if limit is None else limit, _MAX_TRANSACTION_UNITS)
    return signatures * LAMPORTS_PER_SIGNATURE + -(-units * price_micro_lamports // _MICRO_LAMPORTS)
