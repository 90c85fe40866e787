"""Bad settings: one clear line per field, exit code 2, no secret shown (design, section 8)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xstocks_daemon.app.settings import Settings, load_settings
from xstocks_daemon.domain.plan_inputs import PlanPolicy
from xstocks_daemon.errors import EXIT_USAGE, UserError

GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"

GOOD = f"""
program_id = "{PROGRAM}"
live = false
assets = ["TSLAx"]

[cluster]
rpc_urls = ["http://127.0.0.1:8899", "https://rpc.example/secret-path"]
genesis_hash = "{GENESIS}"

[journal]
path = "journal.sqlite"

[[custodians]]
id = 1
url = "http://127.0.0.1:9001"
token = "hush-hush"

[timing]
cycle_secs = 2
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good settings file, and no variable of the surroundings."""
    for name in list(os.environ):
        if name.upper().startswith("XSTOCKS_"):
            monkeypatch.delenv(name)
    path = tmp_path / "xstocks.toml"
    path.write_text(GOOD)
    return path


def refused(config: Path) -> str:
    """The lines of the refusal, the folder's name cut out."""
    with pytest.raises(UserError) as caught:
        load_settings(config)
    assert caught.value.exit_code == EXIT_USAGE
    return str(caught.value).replace(str(config.parent), "DIR")


def with_change(config: Path, old: str, new: str) -> Path:
    assert GOOD.count(old) == 1
    config.write_text(GOOD.replace(old, new))
    return config


def test_good_settings_load_with_paths_relative_to_the_file(config: Path) -> None:
    settings = load_settings(config)
    assert settings.journal.path == config.parent / "journal.sqlite"
    assert settings.timing.cycle_secs == 2
    assert settings.timing.non_execution_margin_blocks == 150
    assert settings.custodians[0].token.get_secret_value() == "hush-hush"
    assert settings.assets == ("TSLAx",)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "cycle_secs = 2",
            "cycle_sec = 2",
            "timing.cycle_sec: (hidden): unknown key (did you mean cycle_secs?); correct or remove it",
        ),
        ("live = false", "liv = false", "liv: False: unknown key (did you mean live?); correct or remove it"),
        (
            'token = "hush-hush"',
            'token = "hush-hush"\ntokn = "hush-hush"',
            "custodians[0].tokn: (hidden): unknown key (did you mean token?); correct or remove it",
        ),
        (
            f'genesis_hash = "{GENESIS}"',
            "",
            "cluster.genesis_hash: (missing): add it to DIR/xstocks.toml, or set XSTOCKS_CLUSTER__GENESIS_HASH",
        ),
        (
            'token = "hush-hush"',
            "",
            "custodians[0].token: (missing): add it to DIR/xstocks.toml",
        ),
        (
            f'program_id = "{PROGRAM}"',
            'program_id = "abc0"',
            "program_id: abc0: give 32 bytes in base58, as the chain's tools print them",
        ),
        (
            "cycle_secs = 2",
            'cycle_secs = "soon"',
            "timing.cycle_secs: soon: it must be a valid number, unable to parse string as a number",
        ),
        ("cycle_secs = 2", "cycle_secs = 0", "timing.cycle_secs: 0: it must be greater than 0"),
        (
            "id = 1",
            "id = 1.5",
            "custodians[0].id: 1.5: it must be a valid integer, got a number with a fractional part",
        ),
        (
            'token = "hush-hush"',
            "token = 5551",
            "custodians[0].token: (hidden): it must be a valid string",
        ),
        (
            'url = "http://127.0.0.1:9001"',
            'url = "127.0.0.1:9001"',
            "custodians[0].url: 127.0.0.1:9001: give a URL such as http://127.0.0.1:8899 (http or https)",
        ),
        (
            '"http://127.0.0.1:8899", ',
            "",
            (
                "cluster.rpc_urls: ['https://rpc.example/...']: list at least two endpoints,"
                " or set single_endpoint = true for one of your own (M10)"
            ),
        ),
        (
            '"http://127.0.0.1:8899", ',
            '"https://rpc.example/secret-path", ',
            (
                "cluster.rpc_urls: ['https://rpc.example/...', 'https://rpc.example/...']: an endpoint is named twice;"
                " list different ones"
            ),
        ),
        (
            'assets = ["TSLAx"]',
            "assets = 7",
            'assets: 7: give "all", or a list with at least one mint or symbol',
        ),
        (
            'assets = ["TSLAx"]',
            "assets = []",
            'assets: []: give "all", or a list with at least one mint or symbol',
        ),
        (
            "live = false",
            "live = true",
            "operator.key_file: (missing): live = true needs it; add it, or run dry with live = false",
        ),
        (
            'token = "hush-hush"',
            'token_file = "nowhere"',
            (
                "custodians[0].token_file: DIR/nowhere: cannot be read (No such file or directory);"
                " give the path of a readable file"
            ),
        ),
        (
            'token = "hush-hush"',
            'token = "hush-hush"\ntoken_file = "nowhere"',
            "custodians[0].token_file: DIR/nowhere: token is given too; keep one of the two",
        ),
        (
            'path = "journal.sqlite"',
            "",
            "journal.path: (missing): add it to DIR/xstocks.toml, or set XSTOCKS_JOURNAL__PATH",
        ),
        (
            'path = "journal.sqlite"',
            "path = 5",
            "journal.path: 5: it must be a path, as a string",
        ),
        (
            "[timing]",
            '[[custodians]]\nid = 1\nurl = "http://127.0.0.1:9002"\ntoken = "x"\n[timing]',
            "custodians: [1, 1]: an id is given twice; give every custodian once",
        ),
        (
            "[timing]",
            '[logging]\nlevel = "loud"\n[timing]',
            "logging.level: loud: it must be 'debug', 'info', 'warning' or 'error'",
        ),
        (
            "[timing]",
            "[policy]\nburn_approval_bps = 10001\n[timing]",
            "policy.burn_approval_bps: 10001: it must be less than or equal to 10000",
        ),
    ],
)
def test_each_bad_field_gives_its_line(config: Path, old: str, new: str, line: str) -> None:
    assert refused(with_change(config, old, new)) == line


def test_several_bad_fields_give_a_line_each(config: Path) -> None:
    config.write_text(GOOD.replace("id = 1", "id = -1").replace("live = false", "live = 3"))
    assert refused(config).splitlines() == [
        "live: 3: it must be a valid boolean, unable to interpret input",
        "custodians[0].id: -1: it must be greater than or equal to 0",
    ]


def test_a_file_that_is_no_toml_or_is_not_there_is_named(config: Path) -> None:
    config.write_text("program_id = ")
    assert refused(config).startswith("--config: DIR/xstocks.toml: not TOML (")
    config.unlink()
    assert refused(config) == (
        "--config: DIR/xstocks.toml: cannot be read (No such file or directory); give the path of a settings file"
    )


def test_the_environment_beats_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XSTOCKS_TIMING__CYCLE_SECS", "7.5")
    monkeypatch.setenv("XSTOCKS_ASSETS", "all")
    settings = load_settings(config)
    assert settings.timing.cycle_secs == 7.5
    assert settings.assets == "all"
    assert settings.cluster.genesis_hash == load_settings(config).cluster.genesis_hash


def test_a_secret_comes_from_its_file(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "urls").write_text("http://127.0.0.1:1/a\nhttp://127.0.0.1:2/b\n")
    (tmp_path / "token").write_text("whisper\n")
    text = GOOD.replace('token = "hush-hush"', 'token_file = "token"')
    rpc_line = next(line for line in GOOD.splitlines() if line.startswith("rpc_urls"))
    config.write_text(text.replace(rpc_line, ""))
    monkeypatch.setenv("XSTOCKS_CLUSTER__RPC_URLS_FILE", str(tmp_path / "urls"))
    settings = load_settings(config)
    assert settings.cluster.rpc_urls == ("http://127.0.0.1:1/a", "http://127.0.0.1:2/b")
    assert settings.custodians[0].token.get_secret_value() == "whisper"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("XSTOCKS_LIV", "XSTOCKS_LIV: (hidden): unknown variable (did you mean live?); correct or unset it"),
        (
            "XSTOCKS_CLUSTER__GENESIS",
            "cluster.genesis: zzz: unknown key (did you mean genesis_hash?); correct or remove it",
        ),
    ],
)
def test_an_unknown_variable_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str) -> None:
    monkeypatch.setenv(name, "zzz")
    assert refused(config) == line


def test_variables_of_the_projects_other_tools_are_left_alone(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XSTOCKS_TEST_KILL_AT", "after-signing")
    monkeypatch.setenv("XSTOCKS_VALIDATOR_BIN", "/nowhere")
    assert isinstance(load_settings(config), Settings)


def test_an_override_beats_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # `xstocks plan` relies on it: it sends nothing, whatever the environment says.
    with_change(config, "[cluster]", '[operator]\nkey_file = "key.json"\n\n[cluster]')
    monkeypatch.setenv("XSTOCKS_LIVE", "true")
    assert load_settings(config).live is True
    assert load_settings(config, live=False).live is False


@pytest.mark.parametrize(
    ("line", "field", "remedy"),
    [
        (
            'path = "postgresql://me:hush@db.example:5432/journal"',
            "journal.path: postgresql://db.example:5432/...",
            "give the path of a file",
        ),
        (
            'url = "postgresql://me:hush@db.example:5432/journal"',
            "journal.url: (hidden)",
            "remove it and give journal.path",
        ),
    ],
)
def test_a_database_server_is_refused_by_name(config: Path, line: str, field: str, remedy: str) -> None:
    said = refused(with_change(config, 'path = "journal.sqlite"', line))
    assert said == f"{field}: this version keeps its journal in an SQLite file only, no database server; {remedy}"


def test_nothing_is_sent_unless_the_settings_say_so(config: Path) -> None:
    config.write_text(GOOD.replace("live = false\n", ""))
    assert not load_settings(config).live


def test_the_policy_reaches_the_plan(config: Path) -> None:
    policy = "[policy]\nmax_mint_raw = 7\nburn_approval_bps = 8\nrenew_before_secs = 9\nrounding_nano = 10\n"
    config.write_text(GOOD.replace("[timing]", policy + "[timing]"))
    assert load_settings(config).policy.plan_policy() == PlanPolicy(7, 8, 9, 10)
    config.write_text(GOOD)
    assert load_settings(config).policy.plan_policy() == PlanPolicy()
