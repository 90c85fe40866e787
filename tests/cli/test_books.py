"""`xstocks attester books`: the custodian's staff at its books, and shares that may not leave yet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.custody.builders import CUSTODIAN_KEY, GENESIS, PROGRAM, TOKEN, asset_view, entry_of, mint_of, write_key
from tests.custody.fakes import FakeChain
from xstocks_daemon.attester import books_create, new_asset_book, operations
from xstocks_daemon.attester.books import Target
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli.main import run

MINT = mint_of(1)
SETTINGS = f"""
key_file = "key.json"
listen = "127.0.0.1:0"
program_id = "{base58(PROGRAM)}"
genesis_hash = "{base58(GENESIS)}"
rpc_urls = ["http://127.0.0.1:9"]
token_files = ["token"]
store_file = "signed.sqlite3"
[[custodians]]
id = 1
books_file = "books.json"
"""
SECOND = '[[custodians]]\nid = 2\nbooks_file = "books2.json"\n'


class Staff:
    """Types commands in a sidecar's folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.settings = folder / "attester.toml"
        self.settings.write_text(SETTINGS)
        write_key(folder / "key.json", CUSTODIAN_KEY)
        (folder / "token").write_text(TOKEN)
        book = new_asset_book(Target(GENESIS, PROGRAM, MINT), "AAPLx", 10_000_000_000, "1.0")
        for number, name in ((1, "books.json"), (2, "books2.json")):
            books_create(folder / name, number, [book])

    def types(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(["attester", "books", *arguments, "--config", str(self.settings)])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err.strip()

    def done(self, *arguments: str) -> str:
        code, out, err = self.types(*arguments)
        assert (code, err) == (0, "")
        return out

    def shares_nano(self, *options: str) -> list[str]:
        return [one["shares_nano"] for one in json.loads(self.done("show", "--json", *options))["assets"]]


@pytest.fixture
def staff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Staff:
    return Staff(tmp_path, capsys)


def marked(staff: Staff) -> tuple[str, int]:
    leaving = json.loads(staff.done("mark-leaving", "AAPLx", "4", "--json"))["leaving"]
    return leaving["id"], leaving["marked_ms"]


def test_shares_come_are_counted_for_redemptions_and_are_marked(staff: Staff) -> None:
    assert staff.done("deposit", "AAPLx", "2.5") == "deposited: 2.5 shares of AAPLx\n"
    counted = staff.done("count-redemptions", "AAPLx", "50000000")
    assert counted == "counted: 50000000 base units of AAPLx redeemed in all\n"
    leaving_id, _ = marked(staff)
    assert leaving_id in staff.done("show")
    (book,) = json.loads(staff.done("show", "--json"))["assets"]
    assert (book["shares_nano"], book["redeemed_seen_raw"]) == ("12000000000", "50000000")
    assert [(one["id"], one["shares_nano"]) for one in book["leaving"]] == [(leaving_id, "4000000000")]
    assert staff.done("unmark", base58(MINT), leaving_id) == f"taken back: {leaving_id} of AAPLx stays\n"
    assert json.loads(staff.done("show", "--json"))["assets"][0]["leaving"] == []


@pytest.mark.parametrize("command", ["deposit", "mark-leaving"])
def test_an_amount_that_is_none_is_a_mistake(staff: Staff, command: str) -> None:
    code, out, err = staff.types(command, "AAPLx", "1.0000000001")
    assert (code, out) == (2, "")
    assert err.startswith("error: shares: 1.0000000001: ")
    assert staff.shares_nano() == ["10000000000"]


def test_shares_that_may_not_leave_yet_are_a_failure_and_no_mistake(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving_id, marked_ms = marked(staff)
    chain = FakeChain()
    monkeypatch.setattr(operations, "open_chain_view", lambda *_: chain)
    own = entry_of(withdrawn=False, shares_nano=6_000_000_000, capacity_raw=600_000_000, observed_ms=marked_ms + 60_000)
    chain.put(asset_view(MINT, own))
    code, out, err = staff.types("release", "AAPLx", leaving_id)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: leaving id: {leaving_id}: may not leave yet: observed_after_mark: ")
    assert staff.shares_nano() == ["10000000000"]
    chain.put(asset_view(MINT, replace(own, observed_ms=marked_ms + 60_001)))
    assert staff.done("release", "AAPLx", leaving_id) == f"released: {leaving_id} of AAPLx\n"
    assert staff.shares_nano() == ["6000000000"]


def test_of_several_custodians_one_is_named(staff: Staff) -> None:
    staff.settings.write_text(SETTINGS + SECOND)
    code, out, err = staff.types("deposit", "AAPLx", "1")
    assert (code, out) == (2, "")
    assert err == "error: --custodian: (missing): the settings have several: give one of [1, 2]"
    staff.done("deposit", "AAPLx", "1", "--custodian", "2")
    assert (staff.shares_nano("--custodian", "1"), staff.shares_nano("--custodian", "2")) == (
        ["10000000000"],
        ["11000000000"],
    )
    assert staff.types("show", "--custodian", "3")[0] == 2
