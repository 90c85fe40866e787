"""`xstocks program`: every instruction of the IDL has a command that builds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.chain import idl_values as reading
from tests.chain.cases import ASSET, CLIENT, CUSTODIAN, KEY, MINT, REDEMPTION, RETIRED, WALLET, Case
from tests.chain.test_program import expected_metas
from tests.cli.program_options import ALL, IDS, INTERFACE, LIMITS, MULTIPLIER, NOBODY, Read, options_of, signers_of
from xstocks_daemon.chain.addresses import associated_token_address, base58, pubkey
from xstocks_daemon.chain.program.accounts_resolver import AvailableSigners, inputs, option, resolve_instruction
from xstocks_daemon.cli import idl_values
from xstocks_daemon.cli.main import run
from xstocks_daemon.domain.units import Address, multiplier_bits_of
from xstocks_daemon.errors import UserError


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
    def filled(name: str, *options: str, **roles: Any) -> list[str]:
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
    attached = filled("attach-custodian", "--mint", mint, "--custodian", "8", "--retired", "7", admin=KEY)
    assert attached[2:5] == [base58(RETIRED), base58(ASSET), base58(CUSTODIAN)]
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


def shown(instruction: str, args: Mapping[str, Any], decimals: int | None = 8) -> list[tuple[str, str, str]]:
    """The values of an instruction as people see them before it is sent."""
    kinds = INTERFACE.args_of[instruction]
    return [row for name, kind in kinds for row in idl_values.rows(INTERFACE, name, kind, args[name], decimals)]


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
    for decimals, text in ((0, "150,000,000"), (6, "150"), (9, "0.15")):
        assert shown("tighten_policy", {"policy": limits}, decimals)[0][2] == f"{text} tokens before the multiplier"
    assert shown("tighten_policy", {"policy": limits}, None)[0][2] == ""
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
    assert shown("clear_hold", {"holds": 3, "hold_number": 7}) == [
        ("holds", "3", "rise, multiplier"),
        ("hold_number", "7", ""),
    ]


def test_names_times_and_lists(read: Read) -> None:
    assert read("pause", "--scopes", "mint,transfers", "--mint", base58(MINT)).args == {"scopes": 17}
    assert read("set-role", "--role", "corporate-actions", "--public-key", base58(KEY)).args["role"] == 5
    hold = read("clear-hold", "--holds", "rise", "--hold-number", "7", "--mint", base58(MINT))
    assert hold.args == {"holds": 1, "hold_number": 7}
    keys = [{"key": base58(key), "party": 0, "expires_ts": "2027-01-31T14:00:00Z"} for key in sorted((KEY, MINT))[::-1]]
    listed = read("set-custodian-keys", "--custodian", "7", "--threshold", "2", "--keys", json.dumps(keys)).args["keys"]
    assert [(each["key"], each["expires_ts"]) for each in listed] == [
        (key, 1_801_404_000) for key in sorted((KEY, MINT))
    ]
    offer = read("propose-admin", "--pending-admin", base58(KEY), "--expires-ts", "2027-01-31T15:00:00+01:00")
    assert offer.args["expires_ts"] == 1_801_404_000
