"""`xstocks program` --unsigned and --sign-only, `sign`, `send`: transactions whose signers sit in several places."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import based58
import pytest
import pytest_asyncio
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.system_program import TransferParams, transfer

from tests.cli.desk import Desk
from tests.support.cluster import cluster
from tests.support.deployed import Asset, deploy_program
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import LAMPORTS_PER_SOL, address_of
from tests.support.multisig import MULTISIG, MULTISIG_SO, Multisig
from xstocks_daemon.chain.addresses import base58, parse_address, pubkey
from xstocks_daemon.chain.program import Role
from xstocks_daemon.chain.transactions import compile_message
from xstocks_daemon.domain.units import Address

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asset(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asset]:
    """An asset of a program that is not sealed, on a chain with a multisig."""
    async with cluster("embedded", tmp_path_factory.mktemp("offline"), also={MULTISIG: MULTISIG_SO}) as started:
        program = await deploy_program(started.chain, started.keys, started.client)
        await started.chain.fund(started.keys.guardian.address, started.keys.operator.address)
        [fresh] = await program.register()
        yield fresh


@pytest.fixture
def desk(asset: Asset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(asset.program, tmp_path, capsys)


async def account_of(asset: Asset) -> tuple[str, ...]:
    """A holder's token account that nobody has frozen, as the commands name it."""
    account = await asset.open_account(address_of(Keypair()))
    return ("--mint", base58(asset.mint), "--account", base58(account))


async def is_frozen(asset: Asset, which: tuple[str, ...]) -> bool:
    return await asset.frozen(parse_address(which[-1]))


async def test_two_keys_in_two_places_sign_one_transaction(asset: Asset, desk: Desk) -> None:
    which, keys = await account_of(asset), asset.program.keys
    payer, compliance = base58(keys.operator.address), base58(keys.compliance.address)
    made = await desk.types("freeze", *which, "--signer", compliance, "--sign-only", "--json", keys=["operator"])
    shown = made.json
    assert (list(shown["signatures"]), shown["missing"], shown["signature"]) == ([payer], [compliance], None)
    assert not await is_frozen(asset, which)

    elsewhere = await desk.runs("program", "sign", shown["message"], "--json", keys=["compliance"], yes=False)
    assert (elsewhere.json["instruction"], elsewhere.json["signers"]) == ("freeze", [payer, compliance])
    assert not await is_frozen(asset, which)
    parts = [f"{key}={text}" for key, text in {**shown["signatures"], **elsewhere.json["signatures"]}.items()]
    given = [word for part in parts for word in ("--signature", part)]

    # One of the two is missing; one is another message's: nothing is sent.
    before = await desk.sent_by(keys.operator.address)
    ran = await desk.types("send", shown["message"], *given[:2])
    assert (ran.code, ran.err) == (
        2,
        f"error: --signature: {compliance}: its signature is missing; add --signature KEY=SIGNATURE\n",
    )
    other = str(keys.compliance.keypair.sign_message(b"another"))
    ran = await desk.types("send", shown["message"], *given[:2], "--signature", f"{compliance}={other}")
    assert ran.code == 2
    assert ran.err.endswith(f"what is given for {compliance} is no signature of this message by that key\n")
    assert await desk.sent_by(keys.operator.address) == before

    ran = await desk.types("send", shown["message"], *given)
    assert ran.code == 0, ran.err
    assert "finalized in slot" in ran.out
    assert await is_frozen(asset, which)
    assert len(await desk.sent_by(keys.operator.address)) == len(before) + 1


async def test_a_key_at_hand_signs_as_the_message_is_sent(asset: Asset, desk: Desk) -> None:
    which, compliance = await account_of(asset), asset.program.keys.compliance.keypair
    made = await desk.types("freeze", *which, "--unsigned", "--json", keys=["compliance"])
    assert (made.json["signatures"], made.json["missing"]) == ({}, [str(compliance.pubkey())])
    ran = await desk.types("send", made.json["message"], keys=["guardian"])
    assert (ran.code, ran.out) == (2, "")
    assert f"the message is signed by {compliance.pubkey()}" in ran.err
    ran = await desk.types("send", made.json["message"], keys=["compliance"])
    assert ran.code == 0, ran.err
    assert await is_frozen(asset, which)


async def test_what_the_program_refuses_is_not_sent(asset: Asset, desk: Desk) -> None:
    which = await account_of(asset)
    made = await desk.types("freeze", *which, "--unsigned", "--json", keys=["compliance"])
    await desk.done("freeze", *which, keys=["compliance"])
    before = await desk.sent_by(asset.program.keys.compliance.address)
    ran = await desk.types("send", made.json["message"], keys=["compliance"])
    name = ErrorCode.AccountFrozen
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: freeze: {name.name} ({int(name)}): ")
    assert await desk.sent_by(asset.program.keys.compliance.address) == before


async def test_a_message_that_is_too_old_is_said_to_be(asset: Asset, desk: Desk) -> None:
    which, chain = await account_of(asset), asset.program.chain
    made = await desk.types("freeze", *which, "--unsigned", "--json", keys=["compliance"])
    await chain.process.advance_slots(200)
    ran = await desk.types("send", made.json["message"], keys=["compliance"])
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith("too old to be executed: make the message anew, and sign it within 150 blocks\n")
    assert not await is_frozen(asset, which)
    # The same, made anew.
    made = await desk.types("freeze", *which, "--unsigned", "--json", keys=["compliance"])
    assert (await desk.types("send", made.json["message"], keys=["compliance"])).code == 0


async def test_a_multisig_carries_out_the_instruction_of_an_unsigned_message(asset: Asset, desk: Desk) -> None:
    """As a Squads vault does: of the imported message the multisig takes the instruction, and signs by its call."""
    program, multisig = asset.program, Multisig.of(2, 3)
    await program.chain.fund(multisig.vault, lamports=LAMPORTS_PER_SOL)
    client, guardian = program.client, program.keys.guardian
    offer = client.set_role(admin=program.keys.admin.address, role=Role.GUARDIAN, key=multisig.vault)
    await program.accepted(program.by("admin", offer))
    which = ("--mint", base58(asset.mint), "--scopes", "distribute")
    made = await desk.types("pause", *which, "--signer", base58(multisig.vault), "--unsigned", "--json")
    assert made.json["missing"] == [base58(multisig.vault)]
    data = base64.b64decode(made.json["message"])
    assert based58.b58decode(made.json["message_base58"].encode()) == data
    await program.chain.accepted(multisig.signs(the_instruction(data)))
    assert (await asset.read()).paused != 0
    assert guardian.address != multisig.vault


def the_instruction(data: bytes) -> Instruction:
    message = from_bytes_versioned(data)
    assert isinstance(message, MessageV0)
    [compiled] = message.instructions
    keys = message.account_keys
    metas = [AccountMeta(keys[at], message.is_signer(at), message.is_maybe_writable(at)) for at in compiled.accounts]
    return Instruction(keys[compiled.program_id_index], bytes(compiled.data), metas)


async def test_only_one_instruction_of_the_program_is_signed(asset: Asset, desk: Desk) -> None:
    """A message that says more, or something else, is refused before any key signs it."""
    keys = asset.program.keys
    payer, thief = keys.compliance.address, Keypair()
    moving = transfer(TransferParams(from_pubkey=pubkey(payer), to_pubkey=thief.pubkey(), lamports=1))
    account = await asset.open_account(address_of(Keypair()))
    freezing = asset.program.client.freeze(compliance=payer, mint=asset.mint, account=account)
    cut = Instruction(freezing.program_id, bytes(freezing.data)[:-1], freezing.accounts)
    other = f"it must be one instruction of {base58(asset.program.client.program_id)} and nothing else"
    short = "are no instruction of this version of the program"
    for wrong, remedy in (
        ([moving], other),
        ([freezing, moving], other),
        ([freezing, freezing], other),
        ([], other),
        ([cut], short),
    ):
        ran = await desk.runs("program", "sign", message_of(payer, wrong), keys=["compliance"], yes=False)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: MESSAGE: ")
        assert ran.err.endswith(f"{remedy}\n")
    ran = await desk.runs("program", "sign", message_of(payer, [freezing]), keys=["compliance"], yes=False)
    assert f"signature: {base58(payer)}=" in ran.out
    # Whoever only reads it needs no key.
    ran = await desk.runs("program", "sign", message_of(payer, [freezing]), yes=False)
    assert (ran.code, base58(account) in ran.out, "signature:" in ran.out) == (0, True, False)


def message_of(payer: Address, instructions: Sequence[Instruction]) -> str:
    message = compile_message(payer, instructions, bytes(32))
    return base64.b64encode(to_bytes_versioned(message)).decode()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sign", "!"], "MESSAGE: !: give the message in base64"),
        (["sign", "AAAA"], "MESSAGE: 3 bytes: give what --unsigned or --sign-only printed"),
        (["send", "AAAA", "--signature", "x"], "--signature: x: give KEY=SIGNATURE, both in base58"),
        (["send", "AAAA", "--json"], "--json: send: add --yes: with --json nobody is asked"),
        (
            ["pause", "--scopes", "mint", "--signer", base58(bytes(32))],
            f"--signer: {base58(bytes(32))}: add --unsigned or --sign-only",
        ),
        (["pause", "--scopes", "mint", "--unsigned", "--signer", "x"], "--signer: x: give an address"),
    ],
)
async def test_a_mistake_is_one_line(desk: Desk, arguments: list[str], line: str) -> None:
    keys = ["compliance"] if arguments[0] == "sign" else []
    ran = await desk.types(*arguments, keys=keys, yes=False)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {line}")
