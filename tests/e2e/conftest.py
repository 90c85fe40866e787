"""Which chains the end-to-end tests run on."""

from __future__ import annotations

import pytest

from localnet.harness.chains import ChainKind
from tests.support.on_validator import chain_params


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "chain_kind" in metafunc.fixturenames:
        metafunc.parametrize("chain_kind", chain_params(metafunc), indirect=True, scope="module")


@pytest.fixture(scope="module")
def chain_kind(request: pytest.FixtureRequest) -> ChainKind:
    """The embedded chain, and solana-test-validator where it is found."""
    return "validator" if request.param == "validator" else "embedded"
