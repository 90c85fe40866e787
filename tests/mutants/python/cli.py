"""Planted bugs of xstocks_daemon/cli."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, of, swap

MUTANTS: tuple[Mutant, ...] = (
    *of(
        "cli/orders.py",
        "cli/decisions cli/bad_input",
        swap(
            "cli-reissue-settled",
            "if settled.state is not RedemptionState.SETTLED:",
            "if False:",
            "issues again only what was burnt (M6)",
        ),
        swap(
            "cli-reissue-id",
            "return Order(settled.id, mint, settled.amount_raw, owner, associated_token_address(owner, mint))",
            "return Order(uuid.uuid4().bytes, mint, settled.amount_raw, owner, associated_token_address(owner, mint))",
            "links what is issued again to its redemption",
        ),
        swap(
            "cli-participant",
            '    if account is None:\n        raise user_error("WALLET"',
            '    if False:\n        raise user_error("WALLET"',
            "refuses an order to a wallet that is no participant by name",
        ),
        swap(
            "cli-participant-active",
            ".state is not ParticipantState.ACTIVE:",
            ".state is None:",
            "refuses an order to a participant who is not active",
        ),
        swap(
            "cli-participant-asked",
            "        await _check_participant(runtime, owner)\n",
            "",
            "looks at the participant before it takes an order",
        ),
        swap(
            "cli-amount-decimals",
            "    if len(part) > decimals:\n",
            "    if False:\n",
            "refuses an amount finer than the asset",
        ),
        swap(
            "cli-amount-zero",
            "if not 0 < amount_raw <= U64_MAX:",
            "if not 0 <= amount_raw <= U64_MAX:",
            "refuses an order of nothing",
        ),
        swap(
            "cli-amount-most",
            "if not 0 < amount_raw <= U64_MAX:",
            "if not 0 < amount_raw:",
            "refuses an amount that no u64 holds",
        ),
        swap(
            "cli-amount-digits",
            "not whole.isascii() or not whole.isdecimal()",
            "not whole.isdecimal()",
            "refuses digits of other scripts",
        ),
        swap(
            "cli-order-id",
            "    if not any(order_id):\n",
            "    if not order_id:\n",
            "refuses an order id of zeros",
        ),
        swap(
            "cli-order-twice",
            "        except JournalConflict:\n"
            '            raise user_error("--order-id", order_id, "was used before; give a new one for another order") '
            "from None\n",
            "        except JournalConflict:\n            pass\n",
            "refuses an order id that was used before (M11)",
        ),
        swap(
            "cli-destination",
            "Order(order_bytes, mint, amount_raw, owner, associated_token_address(owner, mint))",
            "Order(order_bytes, mint, amount_raw, owner, owner)",
            "orders to the participant's token account",
        ),
        swap(
            "cli-cancel",
            "await runtime.journal.cancel_order(_order_id(order_id), person_or_account(person))",
            "_order_id(order_id)",
            "takes an order back",
        ),
    ),
    *of(
        "cli/approvals.py",
        "cli/decisions cli/bad_input",
        swap(
            "cli-approve",
            "await runtime.journal.approve_burn(mint, up_to_raw, person_or_account(person))",
            "mint",
            "journals an approval",
        ),
        swap(
            "cli-approve-person",
            "await runtime.journal.approve_burn(mint, up_to_raw, person_or_account(person))",
            "await runtime.journal.approve_burn(mint, up_to_raw, person_or_account(None))",
            "journals who approved a burn",
        ),
        swap(
            "cli-ack-person",
            "return await runtime.journal.acknowledge_holder_burn(mint, up_to_raw, person_or_account(person))",
            "return await runtime.journal.acknowledge_holder_burn(mint, up_to_raw, person_or_account(None))",
            "journals who acknowledged a burn (M12)",
        ),
        swap(
            "cli-baseline-people",
            "if len({name.strip() for name in people}) != 2 or len(people) != 2:",
            "if len(people) != 2:",
            "wants two different people for a baseline (M12)",
        ),
        swap(
            "cli-baseline-three",
            "if len({name.strip() for name in people}) != 2 or len(people) != 2:",
            "if len({name.strip() for name in people}) != 2:",
            "wants exactly two people for a baseline",
        ),
        swap(
            "cli-baseline-daemon",
            "with only_daemon(settings.journal.path):",
            "for _ in (1,):",
            "wants the daemon stopped for a baseline (M11)",
        ),
        swap(
            "cli-baseline-holders",
            "mint, totals, views[mint].holder_burnt_raw, (first, second)",
            "mint, totals, 0, (first, second)",
            "takes what holders burnt into a baseline (M12)",
        ),
        swap(
            "cli-halts-list",
            "halts = [one.halt for one in known.values() if one.halt is not None]",
            "halts = [one.halt for one in known.values() if one.halt is not None][:0]",
            "lists halted assets",
        ),
        swap(
            "cli-halts-clear",
            "await runtime.journal.clear_halt(mint, person_or_account(person))",
            "mint",
            "clears a halt",
        ),
    ),
    *of(
        "cli/daemon.py",
        "cli/looking cli/bad_input",
        swap(
            "cli-plan-dry",
            "settings = open_settings(config, live=False)",
            "settings = open_settings(config)",
            "plans as a dry run",
        ),
        swap(
            "cli-check-fails",
            "    if not all(one.passed for one in checks):\n",
            "    if False:\n",
            "ends with 1 where a check fails",
        ),
        swap(
            "cli-attest-fails",
            "    if answers.rejected or answers.reading.failures:\n",
            "    if answers.rejected:\n",
            "ends with 1 where a custodian does not answer",
        ),
        swap(
            "cli-attest-rejected",
            "    if answers.rejected or answers.reading.failures:\n",
            "    if answers.reading.failures:\n",
            "ends with 1 where a statement is rejected",
        ),
        swap(
            "cli-attest-submit",
            "attest_once(settings, submit=submit)",
            "attest_once(settings, submit=True)",
            "relays only where it is told to",
        ),
    ),
    *of(
        "app/views.py",
        "cli/looking",
        swap(
            "look-obstacle-paused",
            'found += ["paused"] if one["paused"] or one["transfers_paused"] else []',
            'found += ["paused"] if one["paused"] else []',
            "shows paused transfers",
        ),
        swap(
            "look-obstacle-hold",
            'found += ["on hold"] if one["holds"] else []',
            "found += []",
            "shows a hold",
        ),
        swap(
            "look-obstacle-halt",
            "found += [f\"halted: {one['halt']['reason']}\"] if one[\"halt\"] else []",
            "found += []",
            "shows a halted asset in the list",
        ),
        swap(
            "look-obstacle-fresh",
            'if any(not entry["fresh"] for entry in one["entries"]) else []',
            'if all(not entry["fresh"] for entry in one["entries"]) else []',
            "shows that one of several statements is not fresh",
        ),
        swap(
            "look-obstacle-below",
            'found += ["below supply"] if int(one["supply_raw"]) > int(one["ceiling_raw"]) else []',
            'found += ["below supply"] if one["supply_raw"] > one["ceiling_raw"] else []',
            "compares amounts as numbers",
        ),
        swap(
            "look-above",
            '"above_ceiling": sum(int(one["supply_raw"]) > int(one["ceiling_raw"]) for one in shown),',
            '"above_ceiling": 0,',
            "counts the assets above their ceiling",
        ),
        swap(
            "look-halted",
            '"halted": sum(one["halt"] is not None for one in shown),',
            '"halted": 0,',
            "counts halted assets",
        ),
    ),
    *of(
        "cli/queries.py",
        "cli/looking",
        swap(
            "look-state",
            "    if state is not None and state not in states:\n",
            "    if False:\n",
            "refuses a state that is none by name",
        ),
        swap(
            "look-asset",
            "return await runtime.journal.intents(mint=mint, state=state, limit=limit)",
            "return await runtime.journal.intents(state=state, limit=limit)",
            "shows the intents of one asset where it is asked to",
        ),
    ),
    *of(
        "cli/attester.py",
        "cli/books",
        swap(
            "cli-books-several",
            "    if len(ids) != 1:\n",
            "    if False:\n",
            "wants one of several custodians named",
        ),
        swap(
            "cli-books-release",
            "raise operation_error(refused.field, refused.value, refused.remedy) from None",
            "raise user_error(refused.field, refused.value, refused.remedy) from None",
            "tells shares that may not leave yet from a mistake",
        ),
        swap(
            "cli-books-custodian",
            "    if custodian_id is not None:\n        return custodian_id\n",
            "",
            "takes the custodian that is named",
        ),
    ),
    *of(
        "cli/program.py",
        "cli/program cli/program_on_chain",
        swap(
            "cli-json-asked",
            'if given["as_json"] and not (given["yes"] or given["dry_run"] or offline):',
            "if False:",
            "refuses to send with --json where nobody is asked",
        ),
        swap(
            "cli-dry-run",
            "        if dry_run:\n            return shown\n",
            "",
            "sends nothing in a dry run",
        ),
        swap(
            "cli-confirmed",
            'if not yes and not typer.confirm("Send it?", err=True):',
            "if False:",
            "asks before it sends",
        ),
    ),
    *of(
        "cli/handover.py",
        "cli/program_on_chain",
        swap(
            "cli-handover-confirmed",
            'if not yes and not typer.confirm(f"Hand over to program {base58(settings.program_id)}?", err=True):',
            "if False:",
            "asks before it hands authorities over",
        ),
    ),
    *of(
        "cli/handover.py",
        "program/adoption_thawed",
        swap(
            "cli-adopt-check-code",
            "    if any(check.transferable for check in checks):\n        raise typer.Exit(EXIT_FAILURE)\n",
            "",
            "says by its exit code that an account can change hands",
        ),
    ),
    *of(
        "app/adopt_check.py",
        "program/adoption_thawed",
        swap(
            "adopt-check-mutable",
            "if not each.frozen and not each.immutable_owner)",
            "if not each.frozen)",
            "lists no account that stays its owner's",
        ),
        swap(
            "adopt-check-thawed",
            "if not each.frozen and not each.immutable_owner)",
            "if not each.immutable_owner)",
            "lists no frozen account",
        ),
        swap(
            "adopt-check-profile",
            "found = await _transferable(chain, mint) if permissioned else ()",
            "found = ()",
            "looks through the accounts of a permissioned mint",
        ),
    ),
    *of(
        "app/handover.py",
        "cli/program_on_chain",
        swap(
            "cli-handover-recorded",
            "if holder in keys and holder == recorded[name]]",
            "if holder in keys]",
            "hands over only what its recorded holder has",
        ),
    ),
    *of(
        "cli/main.py",
        "cli/bad_input cli/books",
        swap(
            "main-known",
            "        if known is None:\n            raise\n",
            "        if known is None:\n            return 1\n",
            "lets a bug be seen as one",
        ),
        swap(
            "main-code",
            "        return known.exit_code\n",
            "        return EXIT_USAGE\n",
            "tells a failure from a mistake by its exit code",
        ),
    ),
    *of(
        "cli/program_offline.py",
        "cli/program_mistakes cli/program",
        swap(
            "cli-signers",
            "    if not found:\n        if settings.operator is None:",
            "    if not found:\n        if False:",
            "says that a key file is missing",
        ),
    ),
)
