"""What custodians say: "do not trust my number" holds until a statement takes it back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    ONE_BITS,
    PROGRAM,
    asset_view,
    mint_of,
    signed_by,
    snapshot_of,
)
from xstocks_daemon.app.custody import CustodyReader
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.settings import PolicySettings
from xstocks_daemon.custody.source import CustodyReading, Ripcord, SourceFailure
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address

MINT = mint_of(1)


class Told:
    """A source that says what it is told."""

    def __init__(self, *readings: CustodyReading) -> None:
        self._readings = list(readings)

    async def read(
        self, wanted: Mapping[Address, Sequence[Sequence[Address]]], at_most_nano: Mapping[Address, int] | None = None
    ) -> CustodyReading:
        assert wanted == {CUSTODIAN: ((MINT,),)}
        return self._readings.pop(0)


def signed(later_ms: int = 0) -> SignedStatement:
    """A statement of now, `later_ms` later: two of the same time would be one repeated."""
    now_ms = time.time_ns() // 1_000_000 + later_ms
    lines = (StatementEntry(MINT, ONE_BITS, 1_000_000_000, 100_000_000, 0),)
    statement = Statement(GENESIS, PROGRAM, CUSTODIAN, 3, now_ms, now_ms // 1_000 + 600, lines)
    return signed_by(statement, CUSTODIAN_KEY, AGENT_KEY)


async def test_a_ripcord_holds_through_silence_until_a_statement_passes() -> None:
    ripcord = Ripcord(CUSTODIAN, (MINT,), "the count is being checked")
    source = Told(
        CustodyReading(ripcords=(ripcord,)),
        CustodyReading(failures=(SourceFailure(CUSTODIAN, (MINT,), "http://127.0.0.1:1", "no answer"),)),
        CustodyReading(),
        CustodyReading(statements=((CUSTODIAN, signed()),), ripcords=(ripcord,)),
        CustodyReading(statements=((CUSTODIAN, signed(later_ms=5)),)),
    )
    reader = CustodyReader(source, {CUSTODIAN: 1}, PolicySettings(), Metrics([1]))
    rounds = [await reader.read(snapshot_of(asset_view(MINT)), {MINT: 0}) for _ in range(5)]
    held = {(MINT, CUSTODIAN): "the count is being checked"}
    assert [each.ripcords for each in rounds] == [held, held, held, held, {}]
    assert [len(each.verified) for each in rounds] == [0, 0, 0, 1, 1]
