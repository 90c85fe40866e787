"""Fixtures: the example lending gate on both chains."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.reserve.market import Market
from tests.reserve.market import market as open_market


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    """A market on a chain of the module's own; its kind is the parameter."""
    async with open_market(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened
