"""Which tests one worker must run: those that share something dear. Every other test goes to whoever is free.

By the test's id, since that is all that the process which hands them out knows.
"""

from __future__ import annotations

from functools import cache

from xdist.scheduler import LoadScopeScheduling

from localnet.harness.paths import ROOT

_SHARED_LOOP = 'loop_scope="module"'
_SHARED_MARK = "pytestmark = pytest.mark.xdist_group("
_MODEL = "tests/model/test_model.py"
_WITHOUT_A_RULE = ("test_without_a_rule_", "test_with_the_rule_", "test_a_rule_said_", "test_the_docs_are_")


def group_of(node_id: str) -> str:
    """The tests of one group run in one worker; a test that shares nothing is a group of its own."""
    path, _, name = node_id.partition("::")
    if on_validator(node_id):
        return "validator"
    if path == _MODEL and name.startswith(_WITHOUT_A_RULE):
        return f"{_MODEL}: worlds without a rule"
    return path if _shares_fixtures(path) else node_id


def on_validator(node_id: str) -> bool:
    """Whether it runs on solana-test-validator. All such tests are one group: two validators at once are slower than
    one after the other, since each keeps more than a processor busy."""
    _, _, name = node_id.partition("::")
    return "[validator]" in name or "[validator-" in name


@cache
def _shares_fixtures(path: str) -> bool:
    """Whether the tests of a file share their event loop, with what lives on it, or are marked as one group."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return _SHARED_LOOP in text or _SHARED_MARK in text


class GroupScheduling(LoadScopeScheduling):
    """Hands out whole groups, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
