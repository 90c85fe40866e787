"""Planted bugs of xstocks_daemon/domain."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, gone, of, swap
from tests.mutants.python.words import off

#: The tests of the plan, by subject.
PLAN = (
    "domain/plan_mints domain/plan_relays domain/plan_burns domain/plan_explained domain/plan_intents "
    "domain/plan_distributions domain/plan_evidence domain/plan_rounding domain/plan_properties"
)

MUTANTS: tuple[Mutant, ...] = (
    # ---- grouping --------------------------------------------------------------------------------------------------
    *of(
        "domain/batches.py",
        "domain/batches",
        swap("batch-limit", "len(batches[-1]) < limit and", "", "keeps to 18 entries in a transaction"),
        swap("batch-custodians", "<= MAX_CUSTODIANS\n", "<= MAX_CUSTODIANS + 1\n", "keeps to five custodians a batch"),
        swap("batch-table", "bool(batches) and tables[mint] == table", "bool(batches)", "keeps to one table a batch"),
        swap(
            "batch-union",
            "table, union = tables[mint], set(custodians.get(mint, ()))",
            "table, union = tables[mint], wanted",
            "counts the custodians of a new batch from none on",
        ),
        swap("batch-order", "in sorted(items, key=rank):", "in items:", "groups alike whatever the order given"),
        swap("group-limit", " and len(groups[-1]) < limit:", ":", "keeps to 24 entries in a statement"),
        swap(
            "group-table", "if groups and tables[mint] == table and", "if groups and", "keeps to one table a statement"
        ),
        swap(
            "group-alone",
            "sorted(set(mints) - own_group,",
            "sorted(set(mints),",
            "asks about an asset before its change in a statement of its own only",
        ),
    ),
    # ---- plan: what the journal explains ---------------------------------------------------------------------------
    *of(
        "domain/plan/explained.py",
        PLAN,
        off("plan-old-reading", "seen.sequence < known.sequence", "takes an older reading for what it is (M12)"),
        swap(
            "plan-foreign",
            "if seen != known and not (executed",
            "if seen.sequence == known.sequence and seen != known and not (executed",
            "halts on a sequence number that the journal lacks (M12)",
        ),
        swap(
            "plan-totals",
            "if seen != known and not",
            "if seen.sequence != known.sequence and not",
            "halts on totals that the journal lacks (M12)",
        ),
        swap(
            "plan-executed-any",
            "(executed and seen == journal.planned)",
            "executed",
            "compares the totals with the intent under way (M12)",
        ),
        swap(
            "plan-executed-pending",
            "executed = journal.live is not None and journal.live.state is IntentState.SUBMITTED",
            "executed = journal.live is not None",
            "knows that an intent without an attempt cannot have executed (M12)",
        ),
        swap(
            "plan-holder-fell",
            "if view.holder_burnt_raw < journal.holder_burnt_raw:",
            "if False:",
            "halts on a fall of what holders burnt (M12)",
        ),
        swap("plan-alert", "if burnt > recorded and not behind", "if False", "tells people what holders burnt (M12)"),
        swap(
            "plan-alert-behind",
            "burnt > recorded and not behind",
            "burnt > recorded",
            "waits for a present reading before it alerts",
        ),
    ),
    *of(
        "domain/plan/planning.py",
        PLAN,
        swap("plan-halted", "if journal.halt is not None:", "if False:", "leaves a halted asset alone (M12)"),
        swap(
            "plan-behind-waits",
            "if context.view.asset.sequence < journal.totals.sequence:",
            "if False:",
            "plans nothing on an older reading (M11)",
        ),
        swap(
            "plan-in-flight",
            "if journal.live is not None and journal.live.state is IntentState.SUBMITTED:\n        return Decision",
            "if False:\n        return Decision",
            "plans nothing while an attempt may execute (M11)",
        ),
        swap(
            "plan-quarantined",
            "if journal.quarantine is not None:",
            "if False:",
            "leaves a quarantined asset alone",
        ),
        # ---- resend or drop
        swap(
            "plan-covers-more",
            "if wanted is None or pending.amount_raw > wanted.amount_raw:",
            "if wanted is None:",
            "drops an intent of more than is wanted now",
        ),
        swap(
            "plan-covers-kind",
            "replace(wanted, amount_raw=pending.amount_raw))",
            "replace(wanted, kind=pending.kind, amount_raw=pending.amount_raw))",
            "drops a burn where a mint is wanted",
        ),
        swap(
            "plan-covers-exact",
            "exact = pending.kind is IntentKind.DISTRIBUTE",
            "exact = False",
            "sends an order again as it was ordered only",
        ),
        swap(
            "plan-covers-inexact",
            "exact = pending.kind is IntentKind.DISTRIBUTE",
            "exact = True",
            "sends a pending mint again where more is wanted by now",
        ),
        # ---- distribute
        swap(
            "plan-first-burn",
            "if burn is not None and burn.intent is not None:",
            "if False:",
            "burns before it distributes",
        ),
    ),
    *of(
        "domain/plan/targets.py",
        PLAN,
        # ---- target
        swap(
            "plan-rounding-entries",
            "context.policy.rounding_nano * len(counted)",
            "context.policy.rounding_nano * len(asset.entries)",
            "grants no rounding for entries that do not count",
        ),
        swap(
            "plan-rounding-limit",
            "lacking_nano <= context.policy.rounding_nano * len(counted)",
            "lacking_nano < context.policy.rounding_nano * len(counted)",
            "grants each entry its rounding",
        ),
        swap(
            "plan-unacknowledged",
            "max(0, planned.holder_burnt_raw - journal.acknowledged_raw)",
            "0",
            "leaves out of the target what holders burnt (M12)",
        ),
        swap(
            "plan-acknowledged",
            "max(0, planned.holder_burnt_raw - journal.acknowledged_raw)",
            "max(0, planned.holder_burnt_raw)",
            "mints again what two people acknowledged (M12)",
        ),
        swap(
            "plan-lowered",
            "lowered_raw += max(0, entry.sum_raw - known.newest.sum_raw)",
            "pass",
            "believes a lower number that is not on chain",
        ),
        swap(
            "plan-lowered-older",
            "if known is not None and known.newest.observed_ms > entry.observed_ms:",
            "if known is not None:",
            "leaves a lower number alone that the chain has replaced",
        ),
        swap(
            "plan-lowered-sum",
            "max(0, entry.sum_raw - known.newest.sum_raw)",
            "max(0, entry.capacity_raw - known.newest.entry.capacity_raw)",
            "tells a counted redemption from a lower number (M6)",
        ),
        swap(
            "plan-burn-lower",
            "max(known.newest.sum_raw, known.previous.sum_raw)",
            "min(known.newest.sum_raw, known.previous.sum_raw)",
            "burns only what both statements agree on",
        ),
        swap(
            "plan-burn-newest",
            "max(known.newest.sum_raw, known.previous.sum_raw)",
            "known.newest.sum_raw",
            "asks the older statement how much may be burnt",
        ),
        swap(
            "plan-burn-redeemed",
            "known.previous.sum_raw) - entry.redeemed_total_raw",
            "known.previous.sum_raw) - entry.redeemed_seen_raw",
            "leaves unseen redemptions out of what a burn must leave (M6)",
        ),
        swap(
            "plan-burn-detached",
            "            backing -= entry.unseen_raw",
            "            pass",
            "counts the unseen redemptions of a detached entry before it burns (M6)",
        ),
        swap(
            "plan-burn-negative",
            "return max(0, max(0, backing) - context.unacknowledged_raw)",
            "return backing - context.unacknowledged_raw",
            "stops at nothing left when it burns",
        ),
        swap(
            "plan-excess-fresh",
            "if not context.all_fresh(context.planned):",
            "if False:",
            "takes silence for no excess",
        ),
        swap(
            "plan-excess-planned",
            "if not context.all_fresh(context.planned):\n        return 0\n"
            "    backed_raw = max(0, backing_raw(context.planned,",
            "if not context.all_fresh(context.view):\n        return 0\n"
            "    backed_raw = max(0, backing_raw(context.view,",
            "keeps inventory back by the statements it relays",
        ),
    ),
    *of(
        "domain/plan/context.py",
        PLAN,
        # ---- what stops
        swap(
            "plan-pause-config",
            "on = context.snapshot.config.paused | context.view.asset.paused",
            "on = context.view.asset.paused",
            "looks at the pause of everything (M8)",
        ),
        swap(
            "plan-pause-asset",
            "on = context.snapshot.config.paused | context.view.asset.paused",
            "on = context.snapshot.config.paused",
            "looks at the pause of the asset (M8)",
        ),
        swap(
            "plan-pause-mint-itself",
            "return context.view.mint.paused or bool",
            "return bool",
            "looks at the pause of the mint itself (M8)",
        ),
        swap(
            "plan-pause-transfers",
            "bool(on & (scope | Scope.TRANSFERS))",
            "bool(on & scope)",
            "stops everything while transfers are paused (M8)",
        ),
        swap(
            "plan-ripcord-first-only",
            "    for entry in context.view.asset.attached:\n        words =",
            "    for entry in context.view.asset.attached[:1]:\n        words =",
            "looks at the ripcord of each custodian",
        ),
        swap(
            "plan-multiplier-differs",
            "return context.view.mint.effective_multiplier_bits(now_ts) != "
            "context.view.asset.effective_multiplier_bits(now_ts)",
            "return False",
            "compares the mint's multiplier with the asset's (M9)",
        ),
    ),
    *of(
        "domain/plan/mints.py",
        PLAN,
        swap(
            "plan-hold-expected-all",
            "    return any(\n        entry != after",
            "    return bool(context.view.asset.attached) and all(\n        entry != after",
            "foresees the hold of one of several statements (M9)",
        ),
        swap(
            "plan-mint-state",
            "if context.view.asset.state is not AssetState.ACTIVE:",
            "if False:",
            "mints of active assets only",
        ),
        swap("plan-mint-pause", "if paused(context, Scope.MINT):", "if False:", "looks at pauses before it mints (M8)"),
        swap(
            "plan-mint-hold",
            "    if context.view.asset.holds:\n        return Reason.HELD",
            "",
            "looks at holds before it mints (M9)",
        ),
        swap(
            "plan-mint-change",
            "    if context.view.asset.change_announced:\n        return Reason.MULTIPLIER_CHANGE",
            "",
            "mints nothing while a multiplier is announced (M9)",
        ),
        swap(
            "plan-mint-multiplier",
            "    if multiplier_differs(context):\n        return Reason.MULTIPLIER_DIFFERS",
            "",
            "mints nothing on a mint with another multiplier (M9)",
        ),
        swap(
            "plan-mint-ripcord",
            "    if ripcord(context) is not None:\n        return Reason.RIPCORD",
            "",
            "mints nothing where a custodian pulled the ripcord",
        ),
        swap(
            "plan-mint-hold-expected",
            "    if _hold_expected(context):\n        return Reason.HOLD_EXPECTED",
            "",
            "mints nothing on a statement that will set a hold (M9)",
        ),
        swap(
            "plan-mint-limit",
            "max(0, asset.policy.supply_limit_raw - context.supply_raw)",
            "asset.policy.supply_limit_raw",
            "counts what exists in the supply limit (M5)",
        ),
        swap(
            "plan-mint-limit-negative",
            "max(0, asset.policy.supply_limit_raw - context.supply_raw)",
            "asset.policy.supply_limit_raw - context.supply_raw",
            "takes a supply above its limit for no room (M5)",
        ),
        swap(
            "plan-mint-allowance",
            "(bucket_raw + asset.initial_mint_raw, Reason.BUCKET)",
            "(bucket_raw, Reason.BUCKET)",
            "uses the one-time allowance (M5)",
        ),
        swap(
            "plan-mint-bucket",
            "        (bucket_raw + asset.initial_mint_raw, Reason.BUCKET),\n",
            "",
            "keeps to the mint bucket (M5)",
        ),
        swap(
            "plan-mint-policy",
            "if context.policy.max_mint_raw is not None:",
            "if False:",
            "keeps to the policy's greatest mint",
        ),
    ),
    *of(
        "domain/plan/burns.py",
        PLAN,
        # ---- burn
        swap(
            "plan-burn-bucket",
            "amount_raw = min(burnable_raw, bucket_raw)",
            "amount_raw = burnable_raw",
            "keeps to the bucket of burns (M5)",
        ),
        swap(
            "plan-burn-whole",
            "is_large = burnable_raw * BPS",
            "is_large = amount_raw * BPS",
            "judges a burn whole that the bucket cuts into pieces",
        ),
        swap(
            "plan-burn-state",
            "if context.view.asset.state not in (AssetState.ACTIVE, AssetState.RETIRED):",
            "if False:",
            "burns of active and retired assets only",
        ),
        swap("plan-burn-pause", "if paused(context, Scope.BURN):", "if False:", "looks at pauses before it burns (M8)"),
        swap(
            "plan-burn-hold",
            "    if context.view.asset.holds:\n        return Note(Reason.HELD)",
            "",
            "burns nothing while held (M9)",
        ),
        swap(
            "plan-burn-change",
            "    if context.view.asset.change_announced:\n        # Shares",
            "    if False:\n        # Shares",
            "burns nothing while a multiplier is announced (M9)",
        ),
        swap(
            "plan-burn-multiplier",
            "    if multiplier_differs(context):\n        return Note(Reason.MULTIPLIER_DIFFERS)",
            "",
            "burns nothing on a mint with another multiplier (M9)",
        ),
        swap(
            "plan-burn-ripcord",
            "    if pulled is not None:\n        return pulled",
            "",
            "burns nothing where a custodian pulled the ripcord",
        ),
        swap(
            "plan-burn-failure",
            "if entry.custodian in context.custody.failures:\n            detail",
            "if False:\n            detail",
            "burns nothing while a source does not answer",
        ),
        swap(
            "plan-burn-evidence",
            "        if missing is not None:\n            return Note(missing, custodian=entry.custodian)",
            "",
            "asks for two statements before it burns",
        ),
        swap(
            "plan-burn-fresh",
            "if not context.fresh(entry) or known is None:",
            "if known is None:",
            "burns on fresh entries only",
        ),
        swap(
            "plan-burn-relayed-capacity",
            "    if (known.newest.entry.capacity_raw, known.newest.entry.redeemed_seen_raw) != (\n"
            "        entry.capacity_raw,\n"
            "        entry.redeemed_seen_raw,\n"
            "    ):",
            "    if known.newest.entry.redeemed_seen_raw != entry.redeemed_seen_raw:",
            "waits for the relay of a capacity before it burns",
        ),
        swap(
            "plan-burn-relayed-seen",
            "    if (known.newest.entry.capacity_raw, known.newest.entry.redeemed_seen_raw) != (\n"
            "        entry.capacity_raw,\n"
            "        entry.redeemed_seen_raw,\n"
            "    ):",
            "    if known.newest.entry.capacity_raw != entry.capacity_raw:",
            "waits for the relay of what was seen redeemed before it burns (M6)",
        ),
        swap(
            "plan-burn-statement-epoch",
            "(statement.epoch, known.newest.entry.multiplier_bits) != (entry.epoch, entry.multiplier_bits)",
            "known.newest.entry.multiplier_bits != entry.multiplier_bits",
            "burns on statements of the present epoch only",
        ),
        swap(
            "plan-burn-statement-expiry",
            "        or now_ts >= statement.expires_ts\n",
            "",
            "burns on statements that have not expired only",
        ),
        swap(
            "plan-burn-statement-age",
            "        or now_ts * MILLIS_PER_SEC - statement.observed_ms > max_age_secs * MILLIS_PER_SEC\n",
            "",
            "burns on statements that are not too old only",
        ),
        swap(
            "plan-burn-previous",
            "        previous is None\n        or previous.observed_ms >= statement.observed_ms\n",
            "        previous is None\n",
            "asks for an older statement beside the newest",
        ),
        swap(
            "plan-burn-previous-epoch",
            "        or (previous.signed.statement.epoch, previous.entry.multiplier_bits) != (entry.epoch, "
            "entry.multiplier_bits)\n",
            "",
            "asks for a second statement of the same epoch and multiplier",
        ),
        swap(
            "plan-burn-rounding",
            "if context.supply_raw - target <= arithmetic_raw:",
            "if False:",
            "burns nothing for what rounding down leaves",
        ),
        swap(
            "plan-burn-vault",
            "burnable_raw = min(proved_raw, context.view.vault_raw)",
            "burnable_raw = proved_raw",
            "burns from the vault only (M7)",
        ),
        swap(
            "plan-burn-redemption-vault",
            "min(proved_raw, context.view.vault_raw)",
            "min(proved_raw, context.view.vault_raw + context.view.redemption_vault_raw)",
            "leaves tokens that wait for redemption alone (M7)",
        ),
        swap(
            "plan-burn-approval",
            "is_large and burnable_raw > approved_raw:",
            "False:",
            "asks two people before a large burn",
        ),
        swap(
            "plan-burn-approval-size",
            "is_large = burnable_raw * BPS > ",
            "is_large = burnable_raw * BPS >= ",
            "burns the greatest share without approval that the policy allows",
        ),
        swap(
            "plan-burn-approval-kept",
            "passed_raw = live.intent.amount_raw if live is not None and live.intent.kind is IntentKind.BURN else 0",
            "passed_raw = 0",
            "remembers the approval of a burn that it sends again",
        ),
        swap(
            "plan-burn-approval-mint",
            "if live is not None and live.intent.kind is IntentKind.BURN else 0",
            "if live is not None else 0",
            "asks for approval of a burn where a mint was pending",
        ),
    ),
    *of(
        "domain/plan/distributions.py",
        PLAN,
        swap(
            "plan-order-journaled",
            "key=lambda order: order.order_id != pending_id",
            "key=lambda order: 0",
            "sends the journaled order first",
        ),
        swap(
            "plan-order-state",
            "    if asset.state is not AssetState.ACTIVE:\n"
            "        return Reason.NOT_ACTIVE\n"
            "    if paused(context, Scope.DISTRIBUTE)",
            "    if paused(context, Scope.DISTRIBUTE)",
            "distributes of active assets only",
        ),
        swap(
            "plan-order-pause",
            "if paused(context, Scope.DISTRIBUTE):",
            "if False:",
            "looks at pauses before it distributes (M8)",
        ),
        swap(
            "plan-order-stranger",
            "if participant is None or participant.state is not ParticipantState.ACTIVE:",
            "if participant is None:",
            "distributes to active participants only (M7)",
        ),
        swap(
            "plan-order-expired",
            "if now_ts >= participant.expires_ts:",
            "if now_ts > participant.expires_ts:",
            "ends a participant's time at its second (M7)",
        ),
        swap(
            "plan-order-inventory",
            "if order.amount_raw > context.view.vault_raw - excess_raw(context):",
            "if False:",
            "looks at the inventory before it distributes",
        ),
        swap(
            "plan-order-excess",
            "context.view.vault_raw - excess_raw(context):",
            "context.view.vault_raw:",
            "keeps inventory back that is to be burnt",
        ),
        swap(
            "plan-order-bucket",
            "return Reason.BUCKET if order.amount_raw > level_raw else None",
            "return None",
            "keeps to the distribute bucket (M5)",
        ),
    ),
    # ---- relays ----------------------------------------------------------------------------------------------------
    *of(
        "domain/relays.py",
        PLAN,
        swap(
            "hold-seen",
            "old_raw = before.sum_raw - after.redeemed_seen_raw",
            "old_raw = before.capacity_raw",
            "tells a counted redemption from a rise (M9)",
        ),
        swap(
            "hold-withdrawn",
            "if before.withdrawn or old_raw <= 0:",
            "if old_raw <= 0:",
            "takes a withdrawn entry for no predecessor (M9)",
        ),
        swap(
            "hold-window",
            "return Hold.CA_WINDOW if asset.around_change(now_ts) else Hold(0)",
            "return Hold(0)",
            "foresees the hold of a first statement around a change (M9)",
        ),
        swap(
            "hold-multiplier-fall",
            "if abs(change) > old_raw * policy.ca_tolerance_bps",
            "if change > old_raw * policy.ca_tolerance_bps",
            "foresees the hold of a fall with a new multiplier (M9)",
        ),
        swap(
            "hold-around",
            "min(policy.max_rise_bps, policy.ca_tolerance_bps) if around_change else",
            "policy.max_rise_bps if around_change else",
            "bounds rises around a change by its tolerance (M9)",
        ),
        swap(
            "hold-rise",
            "return Hold.RISE if change > old_raw * rise_bps",
            "return Hold.RISE if change >= old_raw * rise_bps",
            "allows the greatest rise exactly (M9)",
        ),
        swap(
            "relay-retired",
            "if custodian is None or custodian.state is not CustodianState.ACTIVE:",
            "if custodian is None:",
            "keeps a retired custodian's statement back (M2)",
        ),
        swap(
            "relay-epoch",
            "if statement.epoch != custodian.epoch:",
            "if False:",
            "keeps a statement of another epoch back (M2)",
        ),
        swap(
            "relay-expired",
            "if statement.expires_ts <= snapshot.now_ts:",
            "if statement.expires_ts < snapshot.now_ts:",
            "keeps a statement back in the second it expires (M3)",
        ),
        swap(
            "relay-future",
            "if statement.observed_ms > (snapshot.now_ts + snapshot.config.max_skew_secs) * MILLIS_PER_SEC:",
            "if False:",
            "keeps a statement of the future back (M3)",
        ),
        swap(
            "relay-unknown",
            "        if view is None:\n            return Reason.STATEMENT_UNKNOWN_ASSET",
            "        if view is None:\n            continue",
            "keeps a statement about an unknown asset back",
        ),
        swap(
            "relay-multiplier",
            "if stated.multiplier_bits != view.asset.effective_multiplier_bits(snapshot.now_ts):",
            "if False:",
            "keeps a statement of another multiplier back (M9)",
        ),
        swap(
            "relay-seen",
            "if entry is not None and stated.redeemed_seen_raw > entry.redeemed_total_raw:",
            "if False:",
            "keeps a statement back that counts too many redemptions (M6)",
        ),
        swap(
            "relay-newer",
            "if statement.observed_ms <= entry.observed_ms:",
            "if statement.observed_ms < entry.observed_ms:",
            "relays newer statements only (M3)",
        ),
        swap(
            "relay-lower",
            "    if known.newest.sum_raw < entry.sum_raw:\n        return Reason.LOWER\n",
            "",
            "tells lower statements from others",
        ),
        swap(
            "relay-until",
            "    if until_ts <= snapshot.now_ts:",
            "    if False:",
            "keeps a statement back that would not be fresh",
        ),
        swap(
            "relay-shares",
            "numbers = (stated.shares_nano, stated.capacity_raw, stated.redeemed_seen_raw)\n"
            "    if numbers != (entry.shares_nano, entry.capacity_raw, entry.redeemed_seen_raw):",
            "if stated.capacity_raw != entry.capacity_raw:",
            "relays a statement of which only shares or redemptions changed",
        ),
        swap("relay-not-fresh", "return Reason.NOT_FRESH_ON_CHAIN", "return None", "refreshes a stale entry"),
        swap(
            "relay-confirms",
            "if known.lowered_ms and entry.observed_ms <= settled_ms < statement.observed_ms:",
            "if False:",
            "confirms a lower number past the skew (M13)",
        ),
        swap(
            "relay-renews",
            "min(policy.renew_before_secs, life_secs // 2) else None",
            "policy.renew_before_secs else None",
            "lets short-lived statements live half their life",
        ),
        swap(
            "relay-order",
            "key=lambda relay: (not relay.lower, ",
            "key=lambda relay: (relay.lower, ",
            "relays lower statements first",
        ),
        swap(
            "after-older",
            "if entry is not None and statement.observed_ms > entry.observed_ms:",
            "if entry is not None:",
            "keeps the newer of two statements (M3)",
        ),
        swap(
            "after-withdrawn",
            "                withdrawn=False,\n",
            "",
            "counts a withdrawn entry again that has a new statement",
        ),
        swap(
            "after-detached",
            "entries = {entry.custodian: entry for entry in view.asset.attached}",
            "entries = {entry.custodian: entry for entry in view.asset.entries}",
            "leaves detached entries as they are",
            equivalent="what follows takes only attached entries out of this mapping, and a custodian has one slot",
        ),
    ),
    *of(
        "domain/snapshot.py",
        PLAN,
        swap(
            "relay-detached",
            "if entry.custodian == custodian and entry.state is EntryState.ATTACHED:",
            "if entry.custodian == custodian:",
            "relays for attached entries only",
        ),
    ),
    # ---- snapshot, reserve -----------------------------------------------------------------------------------------
    *of(
        "domain/snapshot.py",
        f"domain/snapshot {PLAN}",
        swap(
            "bucket-burst",
            "return min(burst_raw, self.level_raw",
            "return max(0, self.level_raw",
            "keeps a bucket at its burst (M5)",
        ),
        swap(
            "bucket-clock",
            "elapsed_secs = max(0, now_ts - self.updated_ts)",
            "elapsed_secs = now_ts - self.updated_ts",
            "takes a clock that runs back for no time (M5)",
        ),
        swap(
            "multiplier-pending",
            "if self.multiplier_effective_ts and now_ts >= self.multiplier_effective_ts:",
            "if False:",
            "applies a pending multiplier from its time on (M9)",
        ),
        swap(
            "multiplier-pending-second",
            "if self.multiplier_effective_ts and now_ts >= self.multiplier_effective_ts:",
            "if self.multiplier_effective_ts and now_ts > self.multiplier_effective_ts:",
            "applies a pending multiplier in its very second (M9)",
        ),
        swap(
            "multiplier-mint-second",
            "if now_ts >= self.new_multiplier_effective_ts else",
            "if now_ts > self.new_multiplier_effective_ts else",
            "reads the mint's multiplier in the very second of its change (M9)",
        ),
        swap(
            "window-announced",
            "return self.change_announced or in_window",
            "return in_window",
            "counts an announced change as one (M9)",
        ),
        swap(
            "window-changed",
            "return self.change_announced or in_window",
            "return self.change_announced",
            "is careful for some time after a change (M9)",
        ),
        swap(
            "window-end",
            "now_ts < since_ts + self.policy.ca_window_secs",
            "now_ts <= since_ts + self.policy.ca_window_secs",
            "ends the window at its second (M9)",
        ),
        swap(
            "holder-burnt-adopted",
            "return self.asset.adopted_raw + self.asset.minted_raw",
            "return self.asset.minted_raw",
            "counts what was adopted (M12)",
        ),
        swap(
            "holder-burnt-burnt",
            "- self.asset.burnt_raw - self.mint.supply_raw",
            "- self.mint.supply_raw",
            "counts what was burnt (M12)",
        ),
        swap(
            "circulating-redeeming",
            "self.mint.supply_raw - self.vault_raw - self.redemption_vault_raw",
            "self.mint.supply_raw - self.vault_raw",
            "leaves tokens that wait for redemption out of those in circulation",
        ),
        swap(
            "fresh-attached",
            "        entry.state is EntryState.ATTACHED\n        and not",
            "        not",
            "counts attached entries only",
        ),
        swap("fresh-withdrawn", "        and not entry.withdrawn\n", "", "leaves withdrawn entries out"),
        swap(
            "fresh-retired",
            "        and custodian.state is CustodianState.ACTIVE\n",
            "",
            "leaves retired custodians out",
        ),
        swap(
            "fresh-epoch",
            "        and entry.epoch == custodian.epoch\n",
            "",
            "leaves entries of an older epoch out (M2)",
        ),
        swap(
            "fresh-age",
            "<= policy.max_age_secs * MILLIS_PER_SEC\n",
            "<= policy.max_age_secs * MILLIS_PER_SEC + 1\n",
            "ends an entry's age at its millisecond",
        ),
        swap(
            "fresh-age-short",
            "entry.observed_ms <= policy.max_age_secs",
            "entry.observed_ms < policy.max_age_secs",
            "counts an entry up to its greatest age",
        ),
        swap(
            "fresh-expiry",
            "and now_ts < entry.expires_ts\n",
            "and now_ts <= entry.expires_ts\n",
            "ends an entry at its second",
        ),
        swap(
            "fresh-multiplier",
            "        and entry.multiplier_bits == multiplier_bits\n",
            "",
            "leaves entries of another multiplier out (M9)",
        ),
        swap("sum-cap", "return min(U64_MAX, sum(amounts_raw))", "return sum(amounts_raw)", "adds as the program adds"),
        swap(
            "backing-unseen",
            "capped_sum(entry.unseen_raw for entry in view.asset.entries)",
            "capped_sum(entry.unseen_raw for entry in fresh_entries(view.asset, custodians, now_ts))",
            "takes unseen redemptions of all entries off (M6)",
        ),
        swap(
            "ceiling-negative",
            "return max(0, backing_raw(view, custodians, now_ts))",
            "return backing_raw(view, custodians, now_ts)",
            "stops a ceiling at zero",
        ),
    ),
    *of(
        "domain/reserve.py",
        "domain/reserve reserve/vectors",
        swap(
            "reserve-backed",
            "return self.supply_raw <= self.ceiling_raw",
            "return self.supply_raw < self.ceiling_raw",
            "calls a supply at its ceiling fully backed",
        ),
        swap(
            "reserve-backed-one",
            "return self.supply_raw <= self.ceiling_raw",
            "return self.supply_raw <= self.ceiling_raw + 1",
            "calls a supply one above its ceiling a shortfall",
        ),
        swap(
            "reserve-lacking",
            "lacks_less_than_nano=0 if mint.supply_raw <= ceiling_raw else lacking_nano",
            "lacks_less_than_nano=lacking_nano",
            "says that nothing is lacking where the supply is backed",
        ),
        swap(
            "reserve-lacking-unseen",
            "lacks_less_than_nano(mint.supply_raw + unseen_raw,",
            "lacks_less_than_nano(mint.supply_raw,",
            "counts redeemed tokens among those that shares must be there for",
        ),
        swap("reserve-clock", "if not 0 <= now_ts < _END_OF_TIME_TS:", "if False:", "refuses a clock that is none"),
        swap("reserve-mint", "if mint_address != asset.mint:", "if False:", "refuses another asset's mint"),
        swap(
            "reserve-custodian",
            "for address in passed.keys() - {entry.custodian for entry in asset.entries}:",
            "for address in ():",
            "refuses a custodian without an entry",
        ),
        swap(
            "reserve-multiplier",
            "fresh = fresh_entries(asset, passed, now_ts) if agreed else []",
            "fresh = fresh_entries(asset, passed, now_ts)",
            "compares the mint's multiplier with the asset's (M9)",
        ),
        swap(
            "reserve-age",
            "max(0, -((entry.observed_ms - now_ts * MILLIS_PER_SEC) // MILLIS_PER_SEC))",
            "max(0, (now_ts * MILLIS_PER_SEC - entry.observed_ms) // MILLIS_PER_SEC)",
            "rounds ages up",
        ),
        swap(
            "reserve-sealed",
            "is_bound = config.sealed and",
            "is_bound =",
            "says that nothing is enforced before sealing",
        ),
        swap(
            "reserve-released",
            "and is_bound and asset.state is not AssetState.RELEASED",
            "and is_bound",
            "says that nothing is enforced of a released asset",
        ),
        swap(
            "reserve-timelock",
            "config.sealed and config.timelock_secs >= terms.min_timelock_secs",
            "config.sealed",
            "asks for the timelock that the reader asks for",
        ),
        swap(
            "reserve-authority",
            "return replaced_as_agreed and is_bound",
            "return is_bound",
            "says that nothing is enforced where a stranger may replace the program",
        ),
        swap(
            "reserve-paused",
            "paused=config.paused | asset.paused",
            "paused=asset.paused",
            "shows the pause of everything",
        ),
        swap(
            "reserve-unseen",
            "for entry in fresh) - unseen_raw)",
            "for entry in fresh))",
            "takes unseen redemptions off (M6)",
        ),
    ),
    # ---- units, statements, intents --------------------------------------------------------------------------------
    *of(
        "domain/units.py",
        "domain/units domain/vectors",
        swap("unit-u64", "if not 0 <= value <= U64_MAX:", "if not 0 <= value:", "refuses what does not fit an u64"),
        swap("unit-multiplier-sign", "if multiplier_bits >> 63 or not", "if not", "refuses a negative multiplier"),
        swap(
            "unit-multiplier-normal",
            "not _MIN_NORMAL_EXPONENT <= exponent < _SPECIAL_EXPONENT",
            "not exponent < _SPECIAL_EXPONENT",
            "refuses a multiplier that is not normal",
        ),
        swap(
            "unit-multiplier-finite",
            "not _MIN_NORMAL_EXPONENT <= exponent < _SPECIAL_EXPONENT",
            "not _MIN_NORMAL_EXPONENT <= exponent",
            "refuses an infinite multiplier",
        ),
        swap(
            "unit-capacity-floor",
            'return checked_u64(exact.numerator // exact.denominator, "capacity_raw")',
            'return checked_u64(-(-exact.numerator // exact.denominator), "capacity_raw")',
            "rounds what shares can back down",
        ),
        swap(
            "unit-shares-ceiling",
            'return checked_u64(-(-exact.numerator // exact.denominator), "shares_nano")',
            'return checked_u64(exact.numerator // exact.denominator, "shares_nano")',
            "rounds the shares that a holder is owed up",
        ),
        swap(
            "unit-decimal",
            '    if not _DECIMAL.fullmatch(text):\n        raise UnitError(f"shares',
            '    if not _DECIMAL.match(text):\n        raise UnitError(f"shares',
            "refuses what is not a plain decimal to its end",
        ),
    ),
    *of(
        "domain/statement.py",
        "domain/statement domain/vectors",
        swap(
            "statement-count",
            "if not 1 <= len(self.entries) <= MAX_ENTRIES:",
            "if not self.entries:",
            "refuses a statement of more than 24 entries",
        ),
        swap(
            "statement-empty",
            "if not 1 <= len(self.entries) <= MAX_ENTRIES:",
            "if len(self.entries) > MAX_ENTRIES:",
            "refuses an empty statement",
        ),
        swap(
            "statement-order",
            "if any(a >= b for a, b in pairwise(mints)):",
            "if any(a > b for a, b in pairwise(mints)):",
            "refuses an asset twice in a statement",
        ),
        swap("statement-epoch", "if not 0 <= self.epoch < 2**32:", "if False:", "refuses an epoch that does not fit"),
        swap(
            "statement-addresses",
            "if len(getattr(self, name)) != 32:",
            "if False:",
            "refuses an address of another length in a statement",
        ),
        swap(
            "statement-mints",
            "if any(len(mint) != 32 for mint in mints):",
            "if False:",
            "refuses a mint of another length",
        ),
        swap(
            "statement-expiry",
            "if not 0 <= self.expires_ts < 2**63:",
            "if not self.expires_ts < 2**63:",
            "refuses a negative expiry",
        ),
        swap(
            "statement-genesis",
            "                self.genesis_hash,\n                self.program_id,\n                self.custodian,",
            "                bytes(32),\n                self.program_id,\n                self.custodian,",
            "binds a statement to its cluster (M2)",
        ),
    ),
    *of(
        "domain/intent.py",
        "domain/statement domain/vectors",
        swap("intent-order-id", "if len(self.order_id) != 16:", "if False:", "refuses an order id of another length"),
        swap(
            "intent-amount",
            'checked_u64(self.amount_raw, "amount_raw")',
            "pass",
            "refuses an amount that does not fit an u64",
        ),
        gone("intent-hash-order", "                self.order_id,\n", "binds an intent's hash to its order"),
    ),
    *of(
        "domain/lifecycle.py",
        "domain/lifecycle",
        swap(
            "life-done-pending",
            "Edge(IntentState.DONE, IntentEvent.RESTARTED, IntentState.DONE,",
            "Edge(IntentState.DONE, IntentEvent.RESTARTED, IntentState.PENDING,",
            "leaves what is done done (M11)",
        ),
        swap(
            "life-submitted-pending",
            "        IntentState.SUBMITTED,\n        IntentEvent.RESTARTED,\n        IntentState.SUBMITTED,",
            "        IntentState.SUBMITTED,\n        IntentEvent.RESTARTED,\n        IntentState.PENDING,",
            "remembers over a restart that an attempt may execute (M11)",
        ),
    ),
)
