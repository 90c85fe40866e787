"""A user's mistake gives one clear line on standard error, exit code 2, no traceback, and nothing is sent.

These need no chain: the mistake is found before one is asked, or the endpoint is not there.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from solders.keypair import Keypair

from xstocks_daemon import __version__
from xstocks_daemon.cli import main
from xstocks_daemon.cli.main import run
from xstocks_daemon.cli.orders import _amount_raw
from xstocks_daemon.errors import UserError, user_error

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"

Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("XSTOCKS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Good settings, save that nothing listens where the endpoint should be."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = tmp_path / "operator.json"
    key.write_text(json.dumps(list(bytes(Keypair()))))
    key.chmod(0o600)
    path = tmp_path / "daemon.toml"
    path.write_text(
        f"""
live = true
program_id = "{PROGRAM}"
[cluster]
rpc_urls = ["http://127.0.0.1:{port}/token-in-the-path"]
genesis_hash = "{GENESIS}"
single_endpoint = true
[operator]
key_file = "operator.json"
[journal]
path = "journal.sqlite"
[timing]
rpc_timeout_secs = 2
"""
    )
    return path


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], settings: Path) -> Refused:
    """Run a command line that must be refused as a mistake; gives its one line."""

    def attempt(*arguments: str) -> str:
        assert run(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        assert "token-in-the-path" not in captured.err
        (line,) = [line for line in captured.err.splitlines() if not line.startswith("{")]  # the log goes on in JSON
        assert not (settings.parent / "journal.sqlite").exists(), "nothing is written either"
        return line.replace(str(settings.parent), "DIR")

    return attempt


COMMANDS = ("run", "check", "plan", "status", "assets", "intents", "attest")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_key_in_the_settings(refused: Refused, settings: Path, command: str) -> None:
    settings.write_text("lve = true\n" + settings.read_text())
    assert refused(command, "--config", str(settings)) == (
        "error: lve: True: unknown key (did you mean live?); correct or remove it"
    )


@pytest.mark.parametrize("command", ["run", "status"])
def test_an_endpoint_that_does_not_answer(refused: Refused, settings: Path, command: str) -> None:
    line = refused(command, "--config", str(settings))
    assert line.startswith("error: cluster.rpc_urls: http://127.0.0.1:")
    assert line.endswith(
        "/...: getGenesisHash: no connection (ClientConnectorError); start the node or correct the URL"
    )
    assert "token" not in line


def test_the_check_says_what_fails_and_exits_with_1(capsys: pytest.CaptureFixture[str], settings: Path) -> None:
    assert run(["check", "--json", "--config", str(settings)]) == 1
    captured = capsys.readouterr()
    (check,) = json.loads(captured.out)
    assert (check["name"], check["passed"]) == ("cluster, key file and journal", False)
    assert "getGenesisHash: no connection" in check["detail"]
    assert captured.err == ""


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("hello", "is not JSON; it must be a JSON array of 64 numbers from 0 to 255, as solana-keygen writes it"),
        (
            "[1, 2, 3]",
            (
                "has 3 elements instead of 64; it must be a JSON array of 64 numbers from 0 to 255,"
                " as solana-keygen writes it"
            ),
        ),
    ],
)
def test_a_key_file_that_is_no_key(refused: Refused, settings: Path, content: str, fault: str) -> None:
    (settings.parent / "operator.json").write_text(content)
    assert refused("run", "--config", str(settings)) == f"error: operator.key_file: DIR/operator.json: {fault}"


def test_a_key_file_that_is_missing(refused: Refused, settings: Path) -> None:
    (settings.parent / "operator.json").unlink()
    assert refused("run", "--config", str(settings)) == (
        "error: operator.key_file: DIR/operator.json: does not exist; correct the path, or write one with: "
        "solana-keygen new -o FILE"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["rn"], "error: xstocks: No such command 'rn'. Did you mean 'run'?: `xstocks --help` lists what it takes"),
        (["run", "--lve"], "error: xstocks run: No such option: --lve"),
        (["intents", "--limit", "many"], "error: xstocks intents: Invalid value for '--limit'"),
        (["distribute", "TSLAx"], "error: xstocks distribute: Missing argument 'amount'"),
        (["attester", "run"], "error: xstocks attester run: Missing option '--config'"),
    ],
)
def test_a_command_line_that_does_not_parse(refused: Refused, arguments: list[str], line: str) -> None:
    assert refused(*arguments).startswith(line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["intents", "--state", "lost"],
            "error: --state: lost: give one of pending, submitted, done, dropped",
        ),
        (
            ["distribute", "TSLAx", "1", GENESIS, "--order-id", "7"],
            "error: --order-id: 7: give 32 hex digits that are not all zero, such as a UUID",
        ),
        (
            ["distribute", "TSLAx", "1", GENESIS, "--order-id", "0" * 32],
            f"error: --order-id: {'0' * 32}: give 32 hex digits that are not all zero, such as a UUID",
        ),
        (
            ["distribute", "TSLAx", "1", "nowhere", "--order-id", "f" * 32],
            "error: WALLET: nowhere: give the wallet's address in base58",
        ),
        (
            ["adopt-baseline", "TSLAx", "--person", "ana"],
            "error: --person: ana: give it twice, with the names of two different people",
        ),
        (
            ["adopt-baseline", "TSLAx", "--person", "ana", "--person", " ana"],
            "error: --person: ana, ana: give it twice, with the names of two different people",
        ),
    ],
)
def test_a_value_that_cannot_be(refused: Refused, settings: Path, arguments: list[str], line: str) -> None:
    assert refused(*arguments, "--config", str(settings)) == line


@pytest.mark.parametrize("amount", ["0", "1.123456789", "-1", "1e3", "1,5", "٣", "184467440737.09551616"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(UserError, match=f"^AMOUNT: {amount}: give|^AMOUNT: {amount}: the asset has 8 decimals"):
        _amount_raw(amount, 8)


@pytest.mark.parametrize(
    ("amount", "amount_raw"),
    [("1", 10**8), ("0.00000001", 1), ("12.5", 1_250_000_000), ("184467440737.09551615", 2**64 - 1)],
)
def test_an_amount_is_exact(amount: str, amount_raw: int) -> None:
    assert _amount_raw(amount, 8) == amount_raw


def test_a_sidecars_settings_with_a_mistake(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "attester.toml"
    path.write_text('listen = "here"\n')
    assert refused("attester", "run", "--config", str(path)).startswith("error: ")


def test_a_sidecars_settings_that_are_not_there(refused: Refused, tmp_path: Path) -> None:
    line = refused("attester", "books", "show", "--config", str(tmp_path / "none.toml"))
    assert line == "error: settings file: DIR/none.toml: it cannot be read: No such file or directory"


def test_help_of_every_command_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (*COMMANDS, "distribute", "ack-burn", "approve-burn", "cancel-order"):
        assert run([command, "--help"]) == 0
    for group, names in {
        "halts": ["list", "clear"],
        "attester": ["run", "books"],
        "attester books": ["show", "deposit", "mark-leaving", "release"],
    }.items():
        capsys.readouterr()
        assert run([*group.split(), "--help"]) == 0
        shown = capsys.readouterr().out
        assert all(name in shown for name in names)


def test_the_versions_are_said_and_nothing_else_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"xstocks {__version__} (program xstocks_mint {__version__})\n"


def test_a_bug_is_seen_as_one_and_a_mistake_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raised: list[Exception] = [RuntimeError("a bug"), user_error("FIELD", 1, "mend it")]

    def fails(_: object) -> None:
        raise raised.pop(0)

    monkeypatch.setattr(main, "_app", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        run(["status"])
    assert run(["status"]) == 2
    assert "FIELD" in capsys.readouterr().err
