"""Sending and simulating transactions; the faucet."""

from __future__ import annotations

from typing import Any, Final

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from localnet.embedded_chain.bank import SimulationResult
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.decode_transaction import decode_transaction
from localnet.embedded_chain.encode_account import encode_account
from localnet.embedded_chain.encode_transaction import inner_instructions, return_data, token_balances
from localnet.embedded_chain.errors import RpcError, invalid_params, preflight_failure
from localnet.embedded_chain.ledger import ResolvedTransaction
from localnet.embedded_chain.params import Config, Params, as_hash, as_pubkey, as_string
from localnet.embedded_chain.resolve import LookupTableError
from localnet.embedded_chain.rpc_context import Json, Method, RpcContext
from localnet.embedded_chain.timeline import MAX_PROCESSING_AGE_SLOTS
from localnet.embedded_chain.transaction_errors import error_text


def transaction_methods(rpc: RpcContext) -> dict[str, Method]:
    """sendTransaction, simulateTransaction, requestAirdrop."""
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
        tx = decode_transaction(text, config)
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
        tx = decode_transaction(text, config)
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
                "blockhash": str(bank.timeline.blockhash(slot)),
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

    return {
        "sendTransaction": send_transaction,
        "simulateTransaction": simulate_transaction,
        "requestAirdrop": request_airdrop,
    }


def _preflight_failure(err: Any, data: Json) -> RpcError:
    return preflight_failure(error_text(err), data)


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
