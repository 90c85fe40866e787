"""Planted bugs of xstocks_daemon/journal."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, of, swap

MUTANTS: tuple[Mutant, ...] = (
    *of(
        "journal/sqlite.py",
        "journal/opening journal/intents journal/lease",
        swap(
            "journal-synchronous",
            '"synchronous=FULL"',
            '"synchronous=NORMAL"',
            "has a commit on disk when it returns (M11)",
        ),
        swap(
            "journal-wal",
            '"journal_mode=WAL"',
            '"journal_mode=MEMORY"',
            "survives a power cut in the middle of a write (M11)",
        ),
        swap(
            "journal-foreign-keys",
            '"foreign_keys=ON"',
            '"foreign_keys=OFF"',
            "keeps its references",
        ),
        swap(
            "journal-immediate",
            '"BEGIN IMMEDIATE" if write else "BEGIN"',
            '"BEGIN"',
            "takes the lock before it reads what it will change",
        ),
        swap(
            "journal-mode",
            "os.O_CREAT | os.O_RDWR, 0o600",
            "os.O_CREAT | os.O_RDWR, 0o644",
            "keeps signed transactions from other users",
        ),
    ),
    *of(
        "journal/sql/opening.py",
        "journal/opening",
        swap(
            "journal-cluster",
            '("genesis_hash", row.genesis_hash, database.genesis_hash),\n',
            "",
            "refuses the journal of another cluster",
        ),
        swap(
            "journal-program",
            '("program_id", row.program_id, database.program_id),\n',
            "",
            "refuses the journal of another program",
        ),
        swap(
            "journal-newer",
            "    if unknown:\n        raise JournalTooNew",
            "    if False:\n        raise JournalTooNew",
            "refuses a journal that a newer version wrote",
        ),
    ),
    *of(
        "journal/sql/database.py",
        "journal/lease journal/intents",
        swap(
            "journal-lease-none",
            "        if self.lease_epoch is None:\n            raise LeaseLost",
            "        if False:\n            raise LeaseLost",
            "says that it has no lease",
        ),
        swap(
            "journal-lease-epoch",
            "t.lease.c.id == ONLY_ROW, t.lease.c.epoch == self.lease_epoch)",
            "t.lease.c.id == ONLY_ROW)",
            "writes only while it holds the lease (M11)",
        ),
        swap(
            "journal-lease-checked",
            "        if renewed.rowcount != 1:\n",
            "        if False:\n",
            "stops when its lease was taken over (M11)",
        ),
        swap(
            "journal-uncancelled",
            "            return await asyncio.shield(task)\n",
            "            return await task\n",
            "finishes a write whose caller is cancelled (M11)",
        ),
        swap(
            "journal-uncancelled-waits",
            "            while not task.done():\n",
            "            while False:\n",
            "waits for a write whose caller is cancelled",
        ),
    ),
    *of(
        "journal/sql/lease.py",
        "journal/lease",
        swap(
            "journal-lease-held",
            'if row.holder not in ("", holder) and row.expires_ms > now_ms and not take_over:',
            'if row.holder not in ("", holder) and row.expires_ms >= now_ms + ttl_ms and not take_over:',
            "refuses a lease that another holds (M11)",
        ),
        swap(
            "journal-lease-expired",
            "row.expires_ms > now_ms and not take_over",
            "not take_over",
            "gives a lease that ran out to another",
        ),
        swap(
            "journal-lease-counted",
            "epoch: int = row.epoch + 1",
            "epoch: int = row.epoch or 1",
            "numbers leases, so that a former holder is out (M11)",
        ),
        swap(
            "journal-lease-released",
            'update(t.lease).where(t.lease.c.epoch == epoch).values(holder="", expires_ms=0)',
            'update(t.lease).values(holder="", expires_ms=0)',
            "gives back only its own lease",
        ),
    ),
    *of(
        "journal/sql/intents.py",
        "journal/intents journal/people",
        swap(
            "journal-halted",
            "        if known.halt is not None:\n            raise JournalConflict",
            "        if False:\n            raise JournalConflict",
            "refuses an intent of a halted asset (M12)",
        ),
        swap(
            "journal-live",
            '        if known.live is not None:\n            raise JournalConflict(f"{name}: intent',
            '        if False:\n            raise JournalConflict(f"{name}: intent',
            "says which intent is still alive (M11)",
        ),
        swap(
            "journal-sequence",
            "if intent.sequence != known.totals.sequence:",
            "if intent.sequence < known.totals.sequence:",
            "records only the next number of an asset (M4)",
        ),
        swap(
            "journal-order-open",
            "if order is None or (order.mint, order.amount_raw, order.destination) != wanted:",
            "if order is not None and (order.mint, order.amount_raw, order.destination) != wanted:",
            "serves open orders only (M11)",
        ),
        swap(
            "journal-order-amount",
            "(order.mint, order.amount_raw, order.destination) != wanted",
            "(order.mint, intent.amount_raw, order.destination) != wanted",
            "serves an order by its own amount",
        ),
        swap(
            "journal-order-destination",
            "(order.mint, order.amount_raw, order.destination) != wanted",
            "(order.mint, order.amount_raw, intent.destination) != wanted",
            "serves an order to its own account",
        ),
        swap(
            "journal-order-mint",
            "(order.mint, order.amount_raw, order.destination) != wanted",
            "(intent.mint, order.amount_raw, order.destination) != wanted",
            "serves an order of its own asset",
        ),
        swap(
            "journal-order-of-mint",
            "        elif intent.order_id != NO_ORDER:\n",
            "        elif False:\n",
            "refuses an order for a mint or a burn",
        ),
        swap(
            "journal-approval-used",
            "known.of(one.mint).burn_approved_raw - one.amount_raw)",
            "known.of(one.mint).burn_approved_raw)",
            "uses up of an approval what is burnt",
        ),
        swap(
            "journal-approval-of-mint",
            "if one.kind is IntentKind.BURN and known",
            "if known",
            "keeps an approval for a burn",
        ),
        swap(
            "journal-move-from",
            "t.intents.c.id.in_(intent_ids), t.intents.c.state == before.value)",
            "t.intents.c.id.in_(intent_ids))",
            "moves intents along their life cycle only (M11)",
        ),
        swap(
            "journal-move-all",
            "if moved.rowcount != len(intent_ids):",
            "if moved.rowcount == 0:",
            "moves all intents of an attempt or none (M11)",
        ),
    ),
    *of(
        "journal/sql/attempts.py",
        "journal/intents",
        swap(
            "journal-attempt-twice",
            "if not intent_ids or len(set(intent_ids)) != len(intent_ids):",
            "if not intent_ids:",
            "refuses an attempt that carries an intent twice",
        ),
        swap(
            "journal-attempt-empty",
            "if not intent_ids or len(set(intent_ids)) != len(intent_ids):",
            "if len(set(intent_ids)) != len(intent_ids):",
            "refuses an attempt that carries nothing",
        ),
        swap(
            "journal-attempt-live",
            "connection, intent_ids, IntentState.PENDING, IntentEvent.ATTEMPT_RECORDED)",
            "connection, intent_ids[:1], IntentState.PENDING, IntentEvent.ATTEMPT_RECORDED)",
            "marks every intent of an attempt as sent (M11)",
        ),
        swap(
            "journal-attempt-ends-once",
            "t.attempts.c.signature == signature, t.attempts.c.state == AttemptState.LIVE.value)",
            "t.attempts.c.signature == signature)",
            "ends an attempt once",
        ),
        swap(
            "journal-attempt-unknown",
            "    if ended.rowcount != 1:\n",
            "    if False:\n",
            "refuses to end an attempt that is not live",
        ),
        swap(
            "journal-evidence",
            "evidence=detail_text(evidence), changed_ms=database.now_ms()",
            "changed_ms=database.now_ms()",
            "keeps the proof of how an attempt ended",
        ),
        swap(
            "journal-dead-intents",
            "[row.id for row in rows], IntentState.SUBMITTED, IntentEvent.PROVED_DEAD",
            "[], IntentState.SUBMITTED, IntentEvent.PROVED_DEAD",
            "frees the intents of a dead attempt",
        ),
        swap(
            "journal-landed-sequence",
            't.assets.c.mint == bindparam("of_mint"), t.assets.c.sequence == bindparam("of_sequence")',
            't.assets.c.mint == bindparam("of_mint"), t.assets.c.sequence <= bindparam("of_sequence")',
            "moves an asset's totals only by its next number (M4)",
        ),
        swap(
            "journal-landed-next",
            "            if moved.rowcount != len(rows):\n",
            "            if False:\n",
            "refuses to land what is not an asset's next (M4)",
        ),
        swap(
            "journal-landed-order",
            "            if served:\n",
            "            if False:\n",
            "closes an order that was served (M11)",
        ),
        swap(
            "journal-attempts-all",
            "ids = select(t.attempt_intents.c.attempt_id).where(t.attempt_intents.c.intent_id.in_(intents))\n"
            "            query = select(t.attempts).where(t.attempts.c.id.in_(ids))",
            "ids = select(t.attempt_intents.c.attempt_id).where(t.attempt_intents.c.intent_id.in_(intents))\n"
            "            query = select(t.attempts).where(t.attempts.c.id.in_(ids), t.attempts.c.state == "
            "AttemptState.LIVE.value)",
            "remembers every attempt ever made for a number (M12)",
        ),
        swap(
            "journal-attempts-sequence",
            "mine = select(t.intents).where(t.intents.c.mint == mint, t.intents.c.sequence == sequence)",
            "mine = select(t.intents).where(t.intents.c.mint == mint)",
            "tells attempts by their number",
        ),
    ),
    *of(
        "journal/sql/supply.py",
        "journal/people",
        swap(
            "journal-holder-burn-falls",
            "t.assets.c.mint == mint, t.assets.c.holder_burnt_raw <= holder_burnt_raw)",
            "t.assets.c.mint == mint)",
            "refuses a holders' burn that falls (M12)",
        ),
        swap(
            "journal-ack-above",
            "            if up_to_raw > recorded:\n",
            "            if False:\n",
            "refuses to acknowledge more than holders have burnt (M12)",
        ),
        swap(
            "journal-ack-person",
            "mine = t.acknowledgements.c.mint == mint, t.acknowledgements.c.person == name",
            "mine = (t.acknowledgements.c.mint == mint,)",
            "counts two people for an acknowledgement (M12)",
        ),
        swap(
            "journal-baseline-people",
            "        if first == second:\n",
            "        if False:\n",
            "wants two people for a baseline (M12)",
        ),
        swap(
            "journal-baseline-live",
            "            if live is not None:\n",
            "            if False:\n",
            "refuses a baseline while an intent is alive (M11)",
        ),
        swap(
            "journal-baseline-logged",
            '            await log_event(connection, self.database.now_ms(), "baseline_adopted", mint, detail)\n',
            "",
            "puts a baseline into the audit log",
        ),
    ),
    *of(
        "journal/sql/halts.py",
        "journal/people journal/intents",
        swap(
            "journal-halt-first",
            "            if await _open_halt(connection, halt.mint):\n                return False\n",
            "            await connection.execute(delete(t.halts).where(t.halts.c.mint == halt.mint))\n",
            "keeps the first reason of a halt",
        ),
        swap(
            "journal-halt-logged",
            "            await log_event(\n"
            "                connection,\n"
            "                self.database.now_ms(),\n"
            '                "halt",\n'
            "                halt.mint,\n"
            '                {"reason": halt.reason.value, "detail": halt.detail},\n'
            "            )\n",
            "",
            "puts a halt into the audit log",
        ),
        swap(
            "journal-halt-cleared",
            "t.halts.c.mint == mint, t.halts.c.open)\n                .values(open=False",
            "t.halts.c.mint == mint)\n                .values(open=False",
            "refuses to clear a halt that is not there",
        ),
    ),
    *of(
        "journal/sql/view.py",
        "journal/people journal/intents",
        swap(
            "journal-halt-seen",
            "select(t.halts).where(t.halts.c.open)",
            "select(t.halts).where(~t.halts.c.open)",
            "knows which assets are halted (M12)",
        ),
        swap(
            "journal-quarantine-ends",
            "t.quarantines.c.until_ms > now_ms",
            "t.quarantines.c.until_ms > 0",
            "ends an asset's quarantine",
        ),
    ),
    *of(
        "journal/sql/orders.py",
        "journal/people journal/intents",
        swap(
            "journal-cancel-served",
            "if (await connection.execute(live)).first() is not None:",
            "if False:",
            "keeps an order that is being carried out (M11)",
        ),
        swap(
            "journal-order-closed-once",
            "t.orders.c.order_id.in_(order_ids), t.orders.c.state == ORDER_OPEN)",
            "t.orders.c.order_id.in_(order_ids))",
            "refuses to close an order twice",
        ),
    ),
    *of(
        "journal/sql/audit_log.py",
        "journal/people journal/opening",
        swap(
            "journal-log-bounded",
            "delete(t.events).where(t.events.c.id <= last_id - EVENTS_KEPT)",
            "delete(t.events).where(t.events.c.id <= 0)",
            "bounds the audit log",
        ),
    ),
    *of(
        "journal/sql/evidence.py",
        "journal/statements",
        swap(
            "journal-equivocation-logged",
            '                await log_event(connection, self.database.now_ms(), "equivocation", one.mint, detail)\n',
            "",
            "puts an equivocation into the audit log",
        ),
        swap(
            "evidence-order",
            "for signed in sorted(statements, key=lambda signed: signed.statement.observed_ms):",
            "for signed in statements:",
            "takes statements in the order of their times",
        ),
        swap(
            "evidence-older",
            'if old is not None and statement.observed_ms <= old["observed_ms"]:',
            'if old is not None and statement.observed_ms == old["observed_ms"]:',
            "keeps the newest statement (M3)",
        ),
        swap(
            "evidence-equivocation",
            "numbers != {name: old[name] for name in _NUMBERS}:",
            "False:",
            "reports another statement of the same time",
        ),
        swap(
            "evidence-previous",
            '"previous": None if old is None else old["newest"],',
            '"previous": None if old is None else old["previous"],',
            "keeps the statement before the newest",
        ),
        swap(
            "evidence-lowered-seen",
            "            sum_raw = entry.capacity_raw + entry.redeemed_seen_raw\n"
            '            sum_before_raw = old["capacity_raw"] + old["redeemed_seen_raw"]\n',
            '            sum_raw = entry.capacity_raw\n            sum_before_raw = old["capacity_raw"]\n',
            "tells a counted redemption from a fall",
        ),
        swap(
            "evidence-lowered-kept",
            'sum_raw, sum_before_raw, old["lowered_ms"])',
            "sum_raw, sum_before_raw, 0)",
            "remembers when a custodian last said less",
        ),
        swap(
            "evidence-forgotten",
            "    await connection.execute(delete(t.statements).where(t.statements.c.digest.not_in(needed)))\n",
            "",
            "forgets statements that nobody needs",
        ),
        swap(
            "evidence-previous-needed",
            "select(t.statement_entries.c.previous).where(t.statement_entries.c.previous.is_not(None))",
            "select(t.statement_entries.c.newest)",
            "keeps the statement before the newest on file",
        ),
        swap(
            "evidence-custodian",
            't.statement_entries.c.custodian == bindparam("of_custodian"),\n',
            "",
            "keeps custodians apart",
        ),
    ),
    *of(
        "journal/sql/lookup_tables.py",
        "journal/intents journal/people journal/statements",
        swap(
            "journal-table-once",
            "or_(assigned.address == table.address, assigned.mint.in_(table.assets))",
            "assigned.mint.in_(table.assets)",
            "forgets the assets that a lookup table no longer has",
        ),
    ),
    *of(
        "journal/sql/rows.py",
        "journal/people",
        swap(
            "rows-by-two",
            "return sorted(amounts)[-2] if len(amounts) >= 2 else 0",
            "return max(amounts, default=0)",
            "wants two people for an acknowledgement (M12)",
        ),
        swap(
            "rows-by-two-lowest",
            "return sorted(amounts)[-2] if len(amounts) >= 2 else 0",
            "return min(amounts) if len(amounts) >= 2 else 0",
            "takes what two of several people acknowledged",
        ),
        swap(
            "rows-person-case",
            '" ".join(name.split()).casefold()',
            '" ".join(name.split())',
            "knows a person in either spelling (M12)",
        ),
        swap(
            "rows-person-space",
            '" ".join(name.split()).casefold()',
            "name.casefold()",
            "knows a person with other spaces (M12)",
        ),
        swap(
            "rows-person-empty",
            "    if not plain:\n",
            "    if False:\n",
            "wants a person's name",
        ),
    ),
    *of(
        "journal/sql/codec.py",
        "journal/statements",
        swap(
            "codec-seen",
            "StatementEntry(_address(mint), int(bits), int(shares), int(capacity), int(seen))",
            "StatementEntry(_address(mint), int(bits), int(shares), int(capacity), 0)",
            "keeps seen redemptions of a statement",
        ),
        swap(
            "codec-u64",
            "str(entry.shares_nano),",
            "str(float(entry.shares_nano)),",
            "keeps large amounts exact",
        ),
        swap(
            "codec-signatures",
            '"signatures": [[one.key.hex(), one.signature.hex()] for one in signed.signatures],',
            '"signatures": [[one.key.hex(), one.signature.hex()] for one in signed.signatures[:2]],',
            "keeps every signature",
        ),
    ),
    *of(
        "journal/sql/schema.py",
        "journal/opening journal/intents",
        swap(
            "tables-u64",
            "f\"{checked_u64(value, 'journal number'):020d}\"",
            'f"{value:020d}"',
            "refuses numbers that no u64 holds",
        ),
        swap(
            "tables-u64-sorted",
            "f\"{checked_u64(value, 'journal number'):020d}\"",
            "f\"{checked_u64(value, 'journal number')}\"",
            "writes numbers so that they sort as numbers",
        ),
        swap(
            "tables-one-intent",
            "    intents.c.mint,\n    intents.c.sequence,\n    unique=True,",
            "    intents.c.mint,\n    intents.c.sequence,\n    unique=False,",
            "says that a number belongs to one intent (M4)",
        ),
        swap(
            "tables-one-order",
            "    intents.c.order_id,\n    unique=True,",
            "    intents.c.order_id,\n    unique=False,",
            "says that an order belongs to one intent (M11)",
        ),
    ),
)
