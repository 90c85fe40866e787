"""Token accounts and mints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses
from localnet.embedded_chain.encode_account import encode_account
from localnet.embedded_chain.errors import invalid_param, invalid_params
from localnet.embedded_chain.params import Params, as_pubkey, as_string, serde_name
from localnet.embedded_chain.rpc_context import AccountFormat, Json, Method, RpcContext
from localnet.embedded_chain.token_layout import is_mint, is_token_account, token_account_fields
from localnet.embedded_chain.ui_amount import MintDisplay, ui_token_amount

_LARGEST_ACCOUNTS = 20


def token_methods(rpc: RpcContext) -> dict[str, Method]:
    """getTokenAccountBalance, getTokenSupply, getTokenLargestAccounts, getTokenAccountsByOwner,
    getTokenAccountsByDelegate."""
    bank = rpc.bank

    def token_account(pubkey: Pubkey, slot: int) -> Account:
        account = bank.account(pubkey, slot)
        if account is None:
            raise invalid_param("could not find account")
        if account.owner not in addresses.TOKEN_PROGRAMS or not is_token_account(account.data):
            raise invalid_param("not a Token account")
        return account

    def mint_account(pubkey: Pubkey, slot: int) -> Account:
        account = bank.account(pubkey, slot)
        if account is None:
            raise invalid_param("could not find mint")
        if account.owner not in addresses.TOKEN_PROGRAMS or not is_mint(account.data):
            raise invalid_param("Token mint could not be unpacked")
        return account

    def display_of(mint: Account, slot: int) -> MintDisplay:
        return MintDisplay.of_mint(mint.data, bank.timeline.unix_ts(slot))

    def get_token_account_balance(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        pubkey = params.pubkey(0)
        slot = rpc.slot(params.config(1, "CommitmentConfig"))
        fields = token_account_fields(token_account(pubkey, slot).data)
        assert fields is not None
        mint, _, amount_raw = fields
        display = display_of(mint_account(mint, slot), slot)
        return rpc.with_context(slot, ui_token_amount(amount_raw, display))

    def get_token_supply(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        pubkey = params.pubkey(0)
        slot = rpc.slot(params.config(1, "CommitmentConfig"))
        mint = bank.account(pubkey, slot)
        if mint is None:
            raise invalid_param("could not find account")
        if mint.owner not in addresses.TOKEN_PROGRAMS:
            raise invalid_param("not a Token mint")
        if not is_mint(mint.data):
            raise invalid_param("mint could not be unpacked")
        supply_raw = int.from_bytes(mint.data[36:44], "little")
        return rpc.with_context(slot, ui_token_amount(supply_raw, display_of(mint, slot)))

    def get_token_largest_accounts(raw: Any) -> Json:
        params = Params(raw, 1, 1)
        pubkey = params.pubkey(0)
        slot = rpc.slot(params.config(1, "CommitmentConfig"))
        mint = mint_account(pubkey, slot)
        display = display_of(mint, slot)
        amounts = []
        for address, account in bank.program_accounts(mint.owner, slot):
            fields = token_account_fields(account.data)
            if fields is not None and fields[0] == pubkey:
                amounts.append((fields[2], str(address)))
        amounts.sort(key=lambda pair: (-pair[0], pair[1]))
        largest = [
            {"address": address, **ui_token_amount(amount_raw, display)}
            for amount_raw, address in amounts[:_LARGEST_ACCOUNTS]
        ]
        return rpc.with_context(slot, largest)

    def token_filter(params: Params, slot: int) -> tuple[tuple[Pubkey, ...], Pubkey | None]:
        """The token programs to look in, and the mint if one is asked for."""
        value = params.value(1)
        if not isinstance(value, dict):
            raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected string or map.")
        if len(value) != 1:
            raise invalid_params("Invalid params: invalid value: map, expected map with a single key.")
        ((name, text),) = value.items()
        if name == "mint":
            mint = as_pubkey(as_string(text))
            return (mint_account(mint, slot).owner,), mint
        if name == "programId":
            program = as_pubkey(as_string(text))
            if program not in addresses.TOKEN_PROGRAMS:
                raise invalid_param("unrecognized Token program id")
            return (program,), None
        raise invalid_params(f"Invalid params: unknown variant `{name}`, expected `mint` or `programId`.")

    def accounts_by(raw: Any, wanted: Callable[[bytes, bytes], bool]) -> Json:
        params = Params(raw, 2, 1)
        holder = bytes(params.pubkey(0))
        config = params.config(2, "RpcAccountInfoConfig")
        format_ = AccountFormat.of(config, "binary")
        slot = rpc.slot(config)
        programs, mint = token_filter(params, slot)
        display = rpc.mint_display(slot)
        found = []
        for program in programs:
            for pubkey, account in bank.program_accounts(program, slot):
                data = account.data
                if not is_token_account(data) or not wanted(data, holder):
                    continue
                if mint is not None and data[:32] != bytes(mint):
                    continue
                shown = encode_account(pubkey, account, format_.encoding, format_.data_slice, display)
                found.append({"account": shown, "pubkey": str(pubkey)})
        return rpc.with_context(slot, found)

    def get_token_accounts_by_owner(raw: Any) -> Json:
        return accounts_by(raw, lambda data, owner: data[32:64] == owner)

    def get_token_accounts_by_delegate(raw: Any) -> Json:
        return accounts_by(raw, lambda data, delegate: data[72:108] == b"\1\0\0\0" + delegate)

    return {
        "getTokenAccountBalance": get_token_account_balance,
        "getTokenSupply": get_token_supply,
        "getTokenLargestAccounts": get_token_largest_accounts,
        "getTokenAccountsByOwner": get_token_accounts_by_owner,
        "getTokenAccountsByDelegate": get_token_accounts_by_delegate,
    }
