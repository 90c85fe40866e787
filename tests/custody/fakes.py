"""A chain that the test sets as it likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.custody.builders import custodian_account, snapshot_of
from xstocks_daemon.attester.chain_view import ChainViewUnavailable
from xstocks_daemon.domain.snapshot import (
    AssetView,
    ChainSnapshot,
    Custodian,
)
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address


@dataclass
class FakeChain:
    """A chain whose accounts the test sets; counts how often it is read."""

    views: dict[Address, AssetView] = field(default_factory=dict)
    custodian: Custodian = field(default_factory=custodian_account)
    reads: int = 0
    failing_reads: int = 0

    def put(self, *views: AssetView) -> None:
        self.views.update({view.asset.mint: view for view in views})

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        self.reads += 1
        if self.failing_reads:
            self.failing_reads -= 1
            raise ChainViewUnavailable("getMultipleAccounts at http://127.0.0.1:1: no connection")
        return snapshot_of(*(self.views[mint] for mint in mints if mint in self.views), custodian=self.custodian)

    def landed(self, signed: SignedStatement) -> None:
        """What submit_attestation does to the entries."""
        for line in signed.statement.entries:
            view = self.views[line.mint]
            entries = tuple(
                replace(
                    entry,
                    withdrawn=False,
                    epoch=signed.statement.epoch,
                    observed_ms=signed.statement.observed_ms,
                    expires_ts=signed.statement.expires_ts,
                    shares_nano=line.shares_nano,
                    capacity_raw=line.capacity_raw,
                    redeemed_seen_raw=line.redeemed_seen_raw,
                    multiplier_bits=line.multiplier_bits,
                )
                if entry.custodian == signed.statement.custodian
                else entry
                for entry in view.asset.entries
            )
            self.views[line.mint] = replace(view, asset=replace(view.asset, entries=entries))
