"""The planted bugs, by the file they are in. Each takes away or turns round one check."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, gone, of, off, swap

MUTANTS: tuple[Mutant, ...] = (
    # ---- mint, burn, distribute ------------------------------------------------------------------------------------
    *of(
        "instructions/operator/mint.rs",
        "mint_burn",
        gone("mint-duty", "require_operator(config, accounts.operator)?;", "asks for the operator to mint"),
        gone("mint-pause", "require_running(config, asset, scope::MINT)?;", "looks at pauses when it mints (M8)"),
        off("mint-hold", "asset.holds != 0", "looks at holds when it mints (M9)"),
        off("mint-announced", "asset.change_announced()", "holds minting while a multiplier is announced (M9)"),
        off("mint-state", "asset.state != ASSET_ACTIVE", "mints of active assets only"),
        gone(
            "mint-sequence",
            "take_sequence(asset, sequence, intent.intent_hash)?;",
            "gives each mint a number (M4)",
        ),
        off("mint-zero", "amount_raw == 0", "refuses to mint nothing"),
        gone(
            "mint-allowance-once",
            "asset.initial_mint_raw = asset.initial_mint_raw.wrapping_sub(allowance_raw);",
            "uses up the one-time allowance (M5)",
        ),
        off("mint-bucket", "metered_raw != 0", "has a rate limit of mints (M5)"),
        swap(
            "mint-bucket-not-stored",
            "asset.mint_bucket.take(metered_raw)?;",
            "{ let mut bucket = asset.mint_bucket; bucket.take(metered_raw)? }",
            "remembers what was taken out of the bucket (M5)",
        ),
        swap(
            "mint-supply-overflow",
            "supply_before_raw.checked_add(amount_raw).ok_or(Error::Overflow)?",
            "supply_before_raw.wrapping_add(amount_raw)",
            "notices that the supply overflows",
        ),
        off("mint-supply-limit", "supply_raw > asset.policy.supply_limit_raw", "keeps the supply limit (M5)"),
        swap(
            "mint-supply-limit-before",
            "if supply_raw > asset.policy.supply_limit_raw {",
            "if supply_before_raw > asset.policy.supply_limit_raw {",
            "compares the supply after the mint with the limit (M5)",
        ),
        off(
            "mint-multiplier",
            "token::effective_multiplier_bits(mint, asset.scaled_ui_offset, *now)? != asset.multiplier_bits",
            "compares the mint's multiplier with the signed one (M9)",
        ),
        off("mint-ceiling", "supply_raw > ceiling_raw", "keeps the supply below what is attested (M1)"),
        swap(
            "mint-ceiling-and-one",
            "if supply_raw > ceiling_raw {",
            "if supply_raw > ceiling_raw.saturating_add(1) {",
            "stops at the ceiling exactly (M1)",
        ),
        swap(
            "mint-ceiling-before",
            "if supply_raw > ceiling_raw {",
            "if supply_before_raw > ceiling_raw {",
            "compares the supply after the mint with the ceiling (M1)",
        ),
        gone(
            "mint-total",
            "asset.minted_raw = asset.minted_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;",
            "counts what it minted",
        ),
        gone("mint-invariant", "asset.invariant()?;", "checks the asset's own rules before it mints"),
    ),
    *of(
        "instructions/operator/burn.rs",
        "mint_burn",
        gone("burn-duty", "require_operator(config, accounts.operator)?;", "asks for the operator to burn"),
        gone("burn-pause", "require_running(config, asset, scope::BURN)?;", "looks at pauses when it burns (M8)"),
        off("burn-released", "asset.state == ASSET_RELEASED", "leaves released assets alone"),
        gone("burn-sequence", "take_sequence(asset, sequence, intent.intent_hash)?;", "gives each burn a number (M4)"),
        off("burn-zero", "amount_raw == 0", "refuses to burn nothing"),
        off("burn-inventory", "token::amount_raw(vault)? < amount_raw", "looks at the inventory before it burns"),
        gone(
            "burn-total",
            "asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;",
            "counts what it burnt",
        ),
        gone("burn-invariant", "asset.invariant()?;", "checks the asset's own rules before it burns"),
    ),
    *of(
        "instructions/operator/distribute.rs",
        "distribute pauses",
        off("distribute-mint", "!same(&asset.mint, accounts.mint.address())", "compares the mint with the asset's"),
        off(
            "distribute-vault",
            "!same(&asset.vault, accounts.vault.address())",
            "takes from the asset's vault only (M7)",
        ),
        off("distribute-to-vault", "asset.is_vault(destination)", "refuses its own vaults as destinations"),
        off(
            "distribute-owner",
            "!same(holder, &participant.wallet)",
            "sends to the participant's own account only",
        ),
        gone("distribute-duty", "require_operator(config, accounts.operator)?;", "asks for the operator to distribute"),
        gone(
            "distribute-pause",
            "require_running(config, asset, scope::DISTRIBUTE)?;",
            "looks at pauses when it distributes (M8)",
        ),
        off("distribute-state", "asset.state != ASSET_ACTIVE", "distributes active assets only"),
        gone(
            "distribute-participant",
            "participant.require_active(now)?;",
            "wants an active participant that has not expired",
        ),
        gone(
            "distribute-sequence",
            "take_sequence(asset, args.sequence, *args.intent_hash)?;",
            "gives each distribution a number (M4)",
        ),
        off("distribute-zero", "args.amount_raw == 0", "refuses to distribute nothing"),
        off("distribute-order", "*args.order_id == [0; 16]", "asks for an order"),
        gone(
            "distribute-bucket",
            "asset.distribute_bucket.take(args.amount_raw)?;",
            "has a rate limit of distributions (M5)",
        ),
        swap(
            "distribute-inventory",
            "checked_sub(args.amount_raw).ok_or(Error::InventoryTooLow)?",
            "wrapping_sub(args.amount_raw)",
            "looks at the inventory before it distributes",
        ),
        gone(
            "distribute-total",
            "asset.distributed_raw = asset.distributed_raw.checked_add(args.amount_raw).ok_or(Error::Overflow)?;",
            "counts what it distributed",
        ),
        gone("distribute-invariant", "asset.invariant()?;", "checks the asset's own rules before it distributes"),
        off(
            "distribute-balance-after",
            "token::amount_raw(accounts.vault)? != left_raw",
            "reads the vault again after the transfer (M7)",
            equivalent="Token-2022 transfers exactly the amount: a second line behind it",
        ),
    ),
    *of(
        "instructions/operator/batch.rs",
        "substitution mint_burn",
        off("batch-empty", "entries == 0", "refuses a batch of nothing"),
        off("batch-too-long", "entries > MAX_BATCH", "counts the entries of a batch"),
        off("batch-custodians-number", "custodians > MAX_CUSTODIANS", "limits the custodians of a batch"),
        gone(
            "batch-custodian-account",
            "validate::<Custodian>(context.program_id, account)?;",
            "checks whose and of what kind a custodian's account is",
        ),
        off(
            "batch-custodians-order",
            "previous.is_some_and(|previous| !ascending(previous, account.address()))",
            "wants custodians in order and once",
        ),
        gone(
            "batch-asset-account",
            "validate::<Asset>(context.program_id, asset_account)?;",
            "checks whose and of what kind an asset's account is",
        ),
        off(
            "batch-writable",
            "!(asset_account.is_writable() && mint.is_writable() && vault.is_writable())",
            "refuses read-only accounts by name",
        ),
        off("batch-mint", "!same(&asset.mint, mint.address())", "compares the mint with the asset's"),
        off("batch-vault", "!same(&asset.vault, vault.address())", "compares the vault with the asset's (M7)"),
        swap(
            "batch-same-mint-waits",
            " || self.waiting().iter().any(waits)",
            "",
            "lets a second entry of a mint read the supply that the first one left (M1)",
        ),
        swap(
            "batch-calls-made",
            "if calls.count == 0 {",
            "if calls.count != 0 {",
            "makes the calls of a batch",
        ),
        swap(
            "batch-retired-custodian",
            "(custodian.state == CUSTODIAN_ACTIVE).then_some(custodian.epoch)",
            "Some(custodian.epoch)",
            "leaves a retired custodian's entries out of the ceiling",
        ),
    ),
    *of(
        "instructions/operator/mod.rs",
        "mint_burn pauses distribute",
        swap(
            "pause-of-asset",
            "(config.paused | asset.paused) & (scope",
            "config.paused & (scope",
            "looks at the pauses of the asset (M8)",
        ),
        swap(
            "pause-of-all",
            "(config.paused | asset.paused) & (scope",
            "asset.paused & (scope",
            "looks at the global pauses (M8)",
        ),
        swap(
            "pause-of-transfers",
            "(scope | scope::TRANSFERS)",
            "scope",
            "stops at a pause of transfers by its own name",
        ),
        off("sequence-any", "asset.sequence != sequence", "compares the number with the asset's next (M4)"),
        swap(
            "sequence-ahead",
            "if asset.sequence != sequence {",
            "if asset.sequence > sequence {",
            "refuses a number ahead of the next (M4)",
        ),
        swap(
            "sequence-again",
            "if asset.sequence != sequence {",
            "if asset.sequence < sequence {",
            "refuses a number that was used (M4)",
        ),
        swap(
            "sequence-wraps",
            "sequence.checked_add(1).ok_or(Error::SequenceExhausted)?",
            "sequence.wrapping_add(1)",
            "ends with the last number",
        ),
        gone("sequence-hash", "asset.last_intent_hash = intent_hash;", "keeps the hash of the intent that executed"),
    ),
    # ---- statements ------------------------------------------------------------------------------------------------
    *of(
        "instructions/attestation/submit_attestation.rs",
        "attestation custodians",
        swap("statement-empty", "args.entries.is_empty() || ", "", "refuses a statement of nothing"),
        swap(
            "statement-too-long",
            " || args.entries.len() > MAX_STATEMENT_ENTRIES",
            "",
            "counts the lines of a statement by name",
        ),
        off(
            "statement-accounts",
            "accounts.remaining.len() != args.entries.len()",
            "wants one account per line",
        ),
        off(
            "statement-retired-custodian",
            "custodian.state != CUSTODIAN_ACTIVE",
            "refuses statements of a retired custodian",
        ),
        off("statement-epoch", "args.epoch != custodian.epoch", "wants the present key epoch (M2)"),
        off("statement-expired", "now.ts >= args.expires_ts", "refuses an expired statement"),
        swap(
            "statement-expires-late",
            "now.ts >= args.expires_ts",
            "now.ts > args.expires_ts",
            "ends a statement in the second of its expiry",
        ),
        off(
            "statement-future",
            "args.observed_ms > now.observable_until_ms(config.max_skew_secs)",
            "bounds how far an observation is ahead of the clock (M3)",
        ),
        gone("statement-quorum", "signatures.check_quorum(custodian, now)?;", "asks for a quorum (M2)"),
        off("statement-digest", "!signatures.signed(&digest)", "compares what was signed with the statement (Q6)"),
        gone(
            "statement-asset-account",
            "validate::<Asset>(context.program_id, account)?;",
            "checks whose and of what kind an asset's account is",
        ),
        off("statement-writable", "!account.is_writable()", "refuses a read-only asset by name"),
        off(
            "statement-order",
            "previous.is_some_and(|previous| !ascending(previous, &asset.mint))",
            "wants each asset once and in order",
        ),
        swap(
            "statement-genesis",
            "[TAG, &config.genesis_hash, ",
            "[TAG, &[], ",
            "binds a statement to its cluster (M3)",
        ),
        swap(
            "statement-program",
            "context.program_id.as_array(), accounts",
            "&[], accounts",
            "binds a statement to its program (M3)",
        ),
        swap(
            "statement-custodian",
            "accounts.custodian.address().as_array(), numbers]",
            "&[], numbers]",
            "binds a statement to its custodian (M3)",
        ),
        swap(
            "statement-mint", "mint.write(asset.mint.as_array());", "mint.write(&[]);", "binds a line to its mint (M3)"
        ),
        swap(
            "statement-multiplier",
            "multiplier.write(bytes(asset.multiplier_in_force(now)));",
            "multiplier.write(&[]);",
            "binds a line to the multiplier (M3)",
        ),
        swap(
            "statement-multiplier-announced",
            "if asset.change_announced() {\n        asset.bring_into_force(now);",
            "if asset.change_announced() && now.ts < 0 {\n        asset.bring_into_force(now);",
            "brings an announced multiplier into force (M9)",
        ),
        swap(
            "statement-detached",
            "Some(entry) if entry.state == ENTRY_ATTACHED => entry,",
            "Some(entry) => entry,",
            "passes over detached entries",
        ),
        off("statement-newer", "args.observed_ms <= before.observed_ms", "takes newer statements only (M3)"),
        swap(
            "statement-same-time",
            "args.observed_ms <= before.observed_ms",
            "args.observed_ms < before.observed_ms",
            "wants a time that strictly rises (M3)",
        ),
        off(
            "statement-capacity",
            "!renewed && !is_capacity(said.shares_micro, multiplier_bits, capacity_raw)",
            "computes the capacity of the shares itself",
        ),
        off(
            "statement-seen",
            "redeemed_seen_raw > before.redeemed_total_raw",
            "bounds what a custodian has seen redeemed, by name (M6)",
        ),
        gone("statement-epoch-kept", "entry.epoch = args.epoch;", "keeps the epoch that signed (M2)"),
        gone("statement-time-kept", "entry.observed_ms = args.observed_ms;", "keeps the time of an observation (M3)"),
        gone("statement-expiry-kept", "entry.expires_ts = args.expires_ts;", "keeps the expiry of a statement"),
    ),
    # ---- the money rules of the state ------------------------------------------------------------------------------
    # ---- the timelock ----------------------------------------------------------------------------------------------
    # ---- what the admin does ---------------------------------------------------------------------------------------
    *of(
        "instructions/admin/taking.rs",
        "register_asset adoption",
        gone(
            "taking-authorities",
            "holders.check(terms.profile, self.asset.address())?;",
            "wants every authority of the mint",
        ),
        swap(
            "taking-halted",
            "if terms.adopted { ASSET_HALTED } else { ASSET_ACTIVE }",
            "ASSET_ACTIVE",
            "halts an adopted asset until it is attested",
        ),
        gone("taking-supply", "asset.adopted_raw = found.supply_raw;", "counts the supply that it adopts"),
    ),
    *of(
        "instructions/admin/begin_adopt.rs",
        "adoption",
        off("begin-again", "adoption.state != ADOPTION_ABORTED", "keeps the holders of an adoption under way"),
        gone(
            "begin-verify",
            "verify(bytes, &expected, &mut Found::default())?;",
            "verifies the mint before holders hand over",
        ),
    ),
    *of(
        "instructions/admin/finish_adopt.rs",
        "adoption",
        gone("finish-once", "adoption.state = ADOPTION_FINISHED;", "remembers a finished adoption"),
    ),
    *of(
        "instructions/admin/abort_adopt.rs",
        "adoption",
        gone("abort-vacant", "require_vacant(asset)?;", "keeps the authorities once the asset exists"),
    ),
    # ---- a mint before it is taken ---------------------------------------------------------------------------------
    # ---- reading accounts and numbers ------------------------------------------------------------------------------
    # ---- participants, pauses, holds, keys -------------------------------------------------------------------------
    # ---- the admin's office ----------------------------------------------------------------------------------------
    *of(
        "instructions/pending_admin/accept_admin.rs",
        "admin_handover",
        off(
            "accept-duty",
            "!same(&config.pending_admin, accounts.pending_admin.address())",
            "asks who accepts the admin's office",
        ),
        off("accept-early", "now.ts < config.pending_admin_ready_ts", "waits for the timelock of an offer"),
        swap(
            "accept-epoch",
            "config.admin_epoch.checked_add(1).ok_or(Error::Overflow)?",
            "config.admin_epoch",
            "kills the proposals of the admin before",
        ),
        gone("accept-twice", "config.withdraw_offer();", "takes an accepted offer away"),
    ),
    # ---- the multiplier --------------------------------------------------------------------------------------------
    *of(
        "instructions/corporate_actions/mod.rs",
        "multiplier",
        off(
            "multiplier-applied",
            "token::effective_multiplier_bits(mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits",
            "compares the mint's multiplier with the asset's before it changes (M9)",
        ),
    ),
    *of(
        "instructions/corporate_actions/schedule_multiplier.rs",
        "multiplier",
        off("schedule-pending", "asset.change_announced()", "refuses a second change (M9)"),
        off("schedule-short", "args.effective_ts < earliest_ts", "gives notice (M9)"),
        swap(
            "schedule-bound",
            "} else if !multiplier_within(",
            "} else if false && !multiplier_within(",
            "wants the admin beyond the policy's bound (M9)",
        ),
    ),
    *of(
        "instructions/corporate_actions/cancel_multiplier.rs",
        "multiplier",
        off(
            "cancel-multiplier-other",
            "args.pending_bits != asset.pending_multiplier_bits",
            "cancels the very change that was meant (M9)",
        ),
    ),
    # ---- freezing and recovery -------------------------------------------------------------------------------------
    *of(
        "instructions/compliance/thaw.rs",
        "freeze recovery",
        swap(
            "thaw-recovery-open",
            "?.state == RECOVERY_ANNOUNCED",
            "?.state == RECOVERY_ANNOUNCED && false",
            "keeps an account frozen while its recovery is announced (M7)",
        ),
    ),
    *of(
        "instructions/compliance/execute_recovery.rs",
        "recovery",
        gone("execute-admin", "require_admin(config, accounts.admin)?;", "wants the admin's signature too (M7)"),
        swap(
            "execute-destination",
            " || !same(&recovery.destination, destination.address())",
            "",
            "recovers to the announced account (M7)",
        ),
        off("execute-early", "Now::read()?.ts < recovery.ready_ts", "waits for the announced time (M7)"),
        gone("execute-once", "recovery.state = RECOVERY_EXECUTED;", "remembers an executed recovery"),
    ),
    # ---- redemptions -----------------------------------------------------------------------------------------------
    *of(
        "instructions/participant/request_redemption.rs",
        "redemptions",
        off("request-participant", "!same(&participant.wallet, wallet)", "takes the wallet's own permission"),
        off("request-owner", "!same(holder, wallet)", "takes tokens from the wallet's own account only, by name"),
        gone("request-paused", "require_running(config, asset, scope::REDEEM)?;", "looks at pauses (M8)"),
        gone("request-active", "participant.require_active(now)?;", "wants an active participant"),
    ),
    *of(
        "instructions/participant/cancel_redemption.rs",
        "redemptions",
        off(
            "cancel-redemption-duty",
            "!same(&redemption.wallet, accounts.wallet.address())",
            "asks whose redemption it is",
        ),
    ),
    *of(
        "instructions/operator/reject_redemption.rs",
        "redemptions roles",
        gone("reject-duty", "require_operator(config, accounts.operator)?;", "asks for the operator to reject"),
    ),
    *of(
        "instructions/redeeming.rs",
        "redemptions",
        off("redeeming-mint", "!same(&asset.mint, mint)", "compares the mint with the asset's"),
        off(
            "redeeming-vault",
            "!same(&asset.redemption_vault, self.vault.address())",
            "takes from the redemption vault only (M7)",
        ),
        off("redeeming-of-mint", "!same(&redemption.mint, mint)", "wants a redemption of this mint"),
        off("give-back-to-vault", "asset.is_vault(destination.address())", "refuses its vaults as destinations"),
        off("give-back-owner", "!same(holder, &redemption.wallet)", "gives back to the wallet that requested"),
        gone(
            "give-back-once",
            "redemption.close(state, Address::default(), Now::read()?.ts)?;",
            "gives a redemption's tokens back once",
        ),
    ),
    *of(
        "state/redemption.rs",
        "redemptions",
        off("redemption-closed", "self.state != REDEMPTION_REQUESTED", "ends a redemption once"),
    ),
    *of(
        "instructions/operator/settle_redemption.rs",
        "redemptions roles",
        gone("settle-duty", "require_operator(config, accounts.operator)?;", "asks for the operator to settle"),
        gone("settle-paused", "require_running(config, asset, scope::REDEEM)?;", "looks at pauses (M8)"),
        off("settle-released", "asset.state == ASSET_RELEASED", "leaves released assets alone"),
        gone(
            "settle-once",
            "redemption.close(REDEMPTION_SETTLED, custodian_address, now.ts)?;",
            "settles a redemption once",
        ),
        off(
            "settle-multiplier",
            "token::effective_multiplier_bits(accounts.mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits",
            "settles by the multiplier that was signed (M9)",
        ),
        off("settle-retired", "custodian.state != CUSTODIAN_ACTIVE", "blames no retired custodian"),
        off(
            "settle-silent",
            "!entry.is_fresh(now, custodian.epoch, asset.policy.max_age_secs, asset.multiplier_bits)",
            "blames no silent custodian (M6)",
        ),
        off(
            "settle-covered",
            "entry.capacity_raw.saturating_sub(entry.unseen_raw()) < amount_raw",
            "wants the shares with the named custodian (M6)",
        ),
        swap(
            "settle-covered-unseen",
            "entry.capacity_raw.saturating_sub(entry.unseen_raw()) < amount_raw",
            "entry.capacity_raw < amount_raw",
            "counts what the custodian owes already (M6)",
        ),
        gone(
            "settle-unseen",
            "entry.redeemed_total_raw = entry.redeemed_total_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;",
            "lowers the ceiling with the supply (M6)",
        ),
        gone(
            "settle-burnt",
            "asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or(Error::Overflow)?;",
            "counts what was burnt for redemptions (M12)",
        ),
    ),
    # ---- release ---------------------------------------------------------------------------------------------------
)
