"""Which chains the tests of this folder run on."""

from __future__ import annotations

import pytest

from localnet.harness.chains import VALIDATOR_ENV, VALIDATOR_NAME, validator_path
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import LiveChain


def test_the_validator_is_one_of_the_chains() -> None:
    if validator_path() is None:
        pytest.skip(f"{VALIDATOR_NAME} is neither in {VALIDATOR_ENV} nor on PATH: the embedded chain only")


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
