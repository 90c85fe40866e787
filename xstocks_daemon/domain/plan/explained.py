"""M12: every change of supply is explained by the journal or by a holder's own burn."""

from __future__ import annotations

from xstocks_daemon.domain.decisions import HolderBurnAlert
from xstocks_daemon.domain.intent import IntentState
from xstocks_daemon.domain.plan.context import AssetContext
from xstocks_daemon.domain.plan_inputs import AssetJournal, Halt, HaltReason, totals_of
from xstocks_daemon.domain.snapshot import AssetView


def unexplained(view: AssetView, journal: AssetJournal) -> Halt | None:
    """M12: a sequence or total that the journal lacks, or a fall of holder_burnt, halts the asset. A sequence below
    the journal's is an old reading and halts nothing."""
    seen, known = totals_of(view.asset), journal.totals
    if seen.sequence < known.sequence:
        return None
    executed = journal.live is not None and journal.live.state is IntentState.SUBMITTED
    if seen != known and not (executed and seen == journal.planned):
        reason = HaltReason.TOTALS_DIFFER if seen.sequence == known.sequence else HaltReason.FOREIGN_SEQUENCE
        return Halt(view.asset.mint, reason, f"chain {_numbers(seen)}, journal {_numbers(known)}")
    if view.holder_burnt_raw < journal.holder_burnt_raw:
        numbers = f"chain {view.holder_burnt_raw}, journal {journal.holder_burnt_raw}"
        return Halt(view.asset.mint, HaltReason.HOLDER_BURNT_FELL, numbers)
    return None


def _numbers(totals: object) -> str:
    fields = ("sequence", "adopted_raw", "minted_raw", "burnt_raw", "distributed_raw")
    return " ".join(f"{name}={getattr(totals, name)}" for name in fields)


def holder_burn_alert(context: AssetContext) -> HolderBurnAlert | None:
    """M12: a rise of holder_burnt is recorded and alerted, and halts nothing."""
    burnt, recorded = context.view.holder_burnt_raw, context.journal.holder_burnt_raw
    behind = context.view.asset.sequence < context.journal.totals.sequence
    return HolderBurnAlert(context.mint, recorded, burnt) if burnt > recorded and not behind else None
