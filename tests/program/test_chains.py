"""Which chains the tests of this folder run on."""

from __future__ import annotations

import pytest

from localnet.demo.chains import VALIDATOR_ENV, VALIDATOR_NAME, validator_path
from tests.support.live_chain import LiveChain


def test_the_validator_is_one_of_the_chains() -> None:
    if validator_path() is None:
        pytest.skip(f"{VALIDATOR_NAME} is neither in {VALIDATOR_ENV} nor on PATH: the embedded chain only")


async def test_the_chain_is_the_one_that_was_asked_for(chain: LiveChain) -> None:
    version = await chain.rpc.call("getVersion")
    assert version["solana-core"]
    assert (await chain.rpc.call("getHealth")) == "ok"
    assert chain.embedded is (chain.kind == "embedded")
