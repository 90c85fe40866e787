"""The embedded chain answers what a real validator answered to the same requests after the same play.

Compared are keys, kinds, codes, messages and every value that does not differ from run to run; see normal() in
scenario.py for what is left out. recorded/*.json names the validator's version.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.embedded_chain.record import RECORDED, ask

pytestmark = pytest.mark.xdist_group("recorded answers")


def recorded(name: str) -> dict[str, Any]:
    return dict(json.loads((RECORDED / f"{name}.json").read_text())[name])


@pytest.fixture(scope="module")
def embedded() -> dict[str, dict[str, Any]]:
    _, found = asyncio.run(ask("embedded"))
    return found


def test_same_requests_as_recorded(embedded: dict[str, dict[str, Any]]) -> None:
    for kind in ("answers", "envelopes", "notifications"):
        assert embedded[kind].keys() == recorded(kind).keys(), "record again: see record.py"


@pytest.mark.parametrize("name", sorted(recorded("answers")))
def test_answer(name: str, embedded: dict[str, dict[str, Any]]) -> None:
    assert embedded["answers"].get(name) == recorded("answers")[name]


@pytest.mark.parametrize("name", sorted(recorded("envelopes")))
def test_envelope(name: str, embedded: dict[str, dict[str, Any]]) -> None:
    assert embedded["envelopes"].get(name) == recorded("envelopes")[name]


@pytest.mark.parametrize("name", sorted(recorded("notifications")))
def test_notification(name: str, embedded: dict[str, dict[str, Any]]) -> None:
    assert embedded["notifications"].get(name) == recorded("notifications")[name]
