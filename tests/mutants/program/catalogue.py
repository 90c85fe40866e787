"""The planted bugs, by the file they are in. Each takes away or turns round one check."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, gone, of, swap
from tests.mutants.program.words import off

MUTANTS: tuple[Mutant, ...] = (
    # ---- mint, burn, distribute ------------------------------------------------------------------------------------
    *of(
        "instructions/operator/mint.rs",
        "mint_burn mint_limits",
        gone("mint-role", "require_operator(config, accounts.operator)?;", "asks for the operator to mint"),
        gone("mint-pause", "require_running(config, asset, scope::MINT)?;", "looks at pauses when it mints (M8)"),
        gone("mint-hold", "require(asset.holds == 0, Error::OnHold)?;", "looks at holds when it mints (M9)"),
        gone(
            "mint-announced",
            "require(!asset.change_announced(), Error::MultiplierChangePending)?;",
            "holds minting while a multiplier is announced (M9)",
        ),
        gone(
            "mint-state", "require(asset.state == ASSET_ACTIVE, Error::AssetNotActive)?;", "mints of active assets only"
        ),
        gone("mint-sequence", "take_sequence(asset, sequence, &intent.intent_hash)?;", "gives each mint a number (M4)"),
        gone("mint-zero", "require(amount_raw != 0, Error::AmountZero)?;", "refuses to mint nothing"),
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
            "amount_raw <= limit_raw.wrapping_sub(supply_raw)",
            "supply_raw.wrapping_add(amount_raw) <= limit_raw",
            "notices that the supply overflows",
        ),
        swap(
            "mint-supply-limit",
            "supply_raw <= limit_raw && amount_raw <= limit_raw.wrapping_sub(supply_raw)",
            "supply_raw <= !amount_raw || limit_raw == 0",
            "keeps the supply limit (M5)",
        ),
        swap(
            "mint-supply-limit-before",
            " && amount_raw <= limit_raw.wrapping_sub(supply_raw)",
            "",
            "compares the supply after the mint with the limit (M5)",
        ),
        gone(
            "mint-multiplier",
            "require(applied_bits == asset.multiplier_bits, Error::MultiplierMismatch)?;",
            "compares the mint's multiplier with the signed one (M9)",
        ),
        gone(
            "mint-ceiling",
            "require(supply_after_raw <= ceiling_raw, Error::CeilingExceeded)?;",
            "keeps the supply below what is attested (M1)",
        ),
        swap(
            "mint-ceiling-and-one",
            "supply_after_raw <= ceiling_raw,",
            "supply_after_raw <= ceiling_raw.saturating_add(1),",
            "stops at the ceiling exactly (M1)",
        ),
        swap(
            "mint-ceiling-before",
            "supply_after_raw <= ceiling_raw,",
            "supply_after_raw.wrapping_sub(amount_raw) <= ceiling_raw,",
            "compares the supply after the mint with the ceiling (M1)",
        ),
        gone(
            "mint-total",
            "asset.minted_raw = asset.minted_raw.checked_add(amount_raw).ok_or_else(|| cold_error(Error::Overflow))?;",
            "counts what it minted",
        ),
        gone("mint-invariant", "asset.invariant()?;", "checks the asset's own rules before it mints"),
    ),
    *of(
        "instructions/operator/burn.rs",
        "mint_burn mint_limits",
        gone("burn-role", "require_operator(config, accounts.operator)?;", "asks for the operator to burn"),
        gone("burn-pause", "require_running(self.config, asset, scope::BURN)?;", "looks at pauses when it burns (M8)"),
        gone(
            "burn-released",
            "require(asset.state != ASSET_RELEASED, Error::AssetNotActive)?;",
            "leaves released assets alone",
        ),
        gone("burn-sequence", "take_sequence(asset, sequence, &intent.intent_hash)?;", "gives each burn a number (M4)"),
        gone("burn-zero", "require(amount_raw != 0, Error::AmountZero)?;", "refuses to burn nothing"),
        gone(
            "burn-inventory",
            "require(reading::amount_raw(target.vault())? >= amount_raw, Error::InventoryTooLow)?;",
            "looks at the inventory before it burns",
        ),
        gone(
            "burn-total",
            "asset.burnt_raw = asset.burnt_raw.checked_add(amount_raw).ok_or_else(|| cold_error(Error::Overflow))?;",
            "counts what it burnt",
        ),
        gone("burn-invariant", "asset.invariant()?;", "checks the asset's own rules before it burns"),
    ),
    *of(
        "instructions/operator/distribute.rs",
        "distribute pauses",
        off(
            "distribute-mint", "!address_eq(&asset.mint, accounts.mint.address())", "compares the mint with the asset's"
        ),
        off(
            "distribute-vault",
            "!address_eq(&asset.vault, accounts.vault.address())",
            "takes from the asset's vault only (M7)",
        ),
        off("distribute-to-vault", "asset.is_vault(destination)", "refuses its own vaults as destinations"),
        off(
            "distribute-owner",
            "!address_eq(holder, &participant.wallet)",
            "sends to the participant's own account only",
        ),
        gone("distribute-role", "require_operator(config, accounts.operator)?;", "asks for the operator to distribute"),
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
            "take_sequence(asset, args.sequence, args.intent_hash)?;",
            "gives each distribution a number (M4)",
        ),
        off("distribute-zero", "args.amount_raw == 0", "refuses to distribute nothing"),
        off("distribute-order", "*args.order_id == [0; 16]", "asks for an order"),
        gone(
            "distribute-bucket",
            "asset.distribute_bucket.take(args.amount_raw)?;",
            "has a rate limit of distributions (M5)",
        ),
        gone(
            "distribute-total",
            "asset.distributed_raw = asset.distributed_raw.checked_add(args.amount_raw).ok_or(Error::Overflow)?;",
            "counts what it distributed",
        ),
        gone("distribute-invariant", "asset.invariant()?;", "checks the asset's own rules before it distributes"),
    ),
    *of(
        "instructions/shared/supply_batch.rs",
        "substitution mint_burn mint_limits",
        gone("batch-empty", "require(!entries.is_empty(), Error::NoEntries)?;", "refuses a batch of nothing"),
        gone(
            "batch-too-long",
            "require(entries.len() <= MAX_BATCH, Error::TooManyEntries)?;",
            "counts the entries of a batch",
        ),
        gone(
            "batch-custodians-number",
            "require(custodians <= MAX_BATCH_CUSTODIANS as usize, Error::EntriesAccountsMismatch)?;",
            "limits the custodians of a batch",
        ),
        gone(
            "batch-custodian-account",
            "Validated::<Custodian>::new(program_id, first)?;",
            "checks whose and of what kind a custodian's account is",
        ),
        gone(
            "batch-custodians-order",
            "require(ascending(previous, account.address()), Error::CustodiansNotAscending)?;",
            "wants custodians in order and once",
        ),
        swap(
            "batch-asset-account",
            "Validated::<Asset>::new(program_id, asset_account)?.get()",
            "unsafe { Validated::<Asset>::assume_checked(asset_account) }.get()",
            "checks whose and of what kind an asset's account is",
        ),
        gone(
            "batch-writable",
            "require(asset_account.is_writable() && mint.is_writable() && vault.is_writable(), Error::ConstraintMut)?;",
            "refuses read-only accounts by name",
        ),
        gone(
            "batch-mint",
            "require(address_eq(&asset.mint, mint.address()), Error::WrongMint)?;",
            "compares the mint with the asset's",
        ),
        swap(
            "batch-vault",
            "require(address_eq(&asset.vault, vault.address()), Error::WrongVault)?;",
            "",
            "compares the vault with the asset's (M7)",
        ),
        swap(
            "batch-same-mint-waits",
            " || waiting.has_mint_of(target)",
            "",
            "lets a second entry of a mint read the supply that the first one left (M1)",
        ),
        swap(
            "batch-calls-made",
            """waiting.count = waiting.count.wrapping_add(1); // at most MAX_SUPPLY_CALLS
    }
    waiting.make()""",
            """waiting.count = waiting.count.wrapping_add(1);
    }
    Ok(())""",
            "makes the calls of a batch",
        ),
        gone("batch-call-made", "call_of::<C>(intent, target).make();", "makes the call of a single entry"),
        gone(
            "batch-other-custodians",
            "Validated::<Custodian>::new(program_id, account)?;",
            "checks whose and of what kind a further custodian's account is",
        ),
        swap(
            "batch-retired-custodian",
            "(custodian.state == CUSTODIAN_ACTIVE).then_some(custodian.epoch)",
            "Some(custodian.epoch)",
            "leaves a retired custodian's entries out of the ceiling",
        ),
    ),
    *of(
        "instructions/shared/pause.rs",
        "mint_burn mint_limits pauses distribute",
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
        swap(
            "pause-unknown-scope",
            "let known = scopes & scope::ALL;",
            "if scopes & !scope::ALL != 0 { return Err(Error::UnknownScope); } let known = scopes & scope::ALL;",
            "stops what exists where an unknown scope is asked too (M8)",
        ),
        swap(
            "pause-inapplicable-scope",
            "others => Ok(others),",
            "_ => Err(error),",
            "stops what exists where the transfers cannot be stopped (M8)",
        ),
        swap(
            "pause-wrong-mint",
            "if !address_eq(&asset.mint, mint.address()) =>",
            "if false && !address_eq(&asset.mint, mint.address()) =>",
            "pauses the asset's own mint",
        ),
    ),
    *of(
        "instructions/shared/sequence.rs",
        "mint_burn mint_limits pauses distribute",
        swap(
            "sequence-any",
            "asset.sequence == sequence",
            "true || asset.sequence == sequence",
            "compares the number with the asset's next (M4)",
        ),
        swap(
            "sequence-ahead",
            "asset.sequence == sequence",
            "asset.sequence <= sequence",
            "refuses a number ahead of the next (M4)",
        ),
        swap(
            "sequence-again",
            "asset.sequence == sequence",
            "asset.sequence >= sequence",
            "refuses a number that was used (M4)",
        ),
        swap(
            "sequence-wraps",
            "sequence.checked_add(1).ok_or_else(|| cold_error(Error::SequenceExhausted))?",
            "sequence.wrapping_add(1)",
            "ends with the last number",
        ),
        gone("sequence-hash", "asset.last_intent_hash = *intent_hash;", "keeps the hash of the intent that executed"),
    ),
    # ---- statements ------------------------------------------------------------------------------------------------
    *of(
        "instructions/attestation/statement.rs",
        "attestation attestation_batches quorum_layout",
        swap(
            "statement-asset-account",
            "Writable::<Asset>::new(context.program_id, account)?.get()",
            "unsafe { Writable::<Asset>::assume_checked(account) }.get()",
            "checks whose and of what kind an asset's account is",
        ),
        swap(
            "statement-writable",
            "Writable::<Asset>::new(context.program_id, account)?.get()",
            "crate::account::Validated::<Asset>::new(context.program_id, account)?.get()",
            "refuses a read-only asset by name",
        ),
        off(
            "statement-order",
            "previous.is_some_and(|previous| !ascending(previous, &asset.mint))",
            "wants each asset once and in order",
        ),
        swap(
            "statement-genesis",
            "        &config.genesis_hash,\n",
            "        &[],\n",
            "binds a statement to its cluster (M3)",
        ),
        swap(
            "statement-program",
            "        context.program_id.as_array(),\n",
            "        &[],\n",
            "binds a statement to its program (M3)",
        ),
        swap(
            "statement-custodian",
            "        accounts.custodian.address().as_array(),\n",
            "        &[],\n",
            "binds a statement to its custodian (M3)",
        ),
        swap(
            "statement-mint",
            "mint.write(asset.mint.as_array());",
            "mint.write(&[]);",
            "binds an entry to its mint (M3)",
        ),
        swap(
            "statement-multiplier",
            "multiplier.write(bytes_of_number(asset.multiplier_in_force(now)));",
            "multiplier.write(&[]);",
            "binds an entry to the multiplier (M3)",
        ),
    ),
    *of(
        "instructions/attestation/submit_attestation.rs",
        "attestation attestation_batches quorum_layout custodians",
        swap("statement-empty", "args.entries.is_empty() || ", "", "refuses a statement of nothing"),
        swap(
            "statement-too-long",
            " || args.entries.len() > MAX_STATEMENT_ENTRIES",
            "",
            "counts the entries of a statement by name",
        ),
        off(
            "statement-accounts",
            "accounts.remaining.len() != args.entries.len()",
            "wants one account per entry",
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
        swap(
            "statement-multiplier-announced",
            "if asset.change_announced() {\n        asset.activate_pending_multiplier(now);",
            "if asset.change_announced() && now.ts < 0 {\n        asset.activate_pending_multiplier(now);",
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
            "!renewed && !is_capacity(attested.shares_nano, multiplier_bits, asset.decimals, capacity_raw)",
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
        gone(
            "statement-seen-kept",
            "entry.redeemed_seen_raw = redeemed_seen_raw;",
            "keeps what the custodian has seen redeemed (M6)",
        ),
        swap(
            "statement-tolerance-up",
            "!rises_above(old_raw, capacity_raw, tolerance_bps) && ",
            "",
            "bounds a rise across a change of the multiplier (M9)",
        ),
        swap(
            "statement-tolerance-down",
            " && !falls_below(old_raw, capacity_raw, tolerance_bps)",
            "",
            "bounds a fall across a change of the multiplier (M9)",
        ),
        off("statement-rise", "rises_above(old_raw, capacity_raw, rise_bps)", "holds after a rise (M9)"),
        swap(
            "statement-renewed",
            "same_multiplier && before.shares_nano == attested.shares_nano && before.capacity_raw == capacity_raw",
            "same_multiplier && before.shares_nano == attested.shares_nano",
            "computes a capacity of the same shares that differs",
        ),
        swap(
            "statement-renewed-multiplier",
            "same_multiplier && before.shares_nano == attested.shares_nano && before.capacity_raw == capacity_raw",
            "before.shares_nano == attested.shares_nano && before.capacity_raw == capacity_raw",
            "computes the same capacity anew after a change of the multiplier (M9)",
        ),
        swap(
            "statement-harmless-multiplier",
            "        && same_multiplier\n        && before.redeemed_seen_raw",
            "        && before.redeemed_seen_raw",
            "looks at a fall across a change of the multiplier (M9)",
        ),
        swap(
            "statement-harmless-seen",
            "        && before.redeemed_seen_raw == redeemed_seen_raw\n",
            "",
            "looks at what is newly seen redeemed (M9)",
        ),
        swap(
            "statement-newly-seen",
            "saturating_add(before.capacity_raw, before.redeemed_seen_raw).saturating_sub(attested.redeemed_seen_raw)",
            "before.capacity_raw",
            "takes what is newly seen redeemed for no fall (M9)",
        ),
        swap(
            "statement-window",
            "return if asset.around_change(now, false) { hold::CA_WINDOW } else { 0 };",
            "return 0;",
            "holds after a first entry around a change of the multiplier (M9)",
        ),
        off(
            "statement-tolerance",
            "before.multiplier_bits != asset.multiplier_bits",
            "bounds an entry with another multiplier (M9)",
        ),
        swap(
            "statement-rise-around",
            "if around_change { policy.max_rise_bps.min(policy.ca_tolerance_bps) } else",
            "if false { 0 } else",
            "bounds a rise around a change of the multiplier by its tolerance (M9)",
        ),
    ),
    *of(
        "instructions/attestation/signatures.rs",
        "attestation attestation_batches quorum_layout",
        off(
            "s2-program",
            "!address_eq(program, &ids::ED25519_PROGRAM)",
            "wants the instruction of the ed25519 program (S2)",
        ),
        swap(
            "s6-trailing",
            "data.len() != message_at + DIGEST_LEN",
            "data.len() < message_at + DIGEST_LEN",
            "refuses bytes behind the message (S6)",
        ),
        swap(
            "s7-s8-offsets",
            "places != expected_places || message != expected_message || message_index != THIS_INSTRUCTION",
            "message != expected_message || message_index != THIS_INSTRUCTION",
            "compares where keys and signatures stand (S7, S8, S11)",
        ),
        swap(
            "s9-s10-message",
            "places != expected_places || message != expected_message || message_index != THIS_INSTRUCTION",
            "places != expected_places",
            "compares where the message stands (S9, S10, S11)",
        ),
        swap(
            "s11-index-of-key",
            "                | (THIS_INSTRUCTION as u64) << 48;",
            "                | (places & 0xFFFF_0000_0000_0000);",
            "wants the key in the instruction itself (S11)",
        ),
        swap(
            "q1-order",
            "if previous.is_some_and(|previous| !ascending(previous, signer)) {",
            "if false && previous.is_some_and(|previous| !ascending(previous, signer)) {",
            "wants signers in order, by name (Q1)",
        ),
        swap(
            "q2-known",
            "known.find(|key| address_eq(&key.key, signer)).ok_or(Error::SignerUnknown)?",
            "known.next().ok_or(Error::SignerUnknown)?",
            "compares signers with the custodian's keys (Q2)",
        ),
        off("q3-expired", "now.ts >= key.expires_ts", "refuses expired keys (Q3)"),
        off("q4-threshold", "parties.count() < custodian.threshold", "counts parties (Q4, M2)"),
        off("q5-custodian", "!parties.has(OWN_PARTY)", "wants the custodian's own signature (Q5, M2)"),
        swap(
            "q6-message",
            ".is_some_and(|message| address_eq(message, &expected))",
            ".is_some_and(|message| address_eq(message, &expected) || true)",
            "reads the signed message (Q6)",
        ),
    ),
    # ---- the money rules of the state ------------------------------------------------------------------------------
    *of(
        "state/entry.rs",
        "mint_burn mint_limits attestation attestation_batches quorum_layout",
        swap(
            "fresh-attached",
            "self.state == ENTRY_ATTACHED\n            && self.withdrawn == 0",
            "self.withdrawn == 0",
            "leaves detached entries out of the ceiling",
        ),
        swap(
            "fresh-withdrawn", "            && self.withdrawn == 0\n", "", "leaves withdrawn entries out of the ceiling"
        ),
        swap(
            "fresh-epoch",
            "            && self.epoch == epoch\n",
            "",
            "leaves entries of old keys out of the ceiling (M2)",
        ),
        swap(
            "fresh-expiry",
            "            && now.ts < self.expires_ts\n",
            "",
            "leaves expired entries out of the ceiling",
        ),
        swap(
            "fresh-age",
            "            && now.ms() <= fresh_until_ms\n",
            "",
            "leaves old entries out of the ceiling",
        ),
        swap(
            "fresh-multiplier",
            "\n            && self.multiplier_bits == multiplier_bits",
            "",
            "leaves entries of another multiplier out of the ceiling (M9)",
        ),
        swap(
            "invalidate-time",
            "self.observed_ms = self.observed_ms.max(until_ms);",
            "",
            "keeps older statements from reviving an invalidated entry (M3)",
        ),
        gone("invalidate-capacity", "self.capacity_raw = 0;", "empties the capacity of an invalidated entry"),
        gone("invalidate-mark", "self.withdrawn = 1;", "marks an invalidated entry"),
    ),
    *of(
        "state/bucket.rs",
        "mint_burn mint_limits",
        swap(
            "bucket-overfull",
            "Some(secs) if elapsed_secs > secs => burst_raw,",
            "",
            "fills a bucket to its size only (M5)",
        ),
        swap(
            "bucket-take",
            "self.level_raw.checked_sub(amount_raw).ok_or_else(|| cold_error(Error::BucketEmpty))?",
            "self.level_raw.saturating_sub(amount_raw)",
            "refuses more than the bucket holds (M5)",
        ),
    ),
    *of(
        "state/asset.rs",
        "mint_burn mint_limits attestation attestation_batches quorum_layout",
        swap(
            "ceiling-unseen",
            "capacity_raw.saturating_sub(unseen_raw)",
            "{ let _ = unseen_raw; capacity_raw }",
            "takes unseen redemptions off the ceiling (M6)",
        ),
        swap(
            "ceiling-unseen-of-one",
            "saturating_add(others_raw, entry.unseen_raw())",
            "others_raw.max(entry.unseen_raw())",
            "sums unseen redemptions over all entries (M6)",
        ),
        swap(
            "ceiling-unseen-of-attached",
            "if entry.redeemed_total_raw != entry.redeemed_seen_raw {",
            "if entry.state == ENTRY_ATTACHED && entry.redeemed_total_raw != entry.redeemed_seen_raw {",
            "counts the unseen redemptions of detached entries (M6)",
        ),
        swap(
            "invariant-redeemed",
            "ensure(used == self.entry_count && redeemed_raw <= self.burnt_raw, Rule::AssetEntries)",
            "ensure(used == self.entry_count, Rule::AssetEntries)",
            "ensures that what was redeemed was burnt (M12)",
        ),
        swap(
            "invariant-seen",
            "ensure(entry.redeemed_seen_raw <= entry.redeemed_total_raw, Rule::AssetSeen)?;",
            "",
            "ensures that no more was seen redeemed than was redeemed (M6)",
        ),
    ),
    *of(
        "state/limits.rs",
        "burn_limits",
        swap(
            "burn-bucket-not-stored",
            "self.burn_bucket.take(amount_raw)",
            "{ let mut bucket = self.burn_bucket; bucket.take(amount_raw) }",
            "remembers what was taken out of the bucket of burns (M5)",
        ),
        swap(
            "burn-bucket-change",
            "self.burn_bucket = self.burn_bucket.resized",
            "let _ = self.burn_bucket.resized",
            "clips the bucket of burns to its new size (M5)",
        ),
    ),
    *of(
        "instructions/operator/burn.rs",
        "burn_limits",
        gone("burn-bucket", "asset.take_burn(amount_raw, self.now)?;", "has a rate limit of burns (M5)"),
    ),
    *of(
        "instructions/operator/settle_redemption.rs",
        "burn_limits",
        gone("settle-bucket", "asset.take_burn(amount_raw, now)?;", "settles within the bucket of burns (M5)"),
    ),
    *of(
        "state/custodian.rs",
        "custodians attestation attestation_batches quorum_layout",
        off("keys-own-party", "!parties.has(OWN_PARTY)", "wants a key of the custodian itself (M2)"),
        off("keys-threshold", "self.threshold < MIN_THRESHOLD", "wants two parties at least (M2)"),
        swap(
            "parties-every-key",
            "if self.bits & bit == 0 {",
            "if true || self.bits & bit == 0 {",
            "counts a party with two keys once (M2)",
        ),
    ),
    # ---- the timelock ----------------------------------------------------------------------------------------------
    *of(
        "timelock.rs",
        "timelock admin_handover",
        off(
            "timelock-mismatch",
            "proposal.hash != proposal_hash(context.data, without_proposal)?",
            "runs what was proposed",
        ),
        off("timelock-shown", "proposal.data() != context.data", "runs only what the proposal shows"),
        off(
            "timelock-pending",
            "proposal.state != PROPOSAL_PENDING",
            "runs a proposal once, and none that was cancelled",
        ),
        off("timelock-stale", "proposal.admin_epoch != config.admin_epoch", "forgets what another admin proposed"),
        off("timelock-early", "now.ts < proposal.ready_ts", "waits for the timelock"),
        off("timelock-expired", "proposal.has_expired(now)?", "forgets a proposal that nobody executed"),
        gone("timelock-once", "proposal.state = PROPOSAL_EXECUTED;", "remembers what was executed"),
        swap(
            "timelock-none",
            "if config.sealed == 0 { Ok(()) }",
            "if config.sealed <= 1 { Ok(()) }",
            "wants a proposal once sealed",
        ),
        swap(
            "timelock-accounts",
            "[TAG, data].into_iter().chain(keys)",
            "[TAG, data].into_iter()",
            "proposes of accounts",
        ),
    ),
    *of(
        "instructions/admin/propose.rs",
        "timelock role_changes",
        gone("propose-accepted", "proposal.accepted = 0;", "forgets an acceptance when a proposal is made again"),
        swap(
            "propose-accounts",
            "proposal.write_down(args.instruction_data, accounts.remaining)?;",
            "proposal.write_down(args.instruction_data, &[])?;",
            "writes down the accounts of what is proposed",
        ),
        off("propose-any", "!TIMELOCKED.contains(&instruction)", "proposes only what needs it"),
        off("propose-again", "proposal.state == PROPOSAL_PENDING && is_live", "leaves the time of a proposal as it is"),
        swap(
            "propose-role",
            "if instruction == set_role::DISCRIMINATOR {",
            "if false && instruction == set_role::DISCRIMINATOR {",
            "knows a proposal that replaces the guardian",
        ),
    ),
    *of(
        "instructions/guardian/cancel_proposal.rs",
        "timelock",
        off(
            "cancel-own-replacement",
            "proposal.role == role::GUARDIAN && !address_eq(&config.admin, by)",
            "lets the guardian be replaced",
        ),
        swap(
            "cancel-together",
            "require_resumer(config, accounts.resumer.ok_or(Error::GuardianCannotCancel)?)?;",
            "accounts.resumer.ok_or(Error::GuardianCannotCancel)?;",
            "asks for the resumer's own key beside the guardian's",
        ),
        off("cancel-finished", "proposal.state != PROPOSAL_PENDING", "cancels only what is pending"),
    ),
    *of(
        "instructions/pending_admin/accept_role.rs",
        "role_changes",
        swap(
            "accept-role-key",
            "proposal.role == NO_ROLE || !address_eq(&proposal.key, accounts.new_key.address())",
            "proposal.role == NO_ROLE",
            "lets only the proposed key accept a role",
        ),
        off("accept-role-closed", "proposal.state != PROPOSAL_PENDING", "takes no acceptance of what has ended"),
    ),
    *of(
        "instructions/admin/set_role.rs",
        "timelock role_changes",
        off(
            "set-role-accepted",
            "load::<Proposal>(context.program_id, proposal)?.accepted == 0",
            "asks the new key of a role first",
        ),
        gone(
            "set-role-timelock",
            "timelock::check(context, config, accounts.proposal, Now::read()?)?;",
            "gives roles under the timelock",
        ),
    ),
    *of(
        "instructions/admin/attach_custodian.rs",
        "timelock custodians",
        gone(
            "attach-timelock",
            "timelock::check(context, config, accounts.proposal, now)?;",
            "attaches custodians under the timelock",
        ),
        gone(
            "attach-void",
            "entry.invalidate(now.observable_until_ms(config.max_skew_secs));",
            "voids what was observed before a custodian is attached (M3)",
        ),
    ),
    *of(
        "instructions/admin/attach_custodian.rs",
        "retire_custodian",
        swap(
            "attach-not-retired",
            "?.state != CUSTODIAN_RETIRED",
            "?.state == u8::MAX",
            "takes a slot with redemptions from a retired custodian only (M6)",
        ),
        swap(
            "attach-former",
            "*entry = Entry::new(*address);",
            "entry.custodian = *address;",
            "leaves nothing of the former custodian's entry",
        ),
        gone(
            "attach-counted",
            "custodian.entries = custodian.entries.checked_add(1).ok_or(Error::Overflow)?;",
            "counts where a custodian is attached",
        ),
    ),
    *of(
        "instructions/admin/retire_custodian.rs",
        "retire_custodian timelock",
        gone(
            "retire-custodian-timelock",
            "timelock::check(context, config, accounts.proposal, Now::read()?)?;",
            "retires a custodian under the timelock",
        ),
        off("retire-custodian-used", "custodian.entries != 0", "retires a custodian with nothing unseen only (M6)"),
        off("retire-custodian-once", "custodian.state == CUSTODIAN_RETIRED", "retires a custodian once, by name"),
        gone("retire-custodian-state", "custodian.state = CUSTODIAN_RETIRED;", "retires a custodian"),
    ),
    *of(
        "state/entry.rs",
        "retire_custodian",
        swap(
            "entry-open-unseen",
            "self.state == ENTRY_ATTACHED || self.unseen_raw() != 0",
            "self.state == ENTRY_ATTACHED",
            "counts an entry with something unseen among its custodian's (M6)",
        ),
        swap(
            "entry-free-unseen",
            "self.unseen_raw() == 0 && (is_retired || self.redeemed_total_raw == 0)",
            "(is_retired || self.redeemed_total_raw == self.redeemed_total_raw)",
            "keeps the slot of who had redemptions and may come back (M6)",
        ),
        swap(
            "entry-free-attached",
            "self.state == ENTRY_DETACHED && self.unseen_raw()",
            "self.unseen_raw()",
            "takes no slot of an attached custodian",
        ),
    ),
    *of(
        "instructions/admin/set_custodian_keys.rs",
        "timelock custodians",
        gone(
            "keys-timelock",
            "timelock::check(context, config, accounts.proposal, now)?;",
            "changes keys under the timelock",
        ),
    ),
    *of(
        "instructions/admin/loosen_policy.rs",
        "timelock policy",
        gone(
            "loosen-timelock",
            "timelock::check(context, config, accounts.proposal, now)?;",
            "loosens limits under the timelock",
        ),
        swap(
            "policy-old",
            "let old = (&asset.policy).into();",
            "let old = *args.policy;",
            "tells which limits an asset had",
            tests="policy",
        ),
    ),
    *of(
        "instructions/admin/retire_asset.rs",
        "retire_release timelock",
        gone(
            "retire-timelock",
            "timelock::check(context, config, accounts.proposal, Now::read()?)?;",
            "retires an asset under the timelock",
        ),
    ),
    *of(
        "instructions/admin/release_authority.rs",
        "retire_release timelock",
        gone(
            "release-timelock",
            "timelock::check(context, config, accounts.proposal, now)?;",
            "releases a mint under the timelock",
        ),
        off("release-redemptions", "asset.open_redemptions != 0", "releases a mint without open redemptions only"),
        off(
            "release-redemption-vault",
            "!address_eq(&asset.redemption_vault, accounts.redemption_vault.address())",
            "burns what is left in the asset's own redemption vault, by name",
        ),
        gone(
            "release-burnt",
            "asset.burnt_raw = asset.burnt_raw.checked_add(burnt_raw).ok_or(Error::Overflow)?;",
            "counts what it burns at a release (M12)",
        ),
        off("release-change", "asset.change_announced()", "waits for a change of the multiplier before a release"),
    ),
    # ---- what the admin does ---------------------------------------------------------------------------------------
    *of(
        "instructions/admin/detach_custodian.rs",
        "custodians",
        gone("detach-void", "entry.invalidate(0);", "leaves nothing of a detached entry"),
        gone("detach-state", "entry.state = ENTRY_DETACHED;", "detaches"),
        gone(
            "detach-counted",
            "custodian.entries = custodian.entries.checked_sub(1).ok_or(Error::Overflow)?;",
            "counts where a custodian is detached",
            tests="retire_custodian",
        ),
    ),
    *of(
        "instructions/admin/initialize.rs",
        "initialize",
        swap(
            "initialize-anybody",
            "if !address_eq(\n        upgrade_authority(",
            "if false && !address_eq(\n        upgrade_authority(",
            "is initialized by its deployer only",
        ),
        off(
            "initialize-program", "!address_eq(program.address(), program_id)", "reads the upgrade authority of itself"
        ),
    ),
    *of(
        "instructions/admin/seal.rs",
        "timelock admin_handover",
        off("seal-twice", "config.sealed != 0", "is sealed once"),
        off("seal-offer", "config.withdraw_offer()", "ends an offer that knew no timelock"),
    ),
    *of(
        "instructions/admin/clear_role.rs",
        "timelock",
        off(
            "clear-guardian",
            "config.sealed == 1 && args.role == role::GUARDIAN",
            "keeps the guardian, once sealed, until it is replaced",
        ),
        off(
            "clear-resumer",
            "config.sealed == 1 && args.role == role::RESUMER",
            "keeps the resumer, once sealed, until it is replaced",
        ),
    ),
    *of(
        "instructions/admin/tighten_policy.rs",
        "policy",
        off("tighten-loosens", "!policy.tightens(&asset.policy)", "tightens at once and nothing else"),
        gone("tighten-bounds", "policy.check()?;", "keeps the bounds of every policy"),
    ),
    *of(
        "instructions/shared/mint_registration.rs",
        "register_asset adoption adoption_unfit",
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
        "adoption adoption_unfit",
        off("begin-again", "adoption.state != ADOPTION_ABORTED", "keeps the holders of an adoption under way"),
        gone(
            "begin-verify",
            "verify(bytes, &expected, &mut Found::default())?;",
            "verifies the mint before holders hand over",
        ),
    ),
    *of(
        "instructions/admin/finish_adopt.rs",
        "adoption adoption_unfit",
        gone("finish-once", "adoption.state = ADOPTION_FINISHED;", "remembers a finished adoption"),
    ),
    *of(
        "instructions/admin/abort_adopt.rs",
        "adoption adoption_unfit",
        gone("abort-vacant", "require_vacant(asset)?;", "keeps the authorities once the asset exists"),
    ),
    # ---- a mint before it is taken ---------------------------------------------------------------------------------
    *of(
        "token_2022/authorities.rs",
        "register_asset adoption adoption_unfit",
        swap(
            "authority-nobody",
            "may != Holder::Asset\n            } else {",
            "true\n            } else {",
            "wants the authorities that it needs",
        ),
        swap(
            "authority-other",
            "may != Holder::Nobody && address_eq(holder, asset)",
            "may != Holder::Nobody",
            "refuses foreign authorities",
        ),
    ),
    *of(
        "token_2022/mint_profile.rs",
        "register_asset adoption adoption_unfit",
        swap(
            "profile-forbidden-extension",
            "_ if extension > 31 || required & bit(extension) == 0 => return Err(Error::ForbiddenExtension),",
            "_ if extension > 31 || required & bit(extension) == 0 => continue,",
            "refuses extensions that the profile has not",
        ),
        gone("profile-name", "require_name(name)?;", "refuses a mint in use whose name cannot be shown"),
        swap(
            "profile-symbol", "require_name(symbol)\n", "Ok(())\n", "refuses a mint in use whose symbol cannot be shown"
        ),
    ),
    # ---- texts that are shown --------------------------------------------------------------------------------------
    *of(
        "instructions/shared/metadata.rs",
        "metadata",
        gone("metadata-new-name", "require_name(name)?;", "refuses a new mint's name that cannot be shown"),
        gone("metadata-new-symbol", "require_name(symbol)?;", "refuses a new mint's symbol that cannot be shown"),
        gone("metadata-new-uri", "require_no_control(uri)?;", "refuses control characters in a new mint's link"),
        gone("metadata-key", "require_no_control(key)?;", "refuses control characters in a key of the metadata"),
        swap(
            "metadata-changed-name",
            'b"name" | b"symbol" => require_name(value)?,',
            'b"name" => require_name(value)?, b"symbol" => {}',
            "refuses a changed symbol that cannot be shown",
        ),
        swap(
            "metadata-changed-symbol",
            'b"name" | b"symbol" => require_name(value)?,',
            'b"symbol" => require_name(value)?, b"name" => {}',
            "refuses a changed name that cannot be shown",
        ),
        swap(
            "metadata-value",
            "_ => require_no_control(value)?,",
            "_ => {}",
            "refuses control characters in a value of the metadata",
        ),
    ),
    *of(
        "text.rs",
        "metadata",
        swap(
            "text-empty",
            "    if text.is_empty() {\n        return",
            "    if false {\n        return",
            "refuses an empty name",
        ),
        swap("text-blank", "if is_blank(text) {", "if false {", "refuses a blank name"),
        swap("text-second-row", " || (before == 0xC2 && byte < 0xA0)", "", "refuses control characters beyond ASCII"),
    ),
    *of(
        "token_2022/mint_profile.rs",
        "register_asset adoption adoption_unfit",
        swap(
            "profile-decimals",
            "if found.decimals > MAX_DECIMALS {",
            "if found.decimals > MAX_DECIMALS + 1 {",
            "refuses a mint of more than nine decimals",
        ),
    ),
    *of(
        "instructions/shared/mint_registration.rs",
        "register_asset adoption",
        swap(
            "profile-decimals-taken",
            "asset.decimals = found.decimals;",
            "asset.decimals = 8;",
            "counts in the decimals of the mint",
        ),
    ),
    # ---- reading accounts and numbers ------------------------------------------------------------------------------
    *of(
        "math.rs",
        "attestation attestation_batches quorum_layout register_asset",
        swap(
            "math-capacity-floor",
            "low.wrapping_sub(value.low) < unit;",
            "low.wrapping_sub(value.low) <= unit;",
            "takes the exact floor as capacity",
        ),
        swap(
            "math-capacity-above",
            "high == value.high.wrapping_add(borrow) && low",
            "high <= value.high.wrapping_add(borrow) && low",
            "refuses a capacity above the shares",
        ),
        swap(
            "math-capacity-billionths",
            ".wrapping_add(9).wrapping_sub(decimals as u64)",
            ".wrapping_add(6).wrapping_sub(decimals as u64)",
            "counts shares in billionths",
        ),
        swap(
            "math-capacity-division",
            "if divisor.less_or_equal(rest) {",
            "if rest.less_or_equal(divisor) {",
            "divides exactly where the short way does not reach",
        ),
        swap(
            "math-capacity-overflow",
            "if quotient >> 63 != 0 {",
            "if false && quotient >> 63 != 0 {",
            "refuses a capacity beyond 64 bits",
        ),
        swap(
            "math-rise",
            "!multiply(new, BPS).less_or_equal(multiply(old, BPS + bps as u64))",
            "!multiply(new, BPS).less_or_equal(multiply(old, BPS + 2 * bps as u64))",
            "holds at the rise of the policy (M9)",
        ),
    ),
    # ---- participants, pauses, holds, keys -------------------------------------------------------------------------
    *of(
        "instructions/registrar/set_participant.rs",
        "distribute",
        gone(
            "participant-role",
            "require_registrar(config, accounts.registrar)?;",
            "asks for the registrar to list somebody",
        ),
    ),
    *of(
        "state/participant.rs",
        "distribute redemptions redemption_blame redemption_states",
        off("participant-inactive", "self.state != PARTICIPANT_ACTIVE", "sends to active participants only"),
        off("participant-expired", "now.ts >= self.expires_ts", "sends nothing to a participant that expired"),
    ),
    *of(
        "instructions/guardian/pause.rs",
        "pauses",
        gone("pause-role", "require_guardian(config, accounts.guardian)?;", "asks for the guardian to pause (M8)"),
        swap("pause-others", "asset.paused |= scopes;", "asset.paused = scopes;", "keeps the other pauses (M8)"),
        swap(
            "pause-transfers-of-all",
            "stoppable(args.scopes, Err(Error::TransfersNeedAsset))",
            "stoppable(args.scopes, Ok(()))",
            "says that a global pause stops no transfers (M8)",
        ),
    ),
    *of(
        "instructions/resumer/resume.rs",
        "pauses",
        gone("resume-role", "require_resumer(config, accounts.resumer)?;", "asks for the resumer to resume (M8)"),
        swap("resume-others", "Ok(paused & !scopes)", "Ok(0)", "resumes only what was named (M8)"),
    ),
    *of(
        "state/config.rs",
        "pauses timelock",
        off(
            "guardian-is-resumer",
            "self.guardian == self.resumer && self.guardian != Address::default()",
            "wants two keys to pause and to resume (M8)",
        ),
        off(
            "sealed-role-missing",
            "self.guardian == nobody || self.resumer == nobody",
            "wants a guardian and a resumer once sealed",
        ),
        off(
            "sealed-roles-different",
            "**key != nobody && others.contains(key)",
            "wants a key per role once sealed",
        ),
        off("sealed-timelock-short", "timelock_secs < min_timelock_secs", "keeps to the least timelock"),
    ),
    *of(
        "instructions/attestation/submit_attestation.rs",
        "holds",
        gone(
            "hold-counted",
            "asset.hold_number = asset.hold_number.wrapping_add(1);",
            "numbers each hold, also one over another (M9)",
        ),
    ),
    *of(
        "instructions/resumer/clear_hold.rs",
        "holds mint_limits",
        gone("hold-role", "require_resumer(config, accounts.resumer)?;", "asks for the resumer to clear a hold (M9)"),
        off(
            "hold-looked-at",
            "args.hold_number != asset.hold_number",
            "clears what the resumer looked at (M9)",
        ),
    ),
    *of(
        "instructions/shared/custodian_keys.rs",
        "custodians",
        gone("keys-epoch", "custodian.next_epoch()?;", "starts a new epoch with other keys (M2)"),
        swap(
            "keys-old",
            "keys: custodian.packed_keys(),",
            "keys: old_keys,",
            "tells which keys a custodian has from now on",
        ),
    ),
    *of(
        "instructions/attestation/withdraw_entry.rs",
        "withdraw_entry",
        off("withdraw-expired", "now.ts >= key.expires_ts", "lets an attester withdraw while its key lasts"),
        gone(
            "withdraw-void",
            "entry.invalidate(now.observable_until_ms(config.max_skew_secs));",
            "makes a withdrawn entry count nothing (M3)",
        ),
    ),
    # ---- accounts --------------------------------------------------------------------------------------------------
    *of(
        "account.rs",
        "substitution",
        off("account-owner", "!address_eq(account.owner(), program_id)", "reads its own accounts only"),
        gone(
            "account-kind",
            "require(discriminator == expected, Error::AccountDiscriminatorMismatch)?;",
            "tells one kind of account from another",
        ),
        swap(
            "account-version",
            "require(version == VERSION, Error::UnsupportedVersion)",
            "Ok(())",
            "refuses a layout that it does not know",
        ),
        swap(
            "account-longer-version",
            "Some(version) if *version != VERSION => Error::UnsupportedVersion,",
            "Some(version) if *version == VERSION => Error::UnsupportedVersion,",
            "names a later version also where it has another size",
        ),
    ),
    *of(
        "token_2022/reading.rs",
        "distribute substitution",
        off("token-owner", "!address_eq(account.owner(), &ids::TOKEN_2022)", "takes token accounts of Token-2022 only"),
        swap(
            "token-mint",
            "!is_account || !of_mint || !is_initialized",
            "!is_account || !is_initialized",
            "takes token accounts of the mint only",
        ),
        swap("token-frozen", ".filter(|_| !is_frozen(account))", "", "refuses frozen token accounts"),
    ),
    # ---- the admin role ----------------------------------------------------------------------------------------
    *of(
        "instructions/pending_admin/accept_admin.rs",
        "admin_handover",
        off(
            "accept-role",
            "!address_eq(&config.pending_admin, accounts.pending_admin.address())",
            "asks who accepts the admin role",
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
        "instructions/shared/multiplier.rs",
        "multiplier",
        off(
            "multiplier-applied",
            "reading::effective_multiplier_bits(mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits",
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
    *of(
        "instructions/attestation/submit_attestation.rs",
        "confirmed",
        off(
            "statement-before-change",
            "!same_multiplier && args.observed_ms < asset.multiplier_changed_ts.unsigned_abs().wrapping_mul(1_000)",
            "passes over what was observed before the last change of the multiplier took effect (M9)",
        ),
        swap(
            "statement-unconfirmed",
            "asset.around_change(now, before.confirmed != 0)",
            "asset.around_change(now, true)",
            "bounds rises by the tolerance until the entry has confirmed the change (M9)",
        ),
        swap(
            "statement-confirmed",
            "asset.around_change(now, before.confirmed != 0)",
            "asset.around_change(now, false)",
            "ends the time around a change that the entry has confirmed (M9)",
        ),
        swap(
            "statement-confirms-held",
            "!same_multiplier && hold == 0 && is_predecessor(before, attested)",
            "!same_multiplier && is_predecessor(before, attested)",
            "takes what leaves the tolerance for no confirmation (M9)",
        ),
        swap(
            "statement-confirms-older",
            "before.withdrawn == 0 && before.multiplier_bits != 0 &&",
            "before.withdrawn == 0 &&",
            "confirms a change only from the multiplier before it (M9)",
        ),
    ),
    *of(
        "instructions/corporate_actions/schedule_multiplier.rs",
        "confirmed",
        gone(
            "schedule-forgets",
            "asset.forget_older_multipliers();",
            "makes entries of an older multiplier count never again (M9)",
        ),
        swap(
            "schedule-confirmed",
            "|| !is_stated(asset)",
            "",
            "wants the admin before a quorum has confirmed the last change (M9)",
        ),
        swap(
            "schedule-confirmed-by-one",
            "let mut stated = asset.multiplier_changed_ts == 0;",
            "let mut stated = true;",
            "wants at least one entry that has confirmed the last change (M9)",
        ),
    ),
    *of(
        "instructions/corporate_actions/cancel_multiplier.rs",
        "confirmed multiplier",
        gone(
            "cancel-multiplier-window",
            "asset.change_cancelled_ts = now.ts;",
            "is careful for some time after a cancelled change (M9)",
        ),
    ),
    *of(
        "state/entry.rs",
        "confirmed",
        gone("void-confirmed", "self.confirmed = 0;", "takes the confirmation away with the entry (M9)"),
    ),
    # ---- freezing and recovery -------------------------------------------------------------------------------------
    *of(
        "instructions/compliance/thaw.rs",
        "freeze recovery",
        gone(
            "thaw-role",
            "require_compliance_or_both(config, accounts.authority, accounts.resumer)?;",
            "asks who thaws (M7)",
        ),
        swap(
            "thaw-recovery-open",
            "?.state == RECOVERY_ANNOUNCED",
            "?.state == RECOVERY_ANNOUNCED && false",
            "keeps an account frozen while its recovery is announced (M7)",
        ),
        off(
            "thaw-immutable-owner",
            "!reading::has_immutable_owner(accounts.account)",
            "thaws in the permissioned profile only what stays the participant's",
        ),
    ),
    *of(
        "instructions/shared/holder_account.rs",
        "freeze recovery",
        off("compliance-vault", "asset.is_vault(account.address())", "leaves its own vaults alone (M7)"),
    ),
    *of(
        "instructions/compliance/announce_recovery.rs",
        "recovery",
        off("announce-open", "recovery.state == RECOVERY_ANNOUNCED", "leaves an announced recovery as it is (M7)"),
        off(
            "announce-delay",
            "args.delay_secs < config.timelock_secs || args.delay_secs > YEAR_SECS",
            "announces a recovery a timelock ahead (M7)",
        ),
        swap(
            "announce-freeze",
            "if !reading::is_frozen(accounts.source) {\n        asset",
            "if false {\n        asset",
            "freezes the source at once (M7)",
        ),
        gone(
            "announce-metered",
            "asset.take_freeze(now)?;",
            "counts a freeze by a recovery among the day's (M7)",
            tests="freeze",
        ),
    ),
    *of(
        "instructions/compliance/freeze.rs",
        "freeze",
        gone(
            "freeze-metered", "asset.take_freeze(Now::read()?)?;", "freezes no more accounts than the policy says (M7)"
        ),
    ),
    *of(
        "instructions/guardian/cancel_recovery.rs",
        "recovery",
        gone(
            "cancel-recovery-role", "require_guardian(config, accounts.guardian)?;", "asks for the guardian to cancel"
        ),
    ),
    *of(
        "instructions/compliance/execute_recovery.rs",
        "recovery",
        gone("execute-admin", "require_admin(config, accounts.admin)?;", "wants the admin's signature too (M7)"),
        swap(
            "execute-destination",
            " || !address_eq(&recovery.destination, destination.address())",
            "",
            "recovers to the announced account (M7)",
        ),
        swap("execute-mint", " || !address_eq(&recovery.mint, &asset.mint)", "", "recovers of the announced mint (M7)"),
        off("execute-early", "Now::read()?.ts < recovery.ready_ts", "waits for the announced time (M7)"),
        gone("execute-once", "recovery.state = RECOVERY_EXECUTED;", "remembers an executed recovery"),
    ),
    # ---- redemptions -----------------------------------------------------------------------------------------------
    *of(
        "instructions/participant/request_redemption.rs",
        "redemptions redemption_blame redemption_states",
        off("request-participant", "!address_eq(&participant.wallet, wallet)", "takes the wallet's own permission"),
        off("request-owner", "!address_eq(holder, wallet)", "takes tokens from the wallet's own account only, by name"),
        gone("request-paused", "require_running(config, asset, scope::REDEEM)?;", "looks at pauses (M8)"),
        gone("request-active", "participant.require_active(now)?;", "wants an active participant"),
    ),
    *of(
        "instructions/participant/cancel_redemption.rs",
        "redemptions redemption_blame redemption_states",
        off(
            "cancel-redemption-role",
            "!address_eq(&redemption.wallet, accounts.wallet.address())",
            "asks whose redemption it is",
        ),
        gone(
            "cancel-locked",
            "redemption.require_unlocked(Now::read()?.ts)?;",
            "keeps an accepted redemption from its wallet for a time (M6)",
            tests="redemption_acceptance",
        ),
    ),
    *of(
        "instructions/attestation/accept_redemption.rs",
        "redemption_acceptance",
        off(
            "accept-mint",
            "!address_eq(&redemption.mint, &asset.mint)",
            "compares the redemption's mint with the asset's",
        ),
        swap(
            "accept-own-party",
            "custodian.key(attester).filter(|key| key.party == OWN_PARTY)",
            "custodian.key(attester)",
            "wants a key of the custodian's own party (M6)",
        ),
        off("accept-expired", "now.ts >= key.expires_ts", "accepts while the key lasts"),
        gone("accept-paused", "require_running(config, asset, scope::REDEEM)?;", "looks at pauses (M8)"),
        off(
            "accept-attached",
            "asset.entries.get(slot).is_none_or(|entry| entry.state != ENTRY_ATTACHED)",
            "wants a custodian that is attached",
        ),
    ),
    *of(
        "state/redemption.rs",
        "redemption_acceptance",
        swap(
            "accept-once",
            "} else if !address_eq(&self.custodian, custodian) || epoch <= self.accepted_epoch {",
            "} else if false {",
            "accepts a redemption once",
        ),
        swap(
            "settle-accepted",
            "if !address_eq(&self.custodian, custodian) || self.accepted_epoch != epoch {",
            "if self.accepted_epoch == 0 {",
            "settles on the custodian that accepted, in its present key epoch (M6)",
        ),
        swap(
            "accept-lock",
            "self.state == REDEMPTION_REQUESTED && now_ts < self.locked_until_ts",
            "self.state == REDEMPTION_REQUESTED && self.locked_until_ts != 0",
            "lets a wallet take back what is not settled in time",
        ),
    ),
    *of(
        "instructions/operator/reject_redemption.rs",
        "redemptions redemption_blame redemption_states roles",
        gone("reject-role", "require_operator(config, accounts.operator)?;", "asks for the operator to reject"),
    ),
    *of(
        "instructions/shared/redemption.rs",
        "redemptions redemption_blame redemption_states",
        off("redeeming-mint", "!address_eq(&asset.mint, mint)", "compares the mint with the asset's"),
        off(
            "redeeming-vault",
            "!address_eq(&asset.redemption_vault, self.vault.address())",
            "takes from the redemption vault only (M7)",
        ),
        off("redeeming-of-mint", "!address_eq(&redemption.mint, mint)", "wants a redemption of this mint"),
        off("give-back-to-vault", "asset.is_vault(destination.address())", "refuses its vaults as destinations"),
        off("give-back-owner", "!address_eq(holder, &redemption.wallet)", "gives back to the wallet that requested"),
        gone(
            "give-back-once",
            "redemption.close(state, now.ts)?;",
            "gives a redemption's tokens back once",
        ),
    ),
    *of(
        "instructions/shared/redemption.rs",
        "redemptions",
        swap(
            "give-back-elsewhere",
            "given.check_destination(redemption, now)?;",
            "",
            "gives back to where the tokens came from (M7)",
        ),
        off(
            "give-back-others-permission",
            "!address_eq(&participant.wallet, &redemption.wallet)",
            "looks at the redeemer's own permission",
        ),
        swap(
            "give-back-delisted",
            "participant.require_active(now)\n    }",
            "{ let _ = now; Ok(()) }\n    }",
            "gives back elsewhere to active participants only (M7)",
        ),
    ),
    *of(
        "state/redemption.rs",
        "redemptions redemption_blame redemption_states redemption_holds",
        swap(
            "redemption-closed",
            "self.state == REDEMPTION_REQUESTED {",
            "true || self.state == 0 {",
            "ends a redemption once",
        ),
        off("redemption-held", "self.on_hold != 0", "neither settles nor gives back what is on hold (M7)"),
        swap("recover-hold-ends", "self.on_hold = 0;", "", "ends a hold with its redemption"),
    ),
    *of(
        "instructions/participant/request_redemption.rs",
        "retire_release",
        gone("request-counted", "asset.redemption_opened()?;", "counts open redemptions"),
    ),
    *of(
        "instructions/operator/settle_redemption.rs",
        "retire_release",
        gone("settle-counted", "asset.redemption_ended()?;", "counts open redemptions down as it settles"),
    ),
    *of(
        "instructions/shared/redemption.rs",
        "retire_release",
        gone("give-back-counted", "asset.redemption_ended()?;", "counts open redemptions down as it gives back"),
    ),
    *of(
        "instructions/compliance/execute_redemption_recovery.rs",
        "retire_release",
        gone("redeeming-execute-counted", "asset.redemption_ended()?;", "counts open redemptions down as it recovers"),
    ),
    *of(
        "instructions/admin/release_authority.rs",
        "lying_token",
        off(
            "release-supply-after",
            "supply_before_raw.checked_sub(amount_raw) != Some(reading::supply_raw(mint)?)",
            "reads the supply again after it burnt what was left",
        ),
        off("release-vault-after", "reading::amount_raw(vault)? != 0", "reads the vaults again after it burnt (M7)"),
    ),
    *of(
        "instructions/compliance/hold_redemption.rs",
        "redemption_holds roles",
        gone("redeeming-hold-role", "require_compliance(config, accounts.compliance)?;", "asks for compliance to hold"),
        gone("hold-open", "redemption.require_open()?;", "holds open redemptions only, by name"),
    ),
    *of(
        "instructions/compliance/clear_redemption_hold.rs",
        "redemption_holds roles",
        gone(
            "unhold-role",
            "require_compliance_or_both(config, accounts.authority, accounts.resumer)?;",
            "asks who clears the hold of a redemption",
        ),
        off(
            "unhold-recovery",
            "!address_eq(&find_address(&seeds, context.program_id)?.0, accounts.recovery.address())",
            "looks at the redemption's own recovery (M7)",
        ),
        swap(
            "unhold-announced",
            "?.state == RECOVERY_ANNOUNCED",
            "?.state == u8::MAX",
            "keeps the hold of a recovery (M7)",
        ),
    ),
    *of(
        "instructions/shared/roles.rs",
        "freeze redemption_holds",
        swap(
            "both-resumer",
            "require_resumer(config, resumer.ok_or(Error::NotResumer)?)",
            "{ let _ = resumer; Ok(()) }",
            "wants the resumer beside the admin",
        ),
        gone("both-admin", "return Err(Error::NotCompliance);", "wants the admin beside the resumer"),
    ),
    *of(
        "instructions/compliance/announce_redemption_recovery.rs",
        "redemption_holds roles",
        gone("redeeming-announce-role", "require_compliance(config, accounts.compliance)?;", "asks for compliance"),
        off(
            "redeeming-announce-mint",
            "!address_eq(&redemption.mint, &asset.mint)",
            "announces for a redemption of this mint",
        ),
        gone("redeeming-announce-ended", "redemption.require_open()?;", "recovers open redemptions only, by name"),
        off(
            "redeeming-announce-delay",
            "args.delay_secs < config.timelock_secs || args.delay_secs > YEAR_SECS",
            "announces a timelock ahead (M7)",
        ),
        off(
            "redeeming-announce-open",
            "recovery.state == RECOVERY_ANNOUNCED",
            "leaves an announced recovery as it is (M7)",
        ),
        gone("redeeming-announce-hold", "redemption.on_hold = 1;", "holds the redemption at once (M7)"),
    ),
    *of(
        "instructions/compliance/execute_redemption_recovery.rs",
        "redemption_holds roles",
        gone("redeeming-execute-admin", "require_admin(config, accounts.admin)?;", "wants the admin's signature (M7)"),
        swap(
            "redeeming-execute-source",
            "!address_eq(&recovery.source, accounts.redemption.address())\n        || ",
            "",
            "recovers the announced redemption (M7)",
        ),
        swap(
            "redeeming-execute-destination",
            "\n        || !address_eq(&recovery.destination, destination.address())",
            "",
            "recovers to the announced account (M7)",
        ),
        off("redeeming-execute-early", "now.ts < recovery.ready_ts", "waits for the announced time (M7)"),
        off("redeeming-execute-announced", "recovery.state != RECOVERY_ANNOUNCED", "executes what is announced (M7)"),
        gone("redeeming-execute-once", "redemption.recover(now.ts)?;", "ends the redemption it recovers"),
    ),
    *of(
        "instructions/operator/settle_redemption.rs",
        "redemptions redemption_blame redemption_states roles",
        gone("settle-role", "require_operator(config, accounts.operator)?;", "asks for the operator to settle"),
        gone("settle-paused", "require_running(config, asset, scope::REDEEM)?;", "looks at pauses (M8)"),
        off("settle-released", "asset.state == ASSET_RELEASED", "leaves released assets alone"),
        gone(
            "settle-once",
            "redemption.settle(&custodian_address, custodian.epoch, now.ts)?;",
            "settles a redemption once",
        ),
        off(
            "settle-multiplier",
            "reading::effective_multiplier_bits(accounts.mint, asset.scaled_ui_offset, now)? != asset.multiplier_bits",
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
    # ---- what is read back after a call of Token-2022 --------------------------------------------------------------
    *of(
        "token_2022/reading.rs",
        "lying_token distribute redemptions redemption_blame redemption_states",
        swap(
            "moved-source",
            "self::amount_raw(source)?.checked_sub(amount_raw).ok_or(too_low)?",
            "self::amount_raw(source)?.wrapping_sub(amount_raw)",
            "looks at what the source holds before it moves it, by name",
        ),
        off("moved-balances", "amount_raw(account)? != expected_raw", "compares the balances after a transfer (M7)"),
        swap(
            "moved-destination",
            "for (account, expected_raw) in [self.source, self.destination] {",
            "for (account, expected_raw) in [self.source] {",
            "looks at the destination after a transfer (M7)",
        ),
    ),
    *of(
        "instructions/shared/supply_batch.rs",
        "lying_token",
        gone(
            "batch-supply-after",
            "require_supply(target.mint(), supply_after_raw)?;",
            "reads the supply again after the call (M1)",
        ),
        gone(
            "batch-supply-after-of-many",
            "require_supply(mint, *supply_raw)?;",
            "reads each supply again after the calls of a batch (M1)",
        ),
    ),
    *of(
        "instructions/operator/distribute.rs",
        "lying_token",
        gone("distribute-balance-after", "moved.check()?;", "reads both balances again after the transfer (M7)"),
    ),
    *of(
        "instructions/operator/settle_redemption.rs",
        "lying_token",
        off(
            "settle-supply-after",
            "supply_before_raw.checked_sub(amount_raw) != Some(supply_raw)",
            "reads the supply again after it settled",
        ),
        off(
            "settle-vault-after",
            "left_raw != Some(reading::amount_raw(accounts.redemption_vault)?)",
            "reads the redemption vault again after it settled (M7)",
        ),
    ),
    *of(
        "instructions/participant/request_redemption.rs",
        "lying_token",
        gone("request-after", "moved.check()?;", "reads both balances again after a request (M7)"),
    ),
    *of(
        "instructions/shared/redemption.rs",
        "lying_token",
        swap(
            "give-back-after",
            "    moved.check()\n",
            "    let _ = moved;\n    Ok(())\n",
            "reads both balances again after giving tokens back (M7)",
        ),
    ),
    *of(
        "instructions/compliance/execute_recovery.rs",
        "lying_token",
        gone("execute-after", "moved.check()?;", "reads both balances again after a recovery (M7)"),
        off("execute-frozen-after", "!reading::is_frozen(source)", "reads whether the source is frozen again"),
    ),
    *of(
        "instructions/compliance/announce_recovery.rs",
        "lying_token",
        swap(
            "announce-frozen-after",
            "        if !reading::is_frozen(accounts.source) {\n            return",
            "        if false {\n            return",
            "reads whether the source was frozen when its recovery is announced",
        ),
    ),
    *of(
        "instructions/compliance/freeze.rs",
        "lying_token",
        off("freeze-after", "!reading::is_frozen(accounts.account)", "reads whether an account was frozen"),
    ),
    *of(
        "instructions/compliance/thaw.rs",
        "lying_token",
        swap(
            "thaw-after",
            "    if reading::is_frozen(accounts.account) {",
            "    if false {",
            "reads whether an account was thawed",
        ),
    ),
    *of(
        "instructions/corporate_actions/schedule_multiplier.rs",
        "lying_token",
        swap(
            "schedule-after",
            "|| reading::effective_multiplier_bits(mint, offset, then)? != args.new_bits",
            "",
            "reads in the mint whether it will apply the new multiplier (M9)",
        ),
    ),
    *of(
        "instructions/corporate_actions/cancel_multiplier.rs",
        "lying_token",
        swap(
            "cancel-multiplier-after",
            "|| reading::effective_multiplier_bits(mint, offset, never)? != bits",
            "",
            "reads in the mint whether the change is gone (M9)",
        ),
    ),
    *of(
        "instructions/shared/authority_transfer.rs",
        "lying_token",
        off(
            "handing-after",
            "must_transfer(before, holder, asset) && !address_eq(after, holder)",
            "reads in the mint whether an authority was handed over",
        ),
    ),
    # ---- release ---------------------------------------------------------------------------------------------------
)
