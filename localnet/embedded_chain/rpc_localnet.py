"""Methods that no validator has, so that tests need not wait. Their names begin with `localnet_`."""

from __future__ import annotations

from typing import Any, Final

from solders.account import Account

from localnet.embedded_chain.errors import invalid_params
from localnet.embedded_chain.params import Config, Params, as_list, as_pubkey, as_string, decode_base64
from localnet.embedded_chain.rpc_context import Json, Method, RpcContext

_MAX_ADVANCE_SLOTS: Final = 1_000_000
_MAX_ACCOUNT_BYTES: Final = 10 * 1024 * 1024


def localnet_methods(rpc: RpcContext) -> dict[str, Method]:
    """localnet_advanceSlots, localnet_warpClock, localnet_setAccount; README.md has their parameters and results."""
    bank = rpc.bank

    def options(raw: Any) -> Config:
        return Params(raw, 1).config(0, "object")

    def advance_slots(raw: Any) -> int:
        """[{"slots": n}]: begin n new slots at once; gives the newest slot. The clock does not jump."""
        slots = options(raw).u64("slots")
        if slots is None or not 1 <= slots <= _MAX_ADVANCE_SLOTS:
            raise invalid_params(f"localnet_advanceSlots: slots must be 1 to {_MAX_ADVANCE_SLOTS}")
        bank.advance(slots)
        return bank.timeline.slot

    def warp_clock(raw: Any) -> int:
        """[{"advance_secs": n}] or [{"unix_timestamp": t}]: put the clock forward for good, in a new slot.

        Gives the new slot's unix time. The clock never goes back: no program expects that.
        """
        config = options(raw)
        secs, unix_ts = config.u64("advance_secs"), config.u64("unix_timestamp")
        if (secs is None) == (unix_ts is None):
            raise invalid_params("localnet_warpClock: give advance_secs or unix_timestamp, one of the two")
        if unix_ts is not None:
            secs = unix_ts - bank.timeline.unix_ts(bank.timeline.slot)
            if secs < 0:
                raise invalid_params(
                    f"localnet_warpClock: unix_timestamp {unix_ts} is before the chain's {unix_ts - secs}"
                )
        assert secs is not None
        if bank.timeline.unix_ts(bank.timeline.slot) + secs >= 2**62:
            raise invalid_params(f"localnet_warpClock: {secs} s is beyond the clock's range")
        return bank.warp_clock(secs)

    def set_account(raw: Any) -> Json:
        """[address, {"lamports", "owner", "data": [text, "base64"], "executable"}]: replace an account.

        No lamports removes it. Gives the slot of the change.
        """
        params = Params(raw, 2)
        pubkey = params.pubkey(0)
        config = params.config(1, "object")
        lamports, owner = config.u64("lamports"), config.string("owner")
        if lamports is None or owner is None:
            raise invalid_params("localnet_setAccount: lamports and owner are needed")
        data = as_list(config.fields.get("data", ["", "base64"]))
        if len(data) != 2 or data[1] != "base64":
            raise invalid_params('localnet_setAccount: data must be [text, "base64"]')
        content = decode_base64(as_string(data[0]))
        if len(content) > _MAX_ACCOUNT_BYTES:
            raise invalid_params(f"localnet_setAccount: data is over {_MAX_ACCOUNT_BYTES} bytes")
        account = Account(lamports, content, as_pubkey(owner), config.boolean("executable"))
        bank.set_account(pubkey, account)
        return {"slot": bank.timeline.slot}

    return {
        "localnet_advanceSlots": advance_slots,
        "localnet_warpClock": warp_clock,
        "localnet_setAccount": set_account,
    }
