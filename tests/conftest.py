"""For all tests: random tests, chains, time-outs.

A failing random test prints the line that replays it (`@reproduce_failure(...)`); HYPOTHESIS_PROFILE=thorough tries
twenty times as many examples, =unshrunk does not look for a smaller failing one.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from xdist.remote import Producer

from localnet.harness.chains import VALIDATOR_ENV, VALIDATOR_NAME, validator_path
from tests.support.on_validator import is_named
from tests.support.workers import GroupScheduling, group_of, on_validator

# No deadline: nothing here is judged by the clock of a shared machine.
settings.register_profile(
    "quick", max_examples=100, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2_000)
settings.register_profile(
    "unshrunk", settings.get_profile("quick"), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Every command sets up logging for its process; a test must not leave that to the next."""
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-chains", action="store_true", help="run on the validator all that can run there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded_only: turns the clock or edits accounts, which no validator lets us")
    config.addinivalue_line("markers", "validator: runs on solana-test-validator; given by the chain, never by hand")
    config.addinivalue_line("markers", "early: takes long; begun first, so that no worker is left with it at the end")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    # Not by xdist's own groups: they get lost, since it writes them into an attribute that pytest 9.2 no longer reads.
    return GroupScheduling(config, log)


def pytest_report_header() -> str:
    found = validator_path()
    if found is None:
        return f"chains: the embedded one; without {VALIDATOR_NAME} (PATH, {VALIDATOR_ENV}) its part is skipped"
    return f"chains: the embedded one, and {found}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--all-chains"):
        unnamed = {each for each in items if each.get_closest_marker("validator") and not is_named(each.nodeid)}
        config.hook.pytest_deselected(items=list(unnamed))
        items[:] = [each for each in items if each not in unnamed]
    # What one worker must do alone, and what takes long, comes first; else the order of the files. On the validator
    # those that start one of their own, before the one that stays until the end.
    items.sort(key=lambda each: group_of(each.nodeid) == each.nodeid and each.get_closest_marker("early") is None)
    items.sort(key=lambda each: on_validator(each.nodeid) and not each.nodeid.startswith("tests/e2e/"))
    if os.environ.get("HYPOTHESIS_PROFILE") == "thorough":
        for each in items:
            each.add_marker(pytest.mark.timeout(0))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that hung shows where each of its tasks waits: the thread's own stack only says "in the event loop"."""
    try:
        return (yield)
    except pytest.fail.Exception as failure:
        if "Timeout" in str(failure):
            pyfuncitem.add_report_section("call", "tasks", _waiting_tasks())
        raise


def _waiting_tasks() -> str:
    told = io.StringIO()
    for each in gc.get_objects():
        if isinstance(each, asyncio.Task) and not each.done():
            each.print_stack(file=told)
    return told.getvalue()
