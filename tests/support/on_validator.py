"""What runs on solana-test-validator too: a named list, each with the reason. Everything else runs on the embedded
chain only, unless `--all-chains` is given.

`python -m tests.support.on_validator` prints it as a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from localnet.harness.chains import validator_path
from xstocks_daemon.chain.program.idl import load_interface

_ROLES = "tests/program/test_roles.py::test_exactly_the_right_keys_pass"
_OTHERS = {
    "initialize": "tests/program/test_initialize.py::test_the_upgrade_authority_initializes_once",
    "submit_attestation": "tests/program/test_attestation.py::test_the_same_and_older_statements_are_refused",
}

INSTRUCTIONS: Mapping[str, str] = MappingProxyType(
    {name: _OTHERS.get(name, f"{_ROLES}[{name}]") for name in sorted(load_interface().accounts_of)}
)
"""For every instruction of the IDL the test in which it is accepted once and refused once."""

_CLIENT = "the command line against another node's RPC"
_GATE = "another program reads the reserve: once accepted, once refused"
_LARGEST = "the largest batch fits a validator's packets, locks and compute limits"
_QUORUM = "the validator's own ed25519 precompile and instructions sysvar"

OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "tests/program/test_chains.py::test_the_chain_is_the_one_that_was_asked_for": "which node it is",
        "tests/program/test_chains.py::test_a_refused_transaction_lands_with_its_error_and_changes_nothing": (
            "a leader executes and charges what fails; elsewhere a validator only simulates it"
        ),
        "tests/program/test_attestation.py::test_the_custodian_and_one_agent_are_enough_in_any_combination": _QUORUM,
        "tests/program/test_attestation.py::test_two_agents_without_the_custodian_are_not": _QUORUM,
        (
            "tests/program/test_quorum_layout.py::test_layouts_that_the_ed25519_program_takes_and_this_one_does_not"
        ): _QUORUM,
        "tests/program/test_attestation.py::test_eight_signatures_are_taken": _QUORUM,
        "tests/program/test_attestation_batches.py::test_one_quorum_covers_24_assets_in_one_transaction": _LARGEST,
        "tests/program/test_audit.py::test_the_largest_batch_lands_with_its_whole_event": _LARGEST,
        "tests/program/test_mint_burn.py::test_18_assets_are_minted_and_burnt_in_one_transaction": _LARGEST,
        "tests/program/test_mint_burn.py::test_a_mint_reaches_the_ceiling_exactly_and_not_one_unit_more": (
            "M1 on Token-2022 as the validator runs it"
        ),
        "tests/program/test_timelock.py::test_a_proposal_is_executed_once_after_its_timelock": "a real clock",
        "tests/chain/test_on_chain.py::test_a_batch_lands_fails_or_dies_and_the_resolver_knows_which": (
            "lookup tables, expiry and the status cache of a real ledger"
        ),
        "tests/cli/test_program_on_chain.py::test_compliance_freezes_and_thaws": _CLIENT,
        "tests/cli/test_program_on_chain.py::test_guardian_and_resumer": _CLIENT,
        "tests/cli/test_program_on_chain.py::test_a_deployment_is_set_up_from_nothing": _CLIENT,
        "tests/embedded_chain/test_typescript.py::test_kit": "clients that others write, HTTP and websocket",
        "tests/embedded_chain/test_typescript.py::test_web3": "clients that others write, HTTP and websocket",
        "tests/reserve/test_lending_gate.py::test_a_deposit_passes_while_every_token_is_backed": _GATE,
        "tests/reserve/test_lending_gate.py::test_a_deposit_is_refused_while_the_reserve_is_short": _GATE,
        "tests/e2e/test_kill.py::test_a_daemon_killed_there_mints_exactly_once": "exactly once on a real ledger",
        "tests/e2e/test_demo.py::test_the_demo_ends_with_supply_tracking_custody": "the whole system",
    }
)
"""Test: why a validator shows more than the embedded chain."""

NAMED = frozenset({*INSTRUCTIONS.values(), *OTHERS})


def chain_params(metafunc: pytest.Metafunc) -> list[object]:
    """The chains of a test function: the embedded one, and the validator where it is found and the list (or
    `--all-chains`) says so. What is marked `embedded_only` turns the clock or edits accounts."""
    function = f"{metafunc.definition.path.relative_to(metafunc.config.rootpath)}::{metafunc.function.__name__}"
    listed = metafunc.config.getoption("--all-chains") or any(name.partition("[")[0] == function for name in NAMED)
    embedded_only = metafunc.definition.get_closest_marker("embedded_only") is not None
    if embedded_only or not listed or validator_path() is None:
        return ["embedded"]
    return ["embedded", pytest.param("validator", marks=pytest.mark.validator)]


def is_named(node_id: str) -> bool:
    """Whether the list has the test, whatever its chain."""
    plain = _without_chain(node_id)
    return plain in NAMED or plain.partition("[")[0] in NAMED


def shown_instructions(node_id: str) -> list[str]:
    """The instructions of which the list says that this test accepts and refuses them."""
    plain = _without_chain(node_id)
    return [name for name, test in INSTRUCTIONS.items() if test == plain]


def _without_chain(node_id: str) -> str:
    plain = re.sub(r"\[(embedded|validator)\]$", "", node_id.partition("@")[0])
    return re.sub(r"(?<=\[)(embedded|validator)-|-(embedded|validator)(?=[-\]])", "", plain)


def main() -> None:
    """Print which tests run on the validator, and why."""
    print("| test | shows on a validator |\n|---|---|")
    for instruction, test in INSTRUCTIONS.items():
        print(f"| `{test}` | `{instruction}` accepted and refused |")
    for test, reason in OTHERS.items():
        print(f"| `{test}` | {reason} |")


if __name__ == "__main__":
    main()
