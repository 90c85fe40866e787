"""Which chains the tests of this folder run on."""

from __future__ import annotations

import re

import pytest

from localnet.harness.chains import VALIDATOR_ENV, VALIDATOR_NAME, validator_path
from localnet.harness.paths import ROOT
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import LiveChain
from tests.support.on_validator import INSTRUCTIONS, NAMED, is_named, shown_instructions
from xstocks_daemon.chain.program.idl import load_interface


def test_the_validator_is_one_of_the_chains() -> None:
    if validator_path() is None:
        pytest.skip(f"{VALIDATOR_NAME} is neither in {VALIDATOR_ENV} nor on PATH: the embedded chain only")


def test_every_instruction_is_shown_by_a_test_and_every_named_test_is_there() -> None:
    """That each does accept and refuse its instruction is checked after it (conftest.py)."""
    assert set(INSTRUCTIONS) == set(load_interface().accounts_of)
    for named in NAMED:
        file, _, name = named.partition("[")[0].partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), named


def test_the_list_names_tests_by_their_ids() -> None:
    mint = INSTRUCTIONS["mint"]
    assert is_named(mint.replace("[", "[validator-"))
    assert is_named(mint.replace("[mint]", "[embedded-mint]@group"))
    assert not is_named(mint.replace("[mint]", "[validator-no instruction]"))
    assert shown_instructions(mint.replace("[mint]", "[embedded-mint]")) == ["mint"]


async def test_the_chain_is_the_one_that_was_asked_for(chain: LiveChain) -> None:
    version = await chain.rpc.call("getVersion")
    assert version["solana-core"]
    assert (await chain.rpc.call("getHealth")) == "ok"
    assert chain.embedded is (chain.kind == "embedded")


async def test_a_refused_transaction_lands_with_its_error_and_changes_nothing(
    program: DeployedProgram, asset: Asset
) -> None:
    """Elsewhere a validator only simulates what is refused."""
    await asset.attest(1_000)
    above = await asset.mint_call(1_001)
    expected = {"InstructionError": [1, {"Custom": int(ErrorCode.CeilingExceeded)}]}
    landed = await program.chain.executed_and_refused(above, expected)
    assert landed.fee_lamports > 0
    assert any("Error Code: CeilingExceeded. Error Number: 6208." in line for line in landed.logs)
    await program.accepted(await asset.mint_call(1_000))
