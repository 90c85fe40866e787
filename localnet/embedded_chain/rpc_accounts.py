"""Accounts and program accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from localnet.embedded_chain import base58
from localnet.embedded_chain.encode_account import encode_account
from localnet.embedded_chain.errors import invalid_params
from localnet.embedded_chain.params import (
    Config,
    Params,
    as_list,
    as_pubkey,
    as_string,
    as_u64,
    decode_base64,
    serde_name,
)
from localnet.embedded_chain.rpc_context import AccountFormat, Json, Method, RpcContext
from localnet.embedded_chain.token_layout import is_token_account

_MAX_MULTIPLE_ACCOUNTS = 100
_MAX_FILTERS = 4
_MAX_MEMCMP_BYTES = 128


@dataclass(frozen=True, slots=True)
class Memcmp:
    """The account's data has these bytes at `offset`."""

    offset: int
    expected: bytes


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """getProgramAccounts' filters: all must hold."""

    data_sizes: Sequence[int]
    memcmps: Sequence[Memcmp]
    token_account_state: bool

    def matches(self, account: Account) -> bool:
        """Whether the account passes all of them."""
        data = account.data
        return (
            all(len(data) == size for size in self.data_sizes)
            and all(data[m.offset : m.offset + len(m.expected)] == m.expected for m in self.memcmps)
            and (not self.token_account_state or is_token_account(data))
        )


def parse_filters(config: Config) -> AccountFilter:
    """The `filters` of a configuration (RpcFilterType of Agave: four at most). Raises RpcError."""
    raw = config.fields.get("filters")
    filters = [] if raw is None else as_list(raw)
    if len(filters) > _MAX_FILTERS:
        raise invalid_params(f"Too many filters provided; max {_MAX_FILTERS}")
    sizes: list[int] = []
    memcmps: list[Memcmp] = []
    token_account_state = False
    for item in filters:
        if item == "tokenAccountState":
            token_account_state = True
            continue
        if not isinstance(item, dict):
            raise invalid_params(f"Invalid params: invalid type: {serde_name(item)}, expected string or map.")
        if len(item) != 1:
            raise invalid_params("Invalid params: invalid value: map, expected map with a single key.")
        ((name, value),) = item.items()
        if name == "dataSize":
            sizes.append(as_u64(value))
        elif name == "memcmp":
            memcmps.append(_memcmp(value))
        elif name == "tokenAccountState":
            token_account_state = True
        else:
            raise invalid_params(
                f"Invalid params: unknown variant `{name}`, expected one of `dataSize`, `memcmp`, `tokenAccountState`."
            )
    return AccountFilter(sizes, memcmps, token_account_state)


def _memcmp(value: Any) -> Memcmp:
    if not isinstance(value, dict):
        raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected struct Memcmp.")
    for field in ("offset", "bytes"):
        if field not in value:
            raise invalid_params(f"Invalid params: missing field `{field}`.")
    offset, raw = as_u64(value["offset"], "usize"), value["bytes"]
    if isinstance(raw, list):
        expected = bytes(as_u64(item) & 0xFF for item in raw)
    elif value.get("encoding") == "base64":
        expected = decode_base64(as_string(raw))
    else:
        try:
            expected = base58.decode(as_string(raw))
        except base58.InvalidCharacterError as error:
            raise invalid_params(
                "Invalid param: Base58DecodeError(InvalidCharacter { character: "
                f"{error.character!r}, index: {error.index} }})"
            ) from None
    if len(expected) > _MAX_MEMCMP_BYTES:
        raise invalid_params("Invalid param: DataTooLarge")
    return Memcmp(offset, expected)


def account_methods(rpc: RpcContext) -> dict[str, Method]:
    """getAccountInfo, getMultipleAccounts, getBalance, getProgramAccounts, getMinimumBalanceForRentExemption."""
    bank = rpc.bank

    def get_account_info(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        pubkey = params.pubkey(0)
        config = params.config(1, "RpcAccountInfoConfig")
        format_ = AccountFormat.of(config, "binary")
        slot = rpc.slot(config)
        return rpc.with_context(slot, rpc.account_json(pubkey, slot, format_))

    def get_multiple_accounts(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        texts = params.strings(0)
        config = params.config(1, "RpcAccountInfoConfig")
        if len(texts) > _MAX_MULTIPLE_ACCOUNTS:
            raise invalid_params(f"Too many inputs provided; max {_MAX_MULTIPLE_ACCOUNTS}")
        pubkeys = [as_pubkey(text) for text in texts]
        format_ = AccountFormat.of(config, "base64")
        slot = rpc.slot(config)
        return rpc.with_context(slot, [rpc.account_json(pubkey, slot, format_) for pubkey in pubkeys])

    def get_balance(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        pubkey = params.pubkey(0)
        slot = rpc.slot(params.config(1, "RpcContextConfig"))
        account = bank.account(pubkey, slot)
        return rpc.with_context(slot, 0 if account is None else account.lamports)

    def get_program_accounts(raw: Any) -> Any:
        params = Params(raw, 1, 1)
        program = params.pubkey(0)
        config = params.config(1, "RpcProgramAccountsConfig")
        filters = parse_filters(config)
        format_ = AccountFormat.of(config, "binary")
        slot = rpc.slot(config)
        found = keyed_accounts(rpc, program, filters, slot, format_)
        return rpc.with_context(slot, found) if config.boolean("withContext") else found

    def get_minimum_balance(raw: Any) -> int:
        params = Params(raw, 1, 1)
        return bank.rent_exempt_lamports(params.usize(0))

    return {
        "getAccountInfo": get_account_info,
        "getMultipleAccounts": get_multiple_accounts,
        "getBalance": get_balance,
        "getProgramAccounts": get_program_accounts,
        "getMinimumBalanceForRentExemption": get_minimum_balance,
    }


def keyed_accounts(
    rpc: RpcContext, program: Pubkey, filters: AccountFilter, slot: int, format_: AccountFormat
) -> list[Json]:
    """The program's accounts that pass, as `pubkey` and `account`."""
    display = rpc.mint_display(slot)
    return [
        {
            "account": encode_account(pubkey, account, format_.encoding, format_.data_slice, display),
            "pubkey": str(pubkey),
        }
        for pubkey, account in rpc.bank.program_accounts(program, slot)
        if filters.matches(account)
    ]
