"""Sending, simulating and looking up transactions; blockhashes and fees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from solders.account import Account
from solders.instruction import CompiledInstruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from localnet.embedded_chain import addresses, base58
from localnet.embedded_chain.bank import (
    LAMPORTS_PER_SIGNATURE,
    MAX_PROCESSING_AGE_SLOTS,
    STATUS_CACHE_SLOTS,
    Commitment,
    LookupTableError,
    SimulationResult,
)
from localnet.embedded_chain.encode_account import encode_account
from localnet.embedded_chain.encode_transaction import (
    ENCODINGS,
    check_version,
    encode_meta,
    encode_transaction,
    inner_instructions,
    return_data,
    token_balances,
)
from localnet.embedded_chain.errors import (
    RpcError,
    block_not_available,
    invalid_params,
    preflight_failure,
)
from localnet.embedded_chain.ledger import Ledger, ResolvedTransaction, TransactionRecord
from localnet.embedded_chain.params import Config, Params, as_hash, as_pubkey, as_signature, as_string, decode_base64
from localnet.embedded_chain.rpc_context import Json, Method, RpcContext
from localnet.embedded_chain.transaction_errors import error_text

_PACKET_BYTES: Final = 1232
_BASE64_MAX_CHARS: Final = 1644
_BASE58_MAX_CHARS: Final = 1683
_TRANSACTION_TYPE: Final = "solana_transaction::versioned::VersionedTransaction"
_MESSAGE_TYPE: Final = "solana_message::versions::VersionedMessage"

_MAX_STATUSES: Final = 256
_MAX_SIGNATURES: Final = 1000
_MAX_FEE_ADDRESSES: Final = 128
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


def transaction_methods(rpc: RpcContext) -> dict[str, Method]:
    bank = rpc.bank

    def resolve(tx: VersionedTransaction, slot: int) -> ResolvedTransaction:
        try:
            return bank.resolve(tx, slot)
        except LookupTableError as error:
            raise invalid_params(f"invalid transaction: {error}") from None

    def send_transaction(raw: Any) -> str:
        params = Params(raw, 1, 1)
        text = params.string(0)
        config = params.config(1, "RpcSendTransactionConfig")
        tx = _decode_transaction(text, config)
        skip_preflight = config.boolean("skipPreflight")
        preflight = config.variant("preflightCommitment", tuple(Commitment))
        commitment = "processed" if skip_preflight else preflight
        slot = rpc.slot(Config({"commitment": commitment, "minContextSlot": config.u64("minContextSlot")}))
        resolved = resolve(tx, slot)
        signed = all(tx.verify_with_results())
        if not skip_preflight:
            if not signed:
                raise _preflight_failure("SignatureFailure", _unexecuted("SignatureFailure"))
            simulation = bank.simulate(resolved, slot, check_blockhash=True)
            if simulation.err is not None:
                shown = _simulation_json(rpc, simulation, inner=False)
                raise _preflight_failure(simulation.err, {**shown, **_NO_BALANCES, "loadedAddresses": None})
        if signed:
            # What cannot land is dropped without a word, as by a leader: the sender sees no status.
            bank.process(tx)
        return str(resolved.signature)

    def simulate_transaction(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        text = params.string(0)
        config = params.config(1, "RpcSimulateTransactionConfig")
        tx = _decode_transaction(text, config)
        sig_verify = config.boolean("sigVerify")
        replace = config.boolean("replaceRecentBlockhash")
        slot = rpc.slot(config)
        if sig_verify and replace:
            raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
        resolved = resolve(tx, slot)
        wanted = _wanted_accounts(config, resolved)
        if sig_verify and not all(tx.verify_with_results()):
            value = {**_unexecuted("SignatureFailure"), "loadedAddresses": _loaded_addresses(resolved)}
            return rpc.with_context(slot, value)
        simulation = bank.simulate(resolved, slot, check_blockhash=not replace)
        value = _simulation_json(rpc, simulation, inner=config.boolean("innerInstructions"))
        if replace:
            value["replacementBlockhash"] = {
                "blockhash": str(bank.blockhash(slot)),
                "lastValidBlockHeight": slot + MAX_PROCESSING_AGE_SLOTS,
            }
        if wanted is not None:
            pubkeys, encoding = wanted
            value["accounts"] = [
                None if simulation.err is not None else _post_account(rpc, simulation, pubkey, encoding)
                for pubkey in pubkeys
            ]
        return rpc.with_context(slot, value)

    def request_airdrop(raw: Any) -> str:
        params = Params(raw, 2, 1)
        pubkey, lamports = params.pubkey(0), params.u64(1)
        named = params.config(2, "RpcRequestAirdropConfig").string("recentBlockhash")
        tx = bank.airdrop(pubkey, lamports, None if named is None else as_hash(named))
        if tx is None:
            raise RpcError(-32603, "Internal error")
        bank.process(tx)
        return str(tx.signatures[0])

    def get_latest_blockhash(raw: Any) -> Json:
        slot = rpc.slot(Params(raw, 0, 1).config(0, "RpcContextConfig"))
        value = {
            "blockhash": str(bank.blockhash(slot)),
            "lastValidBlockHeight": slot + MAX_PROCESSING_AGE_SLOTS,
        }
        return rpc.with_context(slot, value)

    def is_blockhash_valid(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        blockhash = as_hash(params.string(0))
        slot = rpc.slot(params.config(1, "RpcContextConfig"))
        return rpc.with_context(slot, bank.is_blockhash_valid(blockhash, slot))

    def get_fee_for_message(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        wire = _decode_text(params.string(0), "base64", _MESSAGE_TYPE)
        message = _decode_message(wire)
        slot = rpc.slot(params.config(1, "RpcContextConfig"))
        valid = bank.is_blockhash_valid(message.recent_blockhash, slot)
        return rpc.with_context(slot, fee_lamports(message) if valid else None)

    def get_recent_prioritization_fees(raw: Any) -> list[Json]:
        params = Params(raw, 0, 1)
        pubkeys = [] if params.value(0) is None else [as_pubkey(text) for text in params.strings(0)]
        if len(pubkeys) > _MAX_FEE_ADDRESSES:
            raise invalid_params(f"Too many inputs provided; max {_MAX_FEE_ADDRESSES}")
        slots = range(max(1, bank.slot - MAX_PROCESSING_AGE_SLOTS), bank.slot)
        # There is no competition for block space: the lowest fee that lands is none.
        return [{"prioritizationFee": 0, "slot": slot} for slot in slots]

    def status_json(record: TransactionRecord) -> Json:
        commitment = bank.commitment_of(record.slot)
        final = commitment is Commitment.FINALIZED
        return {
            "confirmationStatus": commitment.value,
            "confirmations": None if final else bank.slot - record.slot,
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
        oldest = 0 if config.boolean("searchTransactionHistory") else bank.slot - STATUS_CACHE_SLOTS
        statuses: list[Json | None] = []
        for signature in [as_signature(text) for text in texts]:
            record = bank.ledger.find(signature)
            statuses.append(None if record is None or record.slot < oldest else status_json(record))
        return rpc.with_context(bank.slot, statuses)

    def at_least_confirmed(config: Config) -> int:
        if config.commitment is Commitment.PROCESSED:
            raise invalid_params("Method does not support commitment below `confirmed`")
        return bank.slot_at(config.commitment)

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
                "blockTime": bank.unix_ts(record.slot),
                "confirmationStatus": bank.commitment_of(record.slot).value,
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
            "blockTime": bank.unix_ts(record.slot),
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
            "blockTime": bank.unix_ts(slot),
            "blockhash": str(bank.blockhash(slot)),
            "parentSlot": max(0, slot - 1),
            "previousBlockhash": str(bank.blockhash(max(0, slot - 1))),
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
        "sendTransaction": send_transaction,
        "simulateTransaction": simulate_transaction,
        "requestAirdrop": request_airdrop,
        "getLatestBlockhash": get_latest_blockhash,
        "isBlockhashValid": is_blockhash_valid,
        "getFeeForMessage": get_fee_for_message,
        "getRecentPrioritizationFees": get_recent_prioritization_fees,
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


def _preflight_failure(err: Any, data: Json) -> RpcError:
    return preflight_failure(error_text(err), data)


def _decode_transaction(text: str, config: Config) -> VersionedTransaction:
    encoding = config.variant("encoding", ("binary", "base64", "base58", "json", "jsonParsed")) or "base58"
    if encoding in ("json", "jsonParsed"):
        raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    wire = _decode_text(text, "base64" if encoding == "base64" else "base58", _TRANSACTION_TYPE)
    try:
        tx = VersionedTransaction.from_bytes(wire)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_TRANSACTION_TYPE}: {error}") from None
    if not isinstance(tx.message, Message | MessageV0):
        raise invalid_params(f"failed to deserialize {_TRANSACTION_TYPE}: unsupported message version")
    try:
        tx.sanitize()
    except SanitizeError:
        raise invalid_params(f"invalid transaction: {error_text('SanitizeFailure')}") from None
    return tx


def _decode_text(text: str, encoding: str, what: str) -> bytes:
    max_chars = _BASE64_MAX_CHARS if encoding == "base64" else _BASE58_MAX_CHARS
    if len(text) > max_chars:
        raise invalid_params(
            f"{encoding} encoded {what} too large: {len(text)} bytes (max: encoded/raw {max_chars}/{_PACKET_BYTES})"
        )
    if encoding == "base64":
        wire = decode_base64(text)
    else:
        try:
            wire = base58.decode(text)
        except base58.InvalidCharacterError as error:
            raise invalid_params(
                f"invalid base58 encoding: InvalidCharacter {{ character: {error.character!r}, index: {error.index} }}"
            ) from None
    if len(wire) > _PACKET_BYTES:
        raise invalid_params(f"decoded {what} too large: {len(wire)} bytes (max: {_PACKET_BYTES} bytes)")
    return wire


def _decode_message(wire: bytes) -> Message | MessageV0:
    try:
        # As a transaction without signatures: solders reads either version of a message in there.
        message = VersionedTransaction.from_bytes(b"\0" + wire).message
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_MESSAGE_TYPE}: {error}") from None
    if not isinstance(message, Message | MessageV0):
        raise invalid_params(f"failed to deserialize {_MESSAGE_TYPE}: unsupported message version")
    signatures = [Signature.default()] * message.header.num_required_signatures
    try:
        VersionedTransaction.populate(message, signatures).sanitize()
    except SanitizeError as error:
        raise invalid_params(f"invalid transaction message: {error}") from None
    return message


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


#: Errors that come before anything is loaded: no fee, no data size.
_BEFORE_LOADING: Final = frozenset(
    {
        "AccountNotFound",
        "AlreadyProcessed",
        "BlockhashNotFound",
        "InsufficientFundsForFee",
        "InvalidAccountForFee",
        "SignatureFailure",
    }
)
_NO_BALANCES: Final[Json] = dict.fromkeys(("preBalances", "postBalances", "preTokenBalances", "postTokenBalances"))


def _unexecuted(err: Any) -> Json:
    """A simulation that did not come to an execution."""
    return {
        "accounts": None,
        "err": err,
        "fee": None,
        "innerInstructions": None,
        "loadedAccountsDataSize": 0,
        "loadedAddresses": None,
        "logs": [],
        **_NO_BALANCES,
        "replacementBlockhash": None,
        "returnData": None,
        "unitsConsumed": 0,
    }


def _loaded_addresses(resolved: ResolvedTransaction) -> Json:
    return {
        "readonly": [str(key) for key in resolved.loaded_readonly],
        "writable": [str(key) for key in resolved.loaded_writable],
    }


def _simulation_json(rpc: RpcContext, simulation: SimulationResult, *, inner: bool) -> Json:
    resolved, meta, before = simulation.resolved, simulation.meta, simulation.pre_accounts
    keys = resolved.keys
    post = [simulation.post_accounts.get(key, account) for key, account in zip(keys, before, strict=True)]
    post_balances = [_lamports(account) for account in post]
    shown: Json = {
        **_unexecuted(simulation.err),
        "loadedAddresses": _loaded_addresses(resolved),
        "postTokenBalances": token_balances(rpc.bank.token_balances(keys, post)),
        "preBalances": [_lamports(account) for account in before],
        "preTokenBalances": token_balances(rpc.bank.token_balances(keys, before)),
    }
    is_early = isinstance(simulation.err, str) and simulation.err in _BEFORE_LOADING
    if meta is not None and not is_early:
        if simulation.err is not None:
            post_balances[0] -= meta.fee()
        shown |= {
            "fee": meta.fee(),
            "innerInstructions": inner_instructions(resolved, meta, True) if inner else None,
            "loadedAccountsDataSize": simulation.loaded_accounts_data_size,
            "logs": meta.logs(),
            "returnData": return_data(meta),
            "unitsConsumed": meta.compute_units_consumed(),
        }
    shown["postBalances"] = post_balances
    return shown


def _lamports(account: Account | None) -> int:
    return 0 if account is None else account.lamports


def _wanted_accounts(config: Config, resolved: ResolvedTransaction) -> tuple[list[Pubkey], str] | None:
    wanted = config.config("accounts", "RpcSimulateTransactionAccountsConfig")
    if wanted is None:
        return None
    encoding = wanted.variant("encoding", ("binary", "base58", "base64", "jsonParsed", "base64+zstd")) or "base64"
    if encoding in ("binary", "base58"):
        raise invalid_params("base58 encoding not supported")
    raw = wanted.fields.get("addresses", [])
    pubkeys = [as_pubkey(as_string(text)) for text in raw]
    if len(pubkeys) > len(resolved.keys):
        raise invalid_params(f"Too many accounts provided; max {len(resolved.keys)}")
    return pubkeys, encoding


def _post_account(rpc: RpcContext, simulation: SimulationResult, pubkey: Pubkey, encoding: str) -> Json | None:
    keys = simulation.resolved.keys
    account = simulation.post_accounts.get(pubkey)
    if account is None and pubkey in keys:
        account = simulation.pre_accounts[keys.index(pubkey)]
    elif account is None:
        account = rpc.bank.account(pubkey, simulation.slot)
    if account is None or account.lamports == 0:
        return None
    return encode_account(pubkey, account, encoding, None, rpc.mint_display(simulation.slot))


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
