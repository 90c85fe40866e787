"""Which chains the end-to-end tests run on."""

from __future__ import annotations

import pytest

from localnet.harness.chains import VALIDATOR_ENV, VALIDATOR_NAME, ChainKind, validator_path


@pytest.fixture(params=["embedded", "validator"])
def chain_kind(request: pytest.FixtureRequest) -> ChainKind:
    """The embedded chain, and solana-test-validator where it is found."""
    kind: ChainKind = request.param
    if kind == "validator" and validator_path() is None:
        pytest.skip(f"{VALIDATOR_NAME} is neither on PATH nor named by {VALIDATOR_ENV}")
    return kind
