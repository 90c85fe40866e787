"""`xstocks program`: every instruction of the IDL has a command that builds it; what does not fit is one named line."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.chain import idl_values as reading
from tests.chain.cases import CLIENT, CUSTODIAN, DESTINATION, KEY, MINT, REDEMPTION, WALLET, Case, cases
from tests.chain.test_program import expected_metas
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import associated_token_address, base58, pubkey
from xstocks_daemon.chain.program.accounts_resolver import AvailableSigners, inputs, option, resolve_instruction
from xstocks_daemon.cli import idl_values, program
from xstocks_daemon.cli.main import run
from xstocks_daemon.cli.program import Request
from xstocks_daemon.domain.snapshot import Config, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address, multiplier_bits_of
from xstocks_daemon.errors import UserError
from xstocks_daemon.signing import KeyfileSigner

INTERFACE = CLIENT.interface
ALL = cases()
IDS = [f"{case.name}-{index}" for index, case in enumerate(ALL)]
MULTIPLIER = "1.0032690125398187"
NOBODY = Config(
    address=CLIENT.addresses.config,
    sealed=True,
    paused=Scope(0),
    max_skew_secs=60,
    timelock_secs=60,
    admin_epoch=0,
    genesis_hash=ZERO_ADDRESS,
    **dict.fromkeys(INTERFACE.roles, ZERO_ADDRESS),
    pending_admin_ready_ts=0,
    pending_admin_expires_ts=0,
)
#: What accounts follow from that are themselves no accounts of the instruction, as the cases have them.
BEHIND = {"mint": MINT, "wallet": WALLET, "source": WALLET}

Read = Callable[..., Request]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(list(bytes(Keypair()))))
    path.chmod(0o600)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of somebody who has no daemon: no journal, no key. Nothing listens at the endpoint."""
    path = tmp_path / "role.toml"
    path.write_text(
        f'program_id = "{base58(CLIENT.program_id)}"\n'
        "[cluster]\n"
        'rpc_urls = ["http://127.0.0.1:1"]\n'
        'genesis_hash = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"\n'
        "single_endpoint = true\n"
    )
    return path


@pytest.fixture
def read(settings: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Runs a command line up to where the chain is needed; gives what was read."""
    found: list[Request] = []

    async def nothing(_: Settings, request: Request, signers: Mapping[Address, KeyfileSigner], **how: Any) -> None:
        found.append(request)

    monkeypatch.setattr(program, "_carry_out", nothing)

    def attempt(name: str, *options: str) -> Request:
        found.clear()
        assert run(["program", name, *options, "--config", str(settings), "--key", str(key_file)]) == 0
        return found[0]

    return attempt


def in_writing(name: str, kind: Any, value: Any) -> str:
    """A value as one types it, by the documentation."""
    match kind:
        case "pubkey":
            return base58(value)
        case {"array": ["u8", _]} if name == "genesis_hash":
            return base58(value)
        case {"array": ["u8", _]} if name in ("name", "country"):
            return bytes(value).rstrip(b"\0").decode()
        case "bytes" | {"array": ["u8", _]}:
            return bytes(value).hex()
        case "string":
            return str(value)
        case str() if name.endswith("_bits"):
            return MULTIPLIER
        case str():
            return str(int(value))
    return json.dumps(in_json(kind, value))


def in_json(kind: Any, value: Any) -> Any:
    match kind:
        case {"vec": inner} | {"array": [inner, _]} if inner != "u8":
            return [in_json(inner, each) for each in value]
        case {"defined": {"name": name}}:
            return {field["name"]: in_json(field["type"], value[field["name"]]) for field in reading.TYPES[name]}
        case str() if kind in reading.INTEGERS:
            return value
    return in_writing("", kind, value)


def options_of(case: Case) -> list[str]:
    """The command line of a case: its arguments, and only the accounts that do not follow."""
    described = next(each for each in reading.SPEC["instructions"] if each["name"] == case.name)
    given = dict(zip((each["name"] for each in described["accounts"]), case.accounts, strict=True))
    found = []
    for arg in described["args"]:
        found += [option(arg["name"]), in_writing(arg["name"], arg["type"], case.args[arg["name"]])]
    for each in inputs(INTERFACE, case.name):
        behind = {"mint": "asset", "wallet": "participant", "source": "recovery"}.get(each.name, "")
        address = given[each.name] if given.get(each.name) else BEHIND[each.name] if given.get(behind) else None
        if address is not None:
            found += [option(each.name), base58(address)]
    for meta in case.remaining:
        found += ["--remaining", f"{meta.pubkey}{':w' if meta.is_writable else ''}"]
    return found


def signers_of(case: Case) -> AvailableSigners:
    """The signers of the case have the roles that it takes."""
    held = {}
    for spec, address in zip(INTERFACE.accounts_of[case.name], case.accounts, strict=True):
        if spec.signer and address is not None and spec.roles:
            held[spec.roles[-1]] = address
    signing = [Address(bytes(meta.pubkey)) for meta in case.built.accounts if meta.is_signer]
    config = replace(NOBODY, **held)
    if config.admin == ZERO_ADDRESS:
        config = replace(config, admin=Address(bytes([9]) * 32))
    return AvailableSigners(signing or [KEY], config)


@pytest.mark.parametrize("case", ALL, ids=IDS)
def test_every_instruction_is_built_from_its_command_line(case: Case, read: Read) -> None:
    timelocked = case.name in INTERFACE.timelocked
    request = read(case.name.replace("_", "-"), "--yes", *options_of(case))
    built = resolve_instruction(CLIENT, case.name, request.args, request.named, signers_of(case), request.remaining)
    args = {
        name: multiplier_bits_of(MULTIPLIER) if name.endswith("_bits") else value for name, value in case.args.items()
    }
    assert bytes(built.data) == reading.instruction_bytes(case.name, args)
    expected = expected_metas(case)
    if not timelocked:
        assert built.accounts == expected
        return
    # Its proposal follows from everything else: filled in once the program is sealed.
    assert built.accounts[:-1] == expected[:-1]
    assert CLIENT.with_proposal(built) == CLIENT.with_proposal(case.built)
    if case.accounts[-1] is None:
        assert built == case.built


def test_every_instruction_has_a_command_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["program", "--help"]) == 0
    listed = capsys.readouterr().out
    for described in reading.SPEC["instructions"]:
        name = described["name"].replace("_", "-")
        assert f"│ {name} " in listed
        assert run(["program", name, "--help"]) == 0
        shown = capsys.readouterr().out
        wanted = [option(arg["name"]) for arg in described["args"]]
        wanted += [option(each.name) for each in inputs(INTERFACE, described["name"])]
        assert all(f"{each} " in shown for each in [*wanted, "--key", "--dry-run", "--yes"]), name
        assert "Signed by: " in shown
        assert ("--propose " in shown) == (described["name"] in INTERFACE.timelocked)


def test_nobody_is_asked_for_what_follows() -> None:
    asked = {each.name for name in INTERFACE.accounts_of for each in inputs(INTERFACE, name)}
    follows = {"config", "asset", "vault", "redemption_vault", "redemption_authority", "participant", "recovery"}
    follows |= {"adoption", "token_program", "system_program", "associated_token_program", "program", "program_data"}
    follows |= {"instructions_sysvar", "admin", "operator", "guardian", "compliance"}
    assert not asked & follows
    assert {each.name for each in inputs(INTERFACE, "freeze")} == {"mint", "account"}
    assert inputs(INTERFACE, "set_role") == ()


def test_an_underscore_is_a_hyphen(read: Read) -> None:
    assert read("clear_role", "--role", "operator") == read("clear-role", "--role", "0")


def test_accounts_that_follow_from_a_number_an_id_or_a_wallet(read: Read) -> None:
    def filled(name: str, *options: str, **roles: Address) -> list[str]:
        request = read(name, *options)
        config = replace(NOBODY, **roles)
        built = resolve_instruction(
            CLIENT, name.replace("-", "_"), request.args, request.named, AvailableSigners([KEY], config)
        )
        return [str(meta.pubkey) for meta in built.accounts]

    mint, wallet = base58(MINT), base58(WALLET)
    settled = filled(
        "settle-redemption",
        *("--mint", mint, "--custodian", "7", "--redemption", bytes(range(100, 116)).hex()),
        operator=KEY,
    )
    assert base58(CUSTODIAN) in settled
    assert base58(REDEMPTION) in settled
    of_the_wallet = base58(associated_token_address(WALLET, MINT))
    hashes = ("--order-id", "00" * 16, "--intent-hash", "11" * 16)
    sent = filled(
        "distribute",
        *("--sequence", "0", "--amount-raw", "1", *hashes, "--mint", mint, "--wallet", wallet),
        operator=KEY,
    )
    assert of_the_wallet in sent
    asked = filled("request-redemption", "--id", "00" * 16, "--amount-raw", "1", "--mint", mint)
    assert base58(associated_token_address(KEY, MINT)) in asked


def test_a_wallet_that_does_not_pay_is_named(read: Read) -> None:
    payer, wallet = Address(bytes([1]) * 32), KEY
    options = ("--id", "00" * 16, "--amount-raw", "1", "--mint", base58(MINT))
    request = read("request-redemption", *options, "--wallet", base58(wallet))
    built = resolve_instruction(
        CLIENT, request.instruction, request.args, request.named, AvailableSigners([payer, wallet], NOBODY)
    )
    assert built.accounts[0].pubkey == pubkey(wallet)
    with pytest.raises(UserError) as refused:
        resolve_instruction(CLIENT, request.instruction, request.args, request.named, AvailableSigners([payer], NOBODY))
    assert str(refused.value) == (
        f"--key: {base58(payer)}: request_redemption is signed by wallet {base58(wallet)}; add that key's file by --key"
    )


def test_either_of_two_roles_signs_and_both_are_named_where_none_is_there() -> None:
    admin, guardian, other = (Address(bytes([n]) * 32) for n in (1, 2, 3))
    config = replace(NOBODY, admin=admin, guardian=guardian)
    for key in (admin, guardian):
        built = resolve_instruction(CLIENT, "cancel_admin", {}, {}, AvailableSigners([other, key], config))
        assert built.accounts[0].pubkey == pubkey(key)
    with pytest.raises(UserError) as refused:
        resolve_instruction(CLIENT, "cancel_admin", {}, {}, AvailableSigners([other], config))
    assert f"cancel_admin is signed by admin {base58(admin)} or guardian {base58(guardian)}; add" in str(refused.value)


def shown(instruction: str, args: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The values of an instruction as people see them before it is sent."""
    kinds = INTERFACE.args_of[instruction]
    return [row for name, kind in kinds for row in idl_values.rows(INTERFACE, name, kind, args[name])]


def test_values_are_shown_in_human_units(read: Read) -> None:
    change = ("--current-multiplier", "1", "--new-multiplier", MULTIPLIER, "--effective-ts", "1800000000")
    assert shown("schedule_multiplier", read("schedule-multiplier", "--mint", base58(MINT), *change).args) == [
        ("current_bits", "4607182418800017408", "1.0"),
        ("new_bits", str(multiplier_bits_of(MULTIPLIER)), MULTIPLIER),
        ("effective_ts", "1800000000", "2027-01-15T08:00:00Z"),
    ]
    limits = {**LIMITS, "supply_limit_raw": 150_000_000, "max_rise_bps": 1_250, "ca_window_secs": 259_200}
    rows = shown("tighten_policy", {"policy": limits})
    assert rows[0] == ("policy.supply_limit_raw", "150000000", "1.5 tokens before the multiplier")
    assert ("policy.max_rise_bps", "1250", "12.5 %") in rows
    assert ("policy.ca_window_secs", "259200", "3 days, 0:00:00") in rows
    key = {"key": KEY, "party": 0, "expires_ts": 2**62}
    assert shown("register_custodian", {"id": 7, "name": b"Gtn".ljust(32, b"\0"), "threshold": 2, "keys": [key]}) == [
        ("id", "7", ""),
        ("name", b"Gtn".ljust(32, b"\0").hex(), "Gtn"),
        ("threshold", "2", ""),
        ("keys[0].key", base58(KEY), ""),
        ("keys[0].party", "0", ""),
        ("keys[0].expires_ts", str(2**62), f"{2**62} s after 1970"),
    ]
    assert shown("set_role", {"role": 5, "key": KEY})[0] == ("role", "5", "corporate_actions")
    assert shown("pause", {"scopes": 9}) == [("scopes", "9", "mint, redeem")]
    assert shown("seal", {"timelock_secs": 2**64 - 1}) == [("timelock_secs", str(2**64 - 1), "")]
    assert shown("clear_hold", {"holds": 3, "observed_ms": [1_800_000_000_999, 0, 0, 0]})[:3] == [
        ("holds", "3", "rise, multiplier"),
        ("observed_ms[0]", "1800000000999", "2027-01-15T08:00:00Z"),
        ("observed_ms[1]", "0", ""),
    ]


def test_names_times_and_lists(read: Read) -> None:
    assert read("pause", "--scopes", "mint,transfers", "--mint", base58(MINT)).args == {"scopes": 17}
    assert read("set-role", "--role", "corporate-actions", "--public-key", base58(KEY)).args["role"] == 5
    hold = read("clear-hold", "--holds", "rise", "--observed-ms", '[7, "9"]', "--mint", base58(MINT))
    assert hold.args == {"holds": 1, "observed_ms": [7, 9, 0, 0]}
    keys = [{"key": base58(key), "party": 0, "expires_ts": "2027-01-31T14:00:00Z"} for key in sorted((KEY, MINT))[::-1]]
    listed = read("set-custodian-keys", "--custodian", "7", "--threshold", "2", "--keys", json.dumps(keys)).args["keys"]
    assert [(each["key"], each["expires_ts"]) for each in listed] == [
        (key, 1_801_404_000) for key in sorted((KEY, MINT))
    ]
    offer = read("propose-admin", "--pending-admin", base58(KEY), "--expires-ts", "2027-01-31T15:00:00+01:00")
    assert offer.args["expires_ts"] == 1_801_404_000


# ---- the documents ------------------------------------------------------------------------------------------------

DOCS = Path(__file__).parents[2] / "docs"
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_]*\b")


def examples() -> list[tuple[str, str]]:
    """Every `xstocks program ...` that stands in a block of a document, with the document's name."""
    found = []
    for path in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            text = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
            found += [
                (path.name, f"xstocks program {each}") for each in re.split(r"^xstocks program ", text, flags=re.M)[1:]
            ]
    return found


@pytest.mark.parametrize(("document", "example"), examples())
def test_every_example_of_the_documents_is_a_command_line_that_is_understood(
    document: str, example: str, read: Read, key_file: Path
) -> None:
    policy = json.dumps(LIMITS)
    words = []
    for word in shlex.split(
        example.replace("\\\n", " ").replace('"$(cat policy.json)"', shlex.quote(policy)), posix=True
    )[2:]:
        if words and words[-1] == "--country":
            words.append(word)
            continue
        words.append(str(key_file) if word.endswith(".json") else _PLACEHOLDER.sub(base58(KEY), word))
    read(words[0], *words[1:])


def test_there_is_an_example_for_every_role() -> None:
    text = " ".join(example for document, example in examples() if document == "operator.md")
    for role in (*INTERFACE.roles, "wallet"):
        file = {"pending_admin": "heir", "operator": "settle-redemption"}.get(role, role).replace("_", "-")
        assert file in text


def test_what_is_under_the_timelock_is_listed() -> None:
    text = (DOCS / "operator.md").read_text(encoding="utf-8")
    listed = text[text.index("- **Under the timelock**") :].partition("):")[0]
    names = {name.replace("_", "-") for name in INTERFACE.accounts_of if name in INTERFACE.timelocked}
    assert set(re.findall(r"`([a-z-]+)`", listed)) == names


def test_the_settings_of_a_role_are_valid(monkeypatch: pytest.MonkeyPatch, read: Read, settings: Path) -> None:
    text = (DOCS / "operator.md").read_text(encoding="utf-8")
    settings.write_text(text[text.index("## Other roles") :].split("```toml\n")[1].split("```")[0])
    read("accept-admin")


# ---- what does not fit --------------------------------------------------------------------------------------------

MINTED = ("--mint", base58(MINT))
LIMITS = {name: 1 for name, _ in INTERFACE.fields_of["PolicyArg"]}


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
            "--policy.mint_burst_raw: (missing): give it: base units of 10^-8 token",
        ),
        (
            ["clear-hold", *MINTED, "--holds", "rise", "--observed-ms", "[1,2,3,4,5]"],
            "--observed-ms: [1, 2, 3, 4, 5]: 5 are given, 4 fit",
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
