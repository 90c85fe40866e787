"""What RPC methods share: the bank, and how a request's configuration chooses a slot and an encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from solders.pubkey import Pubkey

from localnet.embedded_chain.bank import Bank
from localnet.embedded_chain.encode_account import ENCODINGS, DataSlice, encode_account
from localnet.embedded_chain.errors import min_context_slot_not_reached
from localnet.embedded_chain.params import Config
from localnet.embedded_chain.token_layout import is_mint
from localnet.embedded_chain.ui_amount import MintDisplay

Json = dict[str, Any]
#: A method takes the raw `params` of its request and gives its `result`; it raises RpcError.
Method = Callable[[Any], Any]

#: The release whose answers are modelled; clients see it in getVersion and in every context.
API_VERSION: Final = "4.2.2"


@dataclass(frozen=True, slots=True)
class RpcContext:
    """The bank, and what every method does with it."""

    bank: Bank

    def slot(self, config: Config) -> int:
        """The slot of the configuration's commitment. Raises RpcError where minContextSlot is above it."""
        slot = self.bank.timeline.slot_at(config.commitment)
        minimum = config.u64("minContextSlot")
        if minimum is not None and slot < minimum:
            raise min_context_slot_not_reached(slot)
        return slot

    def with_context(self, slot: int, value: Any) -> Json:
        """The answer of a method whose result says which slot it is of."""
        return {"context": {"apiVersion": API_VERSION, "slot": slot}, "value": value}

    def mint_display(self, slot: int) -> Callable[[Pubkey], MintDisplay | None]:
        """How amounts of a mint are shown at `slot`; the function gives None where there is no such mint."""

        def display(mint: Pubkey) -> MintDisplay | None:
            account = self.bank.account(mint, slot)
            if account is None or not is_mint(account.data):
                return None
            return MintDisplay.of_mint(account.data, self.bank.timeline.unix_ts(slot))

        return display

    def account_json(self, pubkey: Pubkey, slot: int, format_: AccountFormat) -> Json | None:
        """The account as of `slot` in the format asked for; None where there is none. Raises RpcError."""
        account = self.bank.account(pubkey, slot)
        if account is None:
            return None
        return encode_account(pubkey, account, format_.encoding, format_.data_slice, self.mint_display(slot))


@dataclass(frozen=True, slots=True)
class AccountFormat:
    """How an account's data are shown: `encoding` is one of ENCODINGS, `data_slice` None for all of it."""

    encoding: str
    data_slice: DataSlice | None

    @classmethod
    def of(cls, config: Config, default: str) -> AccountFormat:
        """What the configuration asks for, `default` where it names no encoding. Raises RpcError."""
        slice_config = config.config("dataSlice", "UiDataSliceConfig")
        data_slice = None
        if slice_config is not None:
            data_slice = DataSlice(slice_config.required_usize("offset"), slice_config.required_usize("length"))
        return cls(config.variant("encoding", ENCODINGS) or default, data_slice)
