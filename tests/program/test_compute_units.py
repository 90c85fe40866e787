"""What the program costs: measured anew, equal to docs/compute-units.md, and within the limits that are promised."""

from __future__ import annotations

import os

import pytest

from bench.measure.document import AT_LEAST, AT_MOST, Figures, document
from bench.program_cu import DOCS, measure
from tests.support.cluster import PROGRAM_SO_ENV
from tests.support.fixtures import session_fixture
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.chain.transactions import budget_for

pytestmark = pytest.mark.xdist_group("compute units")


@session_fixture
async def figures() -> Figures:
    """One measuring run."""
    return await measure()


async def test_the_documented_compute_units_are_the_measured_ones(figures: Figures) -> None:
    if os.environ.get(PROGRAM_SO_ENV):
        pytest.skip(f"{PROGRAM_SO_ENV} names another build than the documented one")
    documented = DOCS.read_text(encoding="utf-8") if DOCS.exists() else ""
    assert documented == document(figures), "run .venv/bin/python bench/program_cu.py --write-docs"


async def test_every_instruction_is_measured(figures: Figures) -> None:
    assert figures.instructions == set(load_interface().accounts_of)


async def test_the_daemons_compute_budget_suffices_for_every_batch(figures: Figures) -> None:
    for (name, entries), row in figures.batches.rows.items():
        assert row.reading.units < budget_for(row.reading.instruction, entries).limit_units, name


async def test_the_promised_limits_hold(figures: Figures) -> None:
    measured = {**figures.units, **figures.counts}
    for name, limit in AT_MOST.items():
        assert measured[name] <= limit, name
    for name, limit in AT_LEAST.items():
        assert measured[name] >= limit, name
