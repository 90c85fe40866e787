"""What is shown, on the command line and elsewhere, as JSON values: amounts are decimal strings, addresses base58.

The same words stand for the same things everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from xstocks_daemon.app.custody import CustodyRound
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.wire import statement_json
from xstocks_daemon.domain.decisions import AssetPlan, Note, Plan, RelayStatement
from xstocks_daemon.domain.intent import NO_ORDER, Intent
from xstocks_daemon.domain.plan_inputs import AssetJournal, JournalView, Order
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, EntryState, ceiling_raw, entry_is_fresh
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import multiplier_text, shares_text
from xstocks_daemon.journal import IntentRecord

Json = dict[str, Any]


def time_text(ts: int) -> str:
    """Unix seconds as ISO 8601; for people."""
    try:
        return datetime.fromtimestamp(ts, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{ts} s after 1970"


def plan_json(plan: Plan) -> Json:
    """A plan with every asset's numbers and reasons."""
    return {
        "slot": plan.slot,
        "now_ts": plan.now_ts,
        "on_target": sum(one.on_target for one in plan.assets),
        "assets": [asset_plan_json(one) for one in plan.assets],
        "relays": [relay_json(relay) for relay in plan.relays],
        "intents": [intent_json(intent) for intent in plan.intents],
        "resends": [intent_json(live.intent) for live in plan.resends],
        "drops": [intent_json(drop.live.intent) | {"reason": drop.reason.value} for drop in plan.drops],
        "halts": [
            {"mint": base58(halt.mint), "reason": halt.reason.value, "detail": halt.detail} for halt in plan.halts
        ],
    }


def asset_plan_json(plan: AssetPlan) -> Json:
    """What the plan does with one asset, and why."""
    return {
        "mint": base58(plan.mint),
        "symbol": plan.symbol,
        "decimals": plan.decimals,
        "on_target": plan.on_target,
        "supply_raw": str(plan.supply_raw),
        "vault_raw": str(plan.vault_raw),
        "ceiling_raw": str(plan.ceiling_raw),
        "planned_ceiling_raw": str(plan.planned_ceiling_raw),
        "target_raw": str(plan.target_raw),
        "holder_burnt_raw": str(plan.holder_burnt_raw),
        "acknowledged_raw": str(plan.acknowledged_raw),
        "excess_raw": str(plan.excess_raw),
        "rounding_raw": str(plan.rounding_raw),
        "shortfall_raw": str(plan.shortfall_raw),
        "action": plan.action.value,
        "amount_raw": str(plan.amount_raw),
        "reason": plan.reason.value,
        "reason_text": plan.reason.text,
        "notes": [note_json(note) for note in plan.notes],
    }


def note_json(note: Note) -> Json:
    """One more thing to know of an asset."""
    return {
        "reason": note.reason.value,
        "reason_text": note.reason.text,
        "amount_raw": None if note.amount_raw is None else str(note.amount_raw),
        "custodian": None if note.custodian is None else base58(note.custodian),
        "detail": note.detail,
    }


def relay_json(relay: RelayStatement) -> Json:
    """A statement to relay, and why."""
    return {
        "custodian": base58(relay.signed.statement.custodian),
        "observed_ms": relay.signed.statement.observed_ms,
        "lower": relay.lower,
        "reasons": {base58(mint): reason.value for mint, reason in relay.reasons},
    }


def intent_json(intent: Intent) -> Json:
    """An intent as the plan decided it: not journaled yet, so without id and state."""
    return {
        "kind": intent.kind.name.lower(),
        "mint": base58(intent.mint),
        "sequence": intent.sequence,
        "amount_raw": str(intent.amount_raw),
        "destination": base58(intent.destination),
        "order_id": None if intent.order_id == NO_ORDER else intent.order_id.hex(),
    }


def record_json(record: IntentRecord) -> Json:
    """An intent as the journal has it, with its id, state and note."""
    return {
        "id": record.id,
        **intent_json(record.intent),
        "intent_hash": record.intent_hash.hex(),
        "state": record.state.value,
        "note": record.note,
        "created_ms": record.created_ms,
        "changed_ms": record.changed_ms,
    }


def order_json(order: Order) -> Json:
    """An order of the journal that is not served yet."""
    return {
        "order_id": order.order_id.hex(),
        "mint": base58(order.mint),
        "amount_raw": str(order.amount_raw),
        "wallet": base58(order.wallet),
        "destination": base58(order.destination),
    }


def asset_json(view: AssetView, snapshot: ChainSnapshot, journal: AssetJournal) -> Json:
    """One asset as the finalized chain and the journal have it."""
    asset, now_ts = view.asset, snapshot.now_ts
    multiplier_bits = asset.effective_multiplier_bits(now_ts)
    return {
        "mint": base58(asset.mint),
        "symbol": view.mint.symbol,
        "name": view.mint.name,
        "decimals": asset.decimals,
        "state": asset.state.name.lower(),
        "paused": int(asset.paused | snapshot.config.paused),
        "transfers_paused": view.mint.paused,
        "holds": int(asset.holds),
        "hold_number": asset.hold_number,
        "sequence": asset.sequence,
        "multiplier": multiplier_text(multiplier_bits),
        "multiplier_bits": str(multiplier_bits),
        "supply_raw": str(view.mint.supply_raw),
        "ceiling_raw": str(ceiling_raw(view, snapshot.custodians, now_ts)),
        "vault_raw": str(view.vault_raw),
        "circulating_raw": str(view.circulating_raw),
        "holder_burnt_raw": str(view.holder_burnt_raw),
        "minted_raw": str(asset.minted_raw),
        "burnt_raw": str(asset.burnt_raw),
        "distributed_raw": str(asset.distributed_raw),
        "halt": None if journal.halt is None else {"reason": journal.halt.reason.value, "detail": journal.halt.detail},
        "quarantined": None if journal.quarantine is None else journal.quarantine.reason,
        "live_intent": None if journal.live is None else intent_json(journal.live.intent),
        "entries": [
            {
                "custodian": base58(entry.custodian),
                "state": entry.state.name.lower(),
                "withdrawn": entry.withdrawn,
                "fresh": entry_is_fresh(
                    entry, snapshot.custodians.get(entry.custodian), asset.policy, multiplier_bits, now_ts
                ),
                "observed_ms": entry.observed_ms,
                "expires_ts": entry.expires_ts,
                "shares": shares_text(entry.shares_nano).replace(",", ""),
                "capacity_raw": str(entry.capacity_raw),
                "unseen_raw": str(entry.unseen_raw),
            }
            for entry in asset.entries
            if entry.state is not EntryState.EMPTY
        ],
    }


def obstacles(one: Json) -> list[str]:
    """What a person should see of an asset at a glance, given its `asset_json`."""
    found = [] if one["state"] == "active" else [one["state"]]
    found += ["paused"] if one["paused"] or one["transfers_paused"] else []
    found += ["on hold"] if one["holds"] else []
    found += [f"halted: {one['halt']['reason']}"] if one["halt"] else []
    found += ["quarantined"] if one["quarantined"] else []
    found += ["statement not fresh"] if any(not entry["fresh"] for entry in one["entries"]) else []
    found += [] if one["entries"] else ["no custodian"]
    found += ["below supply"] if int(one["supply_raw"]) > int(one["ceiling_raw"]) else []
    return found


def status_json(snapshot: ChainSnapshot, journal: JournalView, *, intents_live: int, attempts_live: int) -> Json:
    """Numbers over all assets of the snapshot, and the halts."""
    shown = [asset_json(view, snapshot, journal.of(mint)) for mint, view in snapshot.assets.items()]
    return {
        "program_id": base58(snapshot.program_id),
        "genesis_hash": base58(snapshot.genesis_hash),
        "slot": snapshot.slot,
        "sealed": snapshot.config.sealed,
        "paused": int(snapshot.config.paused),
        "assets": len(shown),
        "at_ceiling": sum(one["supply_raw"] == one["ceiling_raw"] for one in shown),
        "above_ceiling": sum(int(one["supply_raw"]) > int(one["ceiling_raw"]) for one in shown),
        "on_hold": sum(one["holds"] != 0 for one in shown),
        "quarantined": sum(one["quarantined"] is not None for one in shown),
        "intents_live": intents_live,
        "attempts_live": attempts_live,
        "orders_open": len(journal.orders),
        "halted": sum(one["halt"] is not None for one in shown),
        "halts": [
            {"mint": one["mint"], "symbol": one["symbol"], **one["halt"]} for one in shown if one["halt"] is not None
        ],
    }


def signed_json(signed: SignedStatement) -> Json:
    """A verified statement with its signatures (parties are the chain's business)."""
    return {
        "statement": statement_json(signed.statement),
        "digest": signed.statement.digest().hex(),
        "signatures": [{"key": base58(one.key), "signature": one.signature.hex()} for one in signed.signatures],
    }


def round_json(answers: CustodyRound) -> Json:
    """One round of asking the custodians."""
    return {
        "verified": [signed_json(signed) for signed in answers.verified],
        "rejected": [
            {
                "custodian": base58(each.custodian),
                "rejections": [
                    {
                        "reason": one.reason.value,
                        "mint": None if one.mint is None else base58(one.mint),
                        "detail": one.detail,
                    }
                    for one in each.rejections
                ],
            }
            for each in answers.rejected
        ],
        "omitted": [
            {
                "custodian": base58(each.custodian),
                "mint": base58(each.mint),
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in answers.reading.omitted
        ],
        "ripcords": [
            {
                "custodian": base58(each.custodian),
                "mints": [base58(mint) for mint in each.mints],
                "details": each.details,
            }
            for each in answers.reading.ripcords
        ],
        "failures": [
            {"custodian": base58(each.custodian), "assets": len(each.mints), "source": each.url, "reason": each.reason}
            for each in answers.reading.failures
        ],
    }
