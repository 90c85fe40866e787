"""Transactions as the RPC shows them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from solders.instruction import CompiledInstruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from localnet.embedded_chain import addresses, base58
from localnet.embedded_chain.errors import unsupported_transaction_version
from localnet.embedded_chain.ledger import ResolvedTransaction, TokenBalance, TransactionRecord
from localnet.embedded_chain.parsed_instructions import parse_instruction
from localnet.embedded_chain.ui_amount import MintDisplay, ui_token_amount

Json = dict[str, Any]

ENCODINGS: Final = ("binary", "base64", "base58", "json", "jsonParsed")

# The runtime's cost model, in cost units.
_SIGNATURE_COST = 720
_WRITE_LOCK_COST = 300
_ED25519_COST = 2_400
_SECP256K1_COST = 6_690
_SECP256R1_COST = 4_800
_INSTRUCTION_BYTES_PER_COST = 4
_PAGE_BYTES = 32 * 1024
_PAGE_COST = 8

#: The runtime never lets a transaction write these, whatever its message asks for.
_RESERVED: Final = frozenset(
    {
        addresses.SYSTEM,
        addresses.NATIVE_LOADER,
        addresses.UPGRADEABLE_LOADER,
        addresses.LOADER_V2,
        addresses.LOADER_V1,
        addresses.LOADER_V4,
        addresses.LOOKUP_TABLE,
        addresses.COMPUTE_BUDGET,
        addresses.CONFIG,
        addresses.STAKE,
        addresses.VOTE,
        addresses.ED25519,
        addresses.SECP256K1,
        addresses.SECP256R1,
        addresses.SYSVAR_OWNER,
        addresses.CLOCK,
        addresses.SLOT_HASHES,
        addresses.RENT,
        addresses.EPOCH_SCHEDULE,
        addresses.RECENT_BLOCKHASHES,
        addresses.INSTRUCTIONS,
    }
)


def check_version(resolved: ResolvedTransaction, max_version: int | None) -> None:
    """Raises RpcError where the client does not take this transaction's version."""
    if resolved.version == 0 and max_version is None:
        raise unsupported_transaction_version(0)


def encode_transaction(resolved: ResolvedTransaction, encoding: str) -> Any:
    """The `transaction` field: a text, a text with its encoding, or an object (EncodedTransaction of Agave)."""
    wire = bytes(resolved.tx)
    if encoding == "binary":
        return base58.encode(wire)
    if encoding == "base58":
        return [base58.encode(wire), "base58"]
    if encoding == "base64":
        return [base64.b64encode(wire).decode(), "base64"]
    message = _parsed_message(resolved) if encoding == "jsonParsed" else _raw_message(resolved)
    return {"message": message, "signatures": [str(signature) for signature in resolved.tx.signatures]}


def encode_meta(record: TransactionRecord, encoding: str) -> Json:
    """The `meta` field (UiTransactionStatusMeta); amounts in lamports. Only jsonParsed leaves `loadedAddresses` out."""
    resolved = record.resolved
    meta: Json = {
        "computeUnitsConsumed": record.meta.compute_units_consumed(),
        "costUnits": cost_units(record),
        "err": record.err,
        "fee": record.fee_lamports,
        "innerInstructions": inner_instructions(resolved, record.meta, encoding == "jsonParsed"),
        "loadedAddresses": {
            "readonly": [str(key) for key in resolved.loaded_readonly],
            "writable": [str(key) for key in resolved.loaded_writable],
        },
        "logMessages": record.meta.logs(),
        "postBalances": list(record.post_balances),
        "postTokenBalances": _history(record.post_token_balances),
        "preBalances": list(record.pre_balances),
        "preTokenBalances": _history(record.pre_token_balances),
        "rewards": [],
        "status": {"Ok": None} if record.err is None else {"Err": record.err},
    }
    if encoding == "jsonParsed":
        del meta["loadedAddresses"]
    returned = return_data(record.meta)
    if returned is not None:
        meta["returnData"] = returned
    return meta


def return_data(meta: TransactionMetadata) -> Json | None:
    """What the last program returned, with its address; None where it is empty, as Agave leaves it out."""
    returned = meta.return_data()
    if not returned.data:
        return None
    data = base64.b64encode(bytes(returned.data)).decode()
    return {"data": [data, "base64"], "programId": str(returned.program_id)}


def token_balances(balances: Sequence[TokenBalance]) -> list[Json]:
    """pre- or postTokenBalances, in the order of the account keys."""
    return [
        {
            "accountIndex": balance.account_index,
            "mint": str(balance.mint),
            "owner": str(balance.owner),
            "programId": str(balance.program),
            # Without the mint's multiplier: so a validator shows balances of transactions.
            "uiTokenAmount": ui_token_amount(balance.amount_raw, MintDisplay(balance.decimals)),
        }
        for balance in balances
    ]


def _history(balances: Sequence[TokenBalance]) -> list[Json]:
    """As a validator's history has them: a UI amount of zero is null."""
    shown = token_balances(balances)
    for balance in shown:
        if balance["uiTokenAmount"]["amount"] == "0":
            balance["uiTokenAmount"]["uiAmount"] = None
    return shown


def inner_instructions(resolved: ResolvedTransaction, meta: TransactionMetadata, parsed: bool) -> list[Json]:
    """Per top-level instruction that called others: its index and those calls, with the height of each."""
    groups = []
    for index, group in enumerate(meta.inner_instructions()):
        if group:
            instructions = [
                _instruction(resolved, inner.instruction(), inner.stack_height(), parsed) for inner in group
            ]
            groups.append({"index": index, "instructions": instructions})
    return groups


def cost_units(record: TransactionRecord) -> int:
    """The cost that the runtime's cost model gives the transaction after execution."""
    resolved = record.resolved
    keys = resolved.keys
    writes = sum(_is_writable(resolved, index) for index in range(len(keys)))
    instructions = resolved.tx.message.instructions
    precompiles = {
        addresses.ED25519: _ED25519_COST,
        addresses.SECP256K1: _SECP256K1_COST,
        addresses.SECP256R1: _SECP256R1_COST,
    }
    signatures = _SIGNATURE_COST * len(resolved.tx.signatures)
    for instruction in instructions:
        cost = precompiles.get(keys[instruction.program_id_index])
        if cost is not None and instruction.data:
            signatures += cost * instruction.data[0]
    data_cost = sum(len(instruction.data) for instruction in instructions) // _INSTRUCTION_BYTES_PER_COST
    pages = -(-record.loaded_accounts_data_size // _PAGE_BYTES)
    return (
        signatures + _WRITE_LOCK_COST * writes + data_cost + record.meta.compute_units_consumed() + pages * _PAGE_COST
    )


def _is_writable(resolved: ResolvedTransaction, index: int) -> bool:
    """What the runtime lets it write: no reserved account, no program without its loader present."""
    keys = resolved.keys
    if not resolved.is_writable(index) or keys[index] in _RESERVED:
        return False
    programs = {instruction.program_id_index for instruction in resolved.tx.message.instructions}
    return index not in programs or addresses.UPGRADEABLE_LOADER in keys


def _raw_message(resolved: ResolvedTransaction) -> Json:
    message = resolved.tx.message
    header = message.header
    raw: Json = {
        "accountKeys": [str(key) for key in resolved.static_keys],
        "header": {
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            "numRequiredSignatures": header.num_required_signatures,
        },
        "instructions": [_instruction(resolved, instruction, 1, False) for instruction in message.instructions],
        "recentBlockhash": str(message.recent_blockhash),
    }
    if isinstance(message, MessageV0):
        raw["addressTableLookups"] = _table_lookups(message)
    return raw


def _parsed_message(resolved: ResolvedTransaction) -> Json:
    message = resolved.tx.message
    signers = message.header.num_required_signatures
    static_count = len(resolved.static_keys)
    parsed: Json = {
        "accountKeys": [
            {
                "pubkey": str(key),
                "signer": index < signers,
                "source": "transaction" if index < static_count else "lookupTable",
                "writable": _is_writable(resolved, index),
            }
            for index, key in enumerate(resolved.keys)
        ],
        "instructions": [_instruction(resolved, instruction, 1, True) for instruction in message.instructions],
        "recentBlockhash": str(message.recent_blockhash),
    }
    if isinstance(message, MessageV0):
        parsed["addressTableLookups"] = _table_lookups(message)
    return parsed


def _table_lookups(message: MessageV0) -> list[Json]:
    return [
        {
            "accountKey": str(lookup.account_key),
            "readonlyIndexes": list(lookup.readonly_indexes),
            "writableIndexes": list(lookup.writable_indexes),
        }
        for lookup in message.address_table_lookups
    ]


def _instruction(
    resolved: ResolvedTransaction, instruction: CompiledInstruction, stack_height: int | None, parsed: bool
) -> Json:
    data, accounts = bytes(instruction.data), bytes(instruction.accounts)
    if not parsed:
        return {
            "accounts": list(accounts),
            "data": base58.encode(data),
            "programIdIndex": instruction.program_id_index,
            "stackHeight": stack_height,
        }
    keys = resolved.keys
    program = keys[instruction.program_id_index]
    account_keys: list[Pubkey] = [keys[index] for index in accounts]
    known = parse_instruction(program, data, account_keys)
    if known is not None:
        return {**known, "programId": str(program), "stackHeight": stack_height}
    return {
        "accounts": [str(key) for key in account_keys],
        "data": base58.encode(data),
        "programId": str(program),
        "stackHeight": stack_height,
    }
