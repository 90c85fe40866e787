"""Fixture decorators for what lives on a chain: the chain outlives a test, and so must its event loop."""

from __future__ import annotations

import pytest_asyncio

session_fixture = pytest_asyncio.fixture(scope="session", loop_scope="session")
"""Made once per chain."""
single_fixture = pytest_asyncio.fixture(loop_scope="session")
"""Made for each test, on the loop of the session."""
