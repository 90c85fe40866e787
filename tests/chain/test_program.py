"""The client against a second reading of the IDL (idl_values.py), and against Anchor's own TypeScript client."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction

from tests.chain import idl_values as reading
from tests.chain.cases import ADMIN, CLIENT, GENESIS, KEY, KEYS, MINT, VAULT, Case, address, cases, intent
from tests.chain.redemption_cases import redemption_cases
from tests.support.node import node_packages
from xstocks_daemon.chain.addresses import base58, parse_address, proposal_hash, pubkey
from xstocks_daemon.chain.errors import (
    AddressError,
    ArgumentError,
    IdlError,
    ProgramError,
    TransactionFailed,
)
from xstocks_daemon.chain.program import Role
from xstocks_daemon.chain.program.idl import interface_of, load_interface, translate
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.units import Address

ALL = cases() + redemption_cases()
IDS = [f"{case.name}-{index}" for index, case in enumerate(ALL)]
NODE_DIR = Path(__file__).parent / "node"


def expected_metas(case: Case) -> list[AccountMeta]:
    described = next(each for each in reading.SPEC["instructions"] if each["name"] == case.name)
    named = [
        AccountMeta(pubkey(CLIENT.program_id), is_signer=False, is_writable=False)
        if given is None
        else AccountMeta(pubkey(given), account.get("signer", False), account.get("writable", False))
        for account, given in zip(described["accounts"], case.accounts, strict=True)
    ]
    return [*named, *case.remaining]


def test_there_is_a_case_for_every_instruction_of_the_idl() -> None:
    assert {case.name for case in ALL} == {each["name"] for each in reading.SPEC["instructions"]}


@pytest.mark.parametrize("case", ALL, ids=IDS)
def test_typed_function_encodes_data_and_accounts_as_the_idl_says(case: Case) -> None:
    assert bytes(case.built.data) == reading.instruction_bytes(case.name, case.args)
    assert case.built.accounts == expected_metas(case)
    assert case.built.program_id == pubkey(parse_address(reading.SPEC["address"]))


@pytest.mark.parametrize("case", ALL, ids=IDS)
def test_an_instruction_is_read_back_whole_or_not_at_all(case: Case) -> None:
    data = bytes(case.built.data)
    name, args = CLIENT.read_instruction(data)
    assert name == case.name
    assert reading.instruction_bytes(name, args) == data
    for other in (data[:-1], data + b"\0", b"\0" * 8 + data[8:], b""):
        with pytest.raises(ArgumentError, match="are no instruction of this version of the program"):
            CLIENT.read_instruction(other)


@pytest.mark.parametrize("described", reading.SPEC["instructions"], ids=lambda each: str(each["name"]))
def test_every_instruction_encodes_random_arguments_as_borsh(described: Any) -> None:
    rng = random.Random(described["name"])
    for _ in range(20):
        args = {arg["name"]: reading.value_of(arg["type"], rng) for arg in described["args"]}
        accounts: dict[str, Address | None] = {each["name"]: address() for each in described["accounts"]}
        built = CLIENT.build(described["name"], args, accounts)
        assert bytes(built.data) == reading.instruction_bytes(described["name"], args)


@pytest.mark.parametrize("name", [each["name"] for each in reading.SPEC["events"]])
def test_every_event_is_read_from_a_log(name: str) -> None:
    value = reading.value_of(reading.struct_type(name), random.Random(name))
    (event,) = CLIENT.events(program_log([reading.event_bytes(name, value)]))
    assert event.name == name
    assert event.fields == value


def program_log(data: list[bytes], end: str = "success", program: bytes = CLIENT.program_id) -> list[str]:
    own = base58(program)
    return [
        f"Program {own} invoke [1]",
        *(f"Program data: {base64.b64encode(each).decode()}" for each in data),
        f"Program {own} {end}",
    ]


def test_events_of_other_programs_and_unknown_data_are_passed_over() -> None:
    value = reading.value_of(reading.struct_type("Sealed"), random.Random(1))
    sealed = reading.event_bytes("Sealed", value)
    foreign = program_log([sealed], program=KEY)
    garbage = program_log([b"short", bytes(64), sealed[:-1]])
    forged = [f"Program log: Program data: {base64.b64encode(sealed).decode()}"]
    assert CLIENT.events([*foreign, *garbage, *forged]) == []
    assert [event.name for event in CLIENT.events([*foreign, *garbage, *program_log([sealed])])] == ["Sealed"]


def test_event_after_a_cpi_belongs_to_the_caller() -> None:
    sealed = reading.event_bytes("Sealed", {"timelock_secs": 5})
    own, other = base58(CLIENT.program_id), base58(KEY)
    data = f"Program data: {base64.b64encode(sealed).decode()}"
    inner = [f"Program {other} invoke [2]", data, f"Program {other} success"]
    log = [f"Program {own} invoke [1]", *inner, data, f"Program {own} success"]
    assert [event.fields for event in CLIENT.events(log)] == [{"timelock_secs": 5}]


# ---- arguments, proposals, the IDL itself -----------------------------------------------------------------------


@pytest.mark.parametrize("timelock_secs", [-1, 2**64, 1.5, "1", None])
def test_argument_that_does_not_fit_is_refused(timelock_secs: Any) -> None:
    with pytest.raises(ArgumentError, match=r"seal: the arguments .* do not encode"):
        CLIENT.seal(admin=ADMIN, timelock_secs=timelock_secs)


def test_accounts_that_are_missing_or_unknown_are_refused() -> None:
    with pytest.raises(ArgumentError, match="seal: account admin is missing"):
        CLIENT.build("seal", {"timelock_secs": 1}, {})
    with pytest.raises(ArgumentError, match="seal: it takes no account guardian"):
        CLIENT.build("seal", {"timelock_secs": 1}, {"admin": ADMIN, "guardian": KEY})


def test_too_long_names_and_wrong_kinds_are_refused() -> None:
    with pytest.raises(ArgumentError, match="has 33 bytes, at most 32 fit"):
        CLIENT.register_custodian(admin=ADMIN, custodian_id=1, name="x" * 33, threshold=2, keys=KEYS)
    with pytest.raises(ArgumentError, match="custodian id 65536"):
        CLIENT.register_custodian(admin=ADMIN, custodian_id=2**16, name="x", threshold=2, keys=KEYS)
    with pytest.raises(ArgumentError, match="redemption_id: 15 bytes given, it has 16"):
        CLIENT.request_redemption(wallet=KEY, source=VAULT, mint=MINT, redemption_id=bytes(15), amount_raw=1)
    burn = intent(IntentKind.BURN, MINT, 0, 1, VAULT)
    with pytest.raises(ArgumentError, match="mint: an intent to burn was given"):
        CLIENT.mint(operator=ADMIN, custodians=(), intents=[burn], genesis_hash=GENESIS)
    with pytest.raises(AddressError, match="custodian: 'nonsense' is no address"):
        parse_address("nonsense", "custodian")


def test_proposal_is_of_the_data_and_the_accounts_without_its_own() -> None:
    bare = CLIENT.set_role(admin=ADMIN, role=Role.OPERATOR, key=KEY)
    ready = CLIENT.with_proposal(bare)
    keys = [ADMIN, CLIENT.addresses.config]
    where = CLIENT.addresses.proposal(proposal_hash(bytes(bare.data), keys))
    assert CLIENT.proposal_address(bare) == CLIENT.proposal_address(ready) == where
    assert ready.accounts[-1] == AccountMeta(pubkey(where), is_signer=False, is_writable=True)
    for instruction in (CLIENT.seal(admin=ADMIN, timelock_secs=1), Instruction(pubkey(KEY), b"", [])):
        for refused in (CLIENT.proposal_address, CLIENT.with_proposal):
            with pytest.raises(ArgumentError, match="is not under the timelock"):
                refused(instruction)
        with pytest.raises(ArgumentError, match="is not under the timelock"):
            CLIENT.propose(admin=ADMIN, instruction=instruction)


def test_idl_with_foreign_discriminators_or_types_is_refused() -> None:
    spec = json.loads(json.dumps(reading.SPEC))
    assert interface_of(spec).program_id == CLIENT.program_id
    first = spec["instructions"][0]
    first["discriminator"][0] ^= 1
    with pytest.raises(IdlError, match=f"discriminator of {first['name']} is not Anchor's"):
        interface_of(spec)
    spec = json.loads(json.dumps(reading.SPEC))
    next(each["args"] for each in spec["instructions"] if each["args"])[0]["type"] = {"coption": "u8"}
    with pytest.raises(IdlError, match="not known to this translation"):
        interface_of(spec)
    with pytest.raises(IdlError, match=r"is of spec 0\.2\.0"):
        translate({**reading.SPEC, "metadata": {**reading.SPEC["metadata"], "spec": "0.2.0"}})
    with pytest.raises(IdlError, match=r"not an IDL of spec 0\.1\.0"):
        interface_of({})


# ---- errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", reading.SPEC["errors"], ids=lambda each: str(each["name"]))
def test_every_own_error_has_its_name_and_message(error: dict[str, Any]) -> None:
    failure = CLIENT.failure({"InstructionError": [3, {"Custom": error["code"]}]})
    assert isinstance(failure, ProgramError)
    assert (failure.code, failure.name, failure.message) == (error["code"], error["name"], error["msg"])
    assert failure.instruction_index == 3


def test_framework_errors_have_anchors_names() -> None:
    failure = CLIENT.failure({"InstructionError": [0, {"Custom": 3012}]})
    assert isinstance(failure, ProgramError)
    assert failure.name == "AccountNotInitialized"


def test_error_of_another_program_is_not_given_one_of_ours() -> None:
    own, token = base58(CLIENT.program_id), "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
    log = [
        f"Program {own} invoke [1]",
        f"Program {token} invoke [2]",
        f"Program {token} failed: custom program error: 0x1770",
        f"Program {own} failed: custom program error: 0x1770",
    ]
    err = {"InstructionError": [0, {"Custom": 6000}]}
    failure = CLIENT.failure(err, log)
    assert isinstance(failure, ProgramError)
    assert (failure.program, failure.name) == (token, "Custom")
    failure = CLIENT.failure(err, [log[0], log[3]])
    assert isinstance(failure, ProgramError)
    assert (failure.program, failure.name) == (own, "NotAdmin")


@pytest.mark.parametrize(
    ("err", "index", "text"),
    [
        ("BlockhashNotFound", None, "the transaction was refused: BlockhashNotFound"),
        ({"InsufficientFundsForRent": {"account_index": 3}}, None, "InsufficientFundsForRent"),
        ({"InstructionError": [2, "ComputationalBudgetExceeded"]}, 2, "instruction 2: ComputationalBudgetExceeded"),
        ({"InstructionError": [1, {"BorshIoError": "x"}]}, 1, "instruction 1: "),
    ],
)
def test_other_failures_keep_the_runtimes_words(err: Any, index: int | None, text: str) -> None:
    failure = CLIENT.failure(err)
    assert type(failure) is TransactionFailed
    assert failure.instruction_index == index
    assert text in str(failure)


def test_the_failing_entry_is_the_one_that_the_program_names() -> None:
    own, token, other = base58(CLIENT.program_id), "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb", base58(KEY)

    def entry_index(*lines: str, by: str = own) -> int | None:
        log = [
            f"Program {own} invoke [1]",
            "Program log: Entry: 07",  # of an instruction that passed
            f"Program {own} success",
            f"Program {by} invoke [1]",
            f"Program {token} invoke [2]",
            "Program log: Entry: 08",  # not the program's own line
            f"Program {token} success",
            *lines,
            f"Program {by} failed: custom program error: 0x1840",
        ]
        failure = CLIENT.failure({"InstructionError": [1, {"Custom": 0x1840}]}, log)
        assert isinstance(failure, ProgramError)
        return failure.entry_index

    assert entry_index("Program log: Entry: 00") == 0
    assert entry_index("Program log: Entry: 12", "Program log: AnchorError occurred.") == 12
    # An error of the whole instruction names no entry, and another program names none of ours.
    assert entry_index() is None
    assert entry_index("Program log: Entry: x") is None
    assert entry_index("Program log: Entry: 03", by=other) is None


# ---- the TypeScript reading -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node() -> str:
    asyncio.run(node_packages(NODE_DIR))
    return "node"


def test_anchors_typescript_client_reads_the_idl_alike(node: str) -> None:
    accounts = {each["name"]: reading.plausible(each["name"]) for each in reading.SPEC["accounts"]}
    events = {
        each["name"]: reading.value_of(reading.struct_type(each["name"]), random.Random(each["name"]))
        for each in reading.SPEC["events"]
    }
    args_of = {each["name"]: each["args"] for each in reading.SPEC["instructions"]}
    request = {
        "idl": reading.SPEC,
        "instructions": [
            {
                "name": case.name,
                "args": [reading.wire(arg["type"], case.args[arg["name"]]) for arg in args_of[case.name]],
                "accounts": [None if key is None else key.hex() for key in case.accounts],
                "remaining": [meta_wire(meta) for meta in case.remaining],
            }
            for case in ALL
        ],
        "accounts": [
            {"name": name, "data": reading.account_bytes(name, value).hex()} for name, value in accounts.items()
        ],
        "events": [reading.event_bytes(name, value).hex() for name, value in events.items()],
    }
    done = subprocess.run(
        [node, "read.mjs"],
        cwd=NODE_DIR,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    for case, theirs in zip(ALL, answer["instructions"], strict=True):
        assert theirs["data"] == bytes(case.built.data).hex(), case.name
        assert theirs["accounts"] == [meta_wire(meta) for meta in case.built.accounts], case.name
    for (name, value), theirs in zip(accounts.items(), answer["accounts"], strict=True):
        assert theirs == reading.wire(reading.struct_type(name), value), name
    for (name, value), theirs in zip(events.items(), answer["events"], strict=True):
        assert theirs["name"].lower() == name.lower()
        assert theirs["fields"] == reading.wire(reading.struct_type(name), value), name


def meta_wire(meta: AccountMeta) -> dict[str, Any]:
    return {"key": bytes(meta.pubkey).hex(), "signer": meta.is_signer, "writable": meta.is_writable}


def test_interface_is_loaded_once() -> None:
    assert load_interface() is load_interface()
