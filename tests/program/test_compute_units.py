"""What the program costs: measured anew, equal to docs/compute-units.md, and within the limits that are promised."""

from __future__ import annotations

import os

import pytest

from bench.program_cu import DOCS, Figures, document, measure
from tests.support.fixtures import session_fixture
from tests.support.start import PROGRAM_SO_ENV

AT_MOST = {
    "mint": 4_700,
    "mint_each_more": 3_700,
    "submit_attestation_first": 2_500,
    "submit_attestation_each_more": 350,
}
AT_LEAST = {"mints_per_transaction": 18, "mints_per_transaction_3_custodians": 18, "attestations_per_transaction": 24}


@session_fixture
async def figures() -> Figures:
    """One measuring run."""
    return await measure()


async def test_the_documented_compute_units_are_the_measured_ones(figures: Figures) -> None:
    if os.environ.get(PROGRAM_SO_ENV):
        pytest.skip(f"{PROGRAM_SO_ENV} names another build than the documented one")
    documented = DOCS.read_text(encoding="utf-8") if DOCS.exists() else ""
    assert documented == document(figures), "run .venv/bin/python bench/program_cu.py --write-docs"


async def test_the_promised_limits_hold(figures: Figures) -> None:
    measured = {**figures.units, **figures.counts}
    for name, limit in AT_MOST.items():
        assert measured[name] <= limit, name
    for name, limit in AT_LEAST.items():
        assert measured[name] >= limit, name
