"""Looking up what has landed: statuses, transactions, blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from localnet.embedded_chain import addresses
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.encode_transaction import ENCODINGS, check_version, encode_meta, encode_transaction
from localnet.embedded_chain.errors import RpcError, block_not_available, invalid_params
from localnet.embedded_chain.ledger import Ledger, TransactionRecord
from localnet.embedded_chain.params import Config, Params, as_signature
from localnet.embedded_chain.rpc_context import Json, Method, RpcContext
from localnet.embedded_chain.timeline import STATUS_CACHE_SLOTS

_MAX_STATUSES: Final = 256
_MAX_SIGNATURES: Final = 1000


def history_methods(rpc: RpcContext) -> dict[str, Method]:
    """getSignatureStatuses, getSignaturesForAddress, getTransaction, getBlock."""
    bank = rpc.bank

    def status_json(record: TransactionRecord) -> Json:
        commitment = bank.timeline.commitment_of(record.slot)
        final = commitment is Commitment.FINALIZED
        return {
            "confirmationStatus": commitment.value,
            "confirmations": None if final else bank.timeline.slot - record.slot,
            "err": record.err,
            "slot": record.slot,
            "status": {"Ok": None} if record.err is None else {"Err": record.err},
        }

    def get_signature_statuses(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        texts = params.strings(0)
        config = params.config(1, "RpcSignatureStatusConfig")
        if len(texts) > _MAX_STATUSES:
            raise invalid_params(f"Too many inputs provided; max {_MAX_STATUSES}")
        oldest = 0 if config.boolean("searchTransactionHistory") else bank.timeline.slot - STATUS_CACHE_SLOTS
        statuses: list[Json | None] = []
        for signature in [as_signature(text) for text in texts]:
            record = bank.ledger.find(signature)
            statuses.append(None if record is None or record.slot < oldest else status_json(record))
        return rpc.with_context(bank.timeline.slot, statuses)

    def at_least_confirmed(config: Config) -> int:
        if config.commitment is Commitment.PROCESSED:
            raise invalid_params("Method does not support commitment below `confirmed`")
        return bank.timeline.slot_at(config.commitment)

    def get_signatures_for_address(raw: Any) -> list[Json]:
        params = Params(raw, 1, 1)
        address = params.pubkey(0)
        config = params.config(1, "RpcSignaturesForAddressConfig")
        before, until = (
            None if text is None else as_signature(text) for text in (config.string("before"), config.string("until"))
        )
        limit = config.usize("limit")
        limit = _MAX_SIGNATURES if limit is None else limit
        if not 0 < limit <= _MAX_SIGNATURES:
            raise invalid_params(f"Invalid limit; max {_MAX_SIGNATURES}")
        at_least_confirmed(config)
        newest = rpc.slot(config)
        return [
            {
                "blockTime": bank.timeline.unix_ts(record.slot),
                "confirmationStatus": bank.timeline.commitment_of(record.slot).value,
                "err": record.err,
                "memo": _memo(record),
                "signature": str(record.resolved.signature),
                "slot": record.slot,
                "transactionIndex": record.index_in_slot,
            }
            for record in _page(bank.ledger, address, newest, before, until, limit)
        ]

    def get_transaction(raw: Any) -> Json | None:
        params = Params(raw, 1, 1)
        signature = as_signature(params.string(0))
        config = _encoding_config(params, 1, "RpcTransactionConfig")
        encoding = _encoding(config)
        newest = at_least_confirmed(config)
        record = bank.ledger.find(signature)
        if record is None or record.slot > newest:
            return None
        max_version = config.u64("maxSupportedTransactionVersion")
        check_version(record.resolved, max_version)
        answer: Json = {
            "blockTime": bank.timeline.unix_ts(record.slot),
            "meta": encode_meta(record, encoding),
            "slot": record.slot,
            "transaction": encode_transaction(record.resolved, encoding),
            "transactionIndex": record.index_in_slot,
        }
        if max_version is not None:
            answer["version"] = record.resolved.version
        return answer

    def get_block(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        slot = params.u64(0)
        config = _encoding_config(params, 1, "RpcBlockConfig")
        encoding = _encoding(config)
        details = _block_details(config)
        newest = at_least_confirmed(config)
        if slot > newest:
            raise block_not_available(slot)
        max_version = config.u64("maxSupportedTransactionVersion")
        records = bank.ledger.in_slot(slot)
        block: Json = {
            "blockHeight": slot,
            "blockTime": bank.timeline.unix_ts(slot),
            "blockhash": str(bank.timeline.blockhash(slot)),
            "parentSlot": max(0, slot - 1),
            "previousBlockhash": str(bank.timeline.blockhash(max(0, slot - 1))),
        }
        if config.boolean("rewards", default=True):
            block["rewards"] = []
        if details == "signatures":
            block["signatures"] = [str(record.resolved.signature) for record in records]
        elif details == "full":
            block["transactions"] = [block_transaction(record, encoding, max_version) for record in records]
        elif details == "accounts":
            raise invalid_params("transactionDetails `accounts` is not served by the embedded chain")
        return block

    def block_transaction(record: TransactionRecord, encoding: str, max_version: int | None) -> Json:
        check_version(record.resolved, max_version)
        shown: Json = {
            "meta": encode_meta(record, encoding),
            "transaction": encode_transaction(record.resolved, encoding),
        }
        if max_version is not None:
            shown["version"] = record.resolved.version
        return shown

    return {
        "getSignatureStatuses": get_signature_statuses,
        "getSignaturesForAddress": get_signatures_for_address,
        "getTransaction": get_transaction,
        "getBlock": get_block,
    }


def _encoding_config(params: Params, index: int, struct: str) -> Config:
    """Some methods take an encoding's name in place of the configuration object."""
    value = params.value(index)
    return Config({"encoding": value}) if isinstance(value, str) else params.config(index, struct)


def _encoding(config: Config) -> str:
    return _wrapped(lambda: config.variant("encoding", ENCODINGS)) or "json"


def _block_details(config: Config) -> str:
    return _wrapped(lambda: config.variant("transactionDetails", ("full", "signatures", "none", "accounts"))) or "full"


def _wrapped(read: Callable[[], str | None]) -> str | None:
    """Where a name may stand for the configuration, a validator says less about what is wrong with it."""
    try:
        return read()
    except RpcError:
        raise invalid_params(
            "Invalid params: data did not match any variant of untagged enum RpcEncodingConfigWrapper."
        ) from None


def _page(
    ledger: Ledger,
    address: Pubkey,
    newest_slot: int,
    before: Signature | None,
    until: Signature | None,
    limit: int,
) -> list[TransactionRecord]:
    """Newest first, older than `before`, newer than `until`; neither needs to be of the address."""
    first, last = ledger.find_position(before), ledger.find_position(until)
    if before is not None and first is None:
        return []
    page: list[TransactionRecord] = []
    for record in reversed(ledger.of_address(address)):
        position = (record.slot, record.index_in_slot)
        if last is not None and position <= last:
            break
        if record.slot <= newest_slot and (first is None or position < first):
            page.append(record)
            if len(page) == limit:
                break
    return page


def _memo(record: TransactionRecord) -> str | None:
    """Its memos as getSignaturesForAddress shows them: `[length] text`, separated by `; `."""
    keys = record.resolved.static_keys
    memos: list[str] = []

    def collect(instruction: CompiledInstruction) -> None:
        index = instruction.program_id_index
        if index < len(keys) and keys[index] in (addresses.MEMO, addresses.MEMO_V1):
            data = bytes(instruction.data)
            memos.append(f"[{len(data)}] {data.decode(errors='replace')}")

    for instruction in record.resolved.tx.message.instructions:
        collect(instruction)
    return "; ".join(memos) or None
