"""Which chains the tests of this folder run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from localnet.demo.chains import VALIDATOR_ENV, VALIDATOR_NAME, validator_path
from tests.support.deployed import Asset, Deployed
from tests.support.live_chain import LiveChain
from tests.support.refusals import Refusal
from tests.support.start import chain_kinds


def test_a_validator_that_is_at_hand_is_tried_beside_the_embedded_chain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    validator = tmp_path / VALIDATOR_NAME
    validator.touch(mode=0o700)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VALIDATOR_ENV, raising=False)
    assert chain_kinds(embedded_only=False) == ["embedded"]
    monkeypatch.setenv(VALIDATOR_ENV, str(validator))
    assert chain_kinds(embedded_only=False) == ["embedded", "validator"]
    assert chain_kinds(embedded_only=True) == ["embedded"]


def test_this_run_tries_the_validator() -> None:
    """Says so once where it does not."""
    if validator_path() is None:
        pytest.skip(f"{VALIDATOR_NAME} is neither in {VALIDATOR_ENV} nor on PATH: the embedded chain only")
    assert "validator" in chain_kinds(embedded_only=False)


async def test_the_chain_is_the_one_that_was_asked_for(chain: LiveChain) -> None:
    version = await chain.rpc.call("getVersion")
    assert version["solana-core"]
    assert (await chain.rpc.call("getHealth")) == "ok"
    assert chain.embedded is (chain.kind == "embedded")


async def test_a_refused_transaction_lands_with_its_error_and_changes_nothing(program: Deployed, asset: Asset) -> None:
    """Elsewhere a validator only simulates what is refused."""
    await asset.attest(1_000)
    above = await asset.minting(1_001)
    expected = {"InstructionError": [1, {"Custom": int(Refusal.CeilingExceeded)}]}
    landed = await program.chain.executed_and_refused(above, expected)
    assert landed.fee_lamports > 0
    assert any("Error Code: CeilingExceeded. Error Number: 6208." in line for line in landed.logs)
    await program.accepted(await asset.minting(1_000))
