"""What does not fit an instruction is one line that names it, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chain.cases import CLIENT, DESTINATION, KEY, MINT, Case
from tests.cli.program_options import ALL, IDS, INTERFACE, LIMITS, signers_of
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program.accounts_resolver import inputs, option, resolve_instruction
from xstocks_daemon.cli.main import run
from xstocks_daemon.errors import UserError

MINTED = ("--mint", base58(MINT))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["freeze", *MINTED, "--account", "here"], "--account: here: give an address: 32 bytes in base58"),
        (
            ["pause", "--scopes", "all"],
            "--scopes: all: give one or more, with commas, of mint, burn, distribute, redeem",
        ),
        (["pause", "--scopes", "256"], "--scopes: 256: give an integer from 0 to 255"),
        (["seal", "--timelock-secs", "1e3"], "--timelock-secs: 1e3: give seconds, as an integer"),
        (["seal", "--timelock-secs", "-1"], "--timelock-secs: -1: give an integer from 0 to 18446744073709551615"),
        (
            ["cancel-multiplier", *MINTED, "--pending-multiplier", "nan"],
            "--pending-multiplier: nan: is not a plain decimal number such as 1.0032",
        ),
        (
            ["propose-admin", "--pending-admin", base58(KEY), "--expires-ts", "2027-01-31T15:00:00"],
            "--expires-ts: 2027-01-31T15:00:00: give whole Unix seconds, or ISO 8601 with a time zone",
        ),
        (["request-redemption", *MINTED, "--id", "00", "--amount-raw", "1"], "--id: 00: give 32 hex digits"),
        (["propose", "--instruction-data", "xy"], "--instruction-data: xy: give hex digits"),
        (["propose", "--instruction-data", "00", "--remaining", "x:w"], "--remaining: x: give an address"),
        (["tighten-policy", *MINTED, "--policy", "{"], '--policy: {: give JSON: {"supply_limit_raw": base units'),
        (["tighten-policy", *MINTED, "--policy", "[]"], '--policy: []: give {"supply_limit_raw": base units'),
        (
            ["tighten-policy", *MINTED, "--policy", '{"max_age": 1}'],
            "--policy.max_age: 1: there is no such field; they are supply_limit_raw, ",
        ),
        (
            ["tighten-policy", *MINTED, "--policy", json.dumps({**LIMITS, "max_age_secs": None})],
            "--policy.max_age_secs: null: give seconds",
        ),
        (
            ["tighten-policy", *MINTED, "--policy", json.dumps({**LIMITS, "max_age_secs": 1.5})],
            "--policy.max_age_secs: 1.5: give seconds, as an integer",
        ),
        (["tighten-policy", *MINTED, "--policy", '{"a": 1, "a": 2}'], '--policy: {"a": 1, "a": 2}: give JSON: '),
        (
            ["tighten-policy", *MINTED, "--policy", '{"supply_limit_raw": 1}'],
            "--policy.mint_burst_raw: (missing): give it: base units of the mint",
        ),
        (
            ["set-custodian-keys", "--custodian", "1", "--threshold", "2", "--keys", '[{"key": "x"}]'],
            "--keys[0].party: (missing): give it: an integer (u8)",
        ),
        (
            ["register-custodian", "--id", "1", "--name", "ä" * 17, "--threshold", "2", "--keys", "[]"],
            f"--name: {'ä' * 17}: it has 34 bytes of UTF-8; give at most 32",
        ),
        (
            ["set-participant", "--state", "active", "--expires-ts", "1", "--country", "CHE", "--wallet", base58(KEY)],
            "--country: CHE: it has 3 bytes of UTF-8; give 2",
        ),
        (["attach-custodian", *MINTED, "--custodian", "65536"], "--custodian: 65536: give an address"),
        (["freeze", *MINTED], "xstocks program freeze: Missing option '--account'"),
        (
            ["thaw", *MINTED, "--acount", "x"],
            "xstocks program thaw: No such option: --acount (Possible options: --account, --config)",
        ),
        (["frese"], "xstocks program: No such command 'frese'. Did you mean 'resume', 'freeze'?"),
        (
            ["retire-asset", *MINTED, "--json"],
            "--json: retire_asset: add --yes, or --dry-run: with --json nobody is asked",
        ),
        (["retire-asset", *MINTED], "--key: (missing): name the key file of each signer; the first one pays"),
        (
            ["retire-asset", *MINTED, "--key", "none.json"],
            "--key: none.json: does not exist; correct the path, or write one with: solana-keygen new -o FILE",
        ),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_asked_or_sent(
    arguments: list[str], line: str, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["program", *arguments, "--config", str(settings)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (shown,) = captured.err.splitlines()
    assert shown.startswith(f"error: {line}")


@pytest.mark.parametrize("case", ALL, ids=IDS)
def test_each_account_that_must_be_named_is_missed_by_name(case: Case) -> None:
    required = {each.name: DESTINATION for each in inputs(INTERFACE, case.name) if each.required}
    resolve_instruction(CLIENT, case.name, case.args, required, signers_of(case))
    for name in required:
        lacking = {each: address for each, address in required.items() if each != name}
        with pytest.raises(UserError) as refused:
            resolve_instruction(CLIENT, case.name, case.args, lacking, signers_of(case))
        assert str(refused.value) == f"{option(name)}: (missing): {case.name} needs it"
