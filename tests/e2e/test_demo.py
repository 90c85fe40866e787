"""The whole system as a newcomer sees it, on every chain that is found."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from localnet.demo.__main__ import main
from localnet.demo.catalogue import load_catalogue
from localnet.demo.chains import ChainKind
from localnet.demo.show import Show, ShowOptions

ASSETS = 12


async def test_the_demo_ends_with_supply_tracking_custody(chain_kind: ChainKind, tmp_path: Path) -> None:
    told = io.StringIO()
    options = ShowOptions(chain_kind, load_catalogue(), ASSETS, validator_bin=None, rpc_port=0)
    show = Show(Console(file=told, width=200), options, tmp_path)
    assert await show.demo(keep=False), told.getvalue()
    text = told.getvalue()
    assert f"supply tracks custody: {ASSETS}/{ASSETS} assets" in text
    # The program's own words for each thing that the day tries and must not succeed.
    for refusal in ("6208 CeilingExceeded", "StatementNotNewer", "DigestMismatch", "6200 Paused"):
        assert refusal in text


def test_a_number_of_assets_that_is_none_is_refused_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--assets", "many"])
    assert ended.value.code == 2
    assert "'many': give a whole number of assets, 1 or more" in capsys.readouterr().err
