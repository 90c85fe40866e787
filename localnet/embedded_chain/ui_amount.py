"""Token amounts as people see them: the UI amount of a raw amount, as Token-2022's interface computes it.

Binary floating point is right here and only here: it is how Token-2022 defines what a wallet shows for mints
with ScaledUiAmount or InterestBearingConfig.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

from localnet.embedded_chain.token_layout import extensions

_INTEREST_BEARING = 10
_SCALED_UI_AMOUNT = 25
_SECS_PER_YEAR = 60 * 60 * 24 * 365.24


@dataclass(frozen=True, slots=True)
class MintDisplay:
    """What of a mint decides how its amounts are shown at one moment.

    `multiplier` None: amounts are shown as they are; it is then exact decimal arithmetic.
    """

    decimals: int
    multiplier: float | None = None
    truncates: bool = False

    @classmethod
    def of_mint(cls, data: bytes, unix_ts: int) -> MintDisplay:
        """`data` is that of an initialised mint, `unix_ts` the chain's time."""
        decimals = data[44]
        for kind, value in extensions(data):
            if kind == _INTEREST_BEARING and len(value) == 52:
                return cls(decimals, _interest(value, unix_ts))
            if kind == _SCALED_UI_AMOUNT and len(value) == 56:
                old, effective_ts, new = struct.unpack_from("<dqd", value, 32)
                return cls(decimals, new if unix_ts >= effective_ts else old, truncates=True)
        return cls(decimals)


def _interest(value: bytes, unix_ts: int) -> float:
    """Continuously compounded: the average rate until its last change, the present one since."""
    initial_ts, average_bps, updated_ts, present_bps = struct.unpack_from("<qhqh", value, 32)
    before = average_bps * (updated_ts - initial_ts) / _SECS_PER_YEAR / 10_000
    since = present_bps * (unix_ts - updated_ts) / _SECS_PER_YEAR / 10_000
    return math.exp(before) * math.exp(since)


def ui_token_amount(amount_raw: int, display: MintDisplay) -> dict[str, Any]:
    """The UiTokenAmount object of the RPC."""
    decimals = display.decimals
    if display.multiplier is None:
        text = _decimal_text(amount_raw, decimals)
        number: float | None = amount_raw / 10**decimals
    else:
        if display.truncates:
            # Truncated at the raw unit, so that nobody sees more than there is.
            scaled = float(math.trunc(amount_raw * display.multiplier)) / 10.0**decimals
        else:
            scaled = amount_raw * (display.multiplier / 10.0**decimals)
        text = _trim(f"{scaled:.{decimals}f}") if math.isfinite(scaled) else str(scaled)
        number = float(text)
    return {"amount": str(amount_raw), "decimals": decimals, "uiAmount": number, "uiAmountString": text}


def _decimal_text(amount_raw: int, decimals: int) -> str:
    if decimals == 0:
        return str(amount_raw)
    digits = str(amount_raw).rjust(decimals + 1, "0")
    return _trim(f"{digits[:-decimals]}.{digits[-decimals:]}")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
