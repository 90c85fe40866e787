"""`xstocks program` on a chain: what each role does from end to end, and that nothing is sent twice."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from solders.keypair import Keypair

from localnet.harness.deploy import Deployment
from tests.cli.desk import Desk, MakeDesk, Ran
from tests.support.cluster import TestCluster, cluster
from tests.support.deployed import Asset, DeployedProgram, deploy_program
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import address_of
from tests.support.mints import live_mint
from tests.support.on_validator import chain_params
from tests.support.redeeming import requested
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import RpcUnreachable
from xstocks_daemon.chain.program import AdoptionState, Role
from xstocks_daemon.chain.rpc import RpcEndpoint
from xstocks_daemon.domain.snapshot import AssetState, Hold, RedemptionState, Scope
from xstocks_daemon.domain.units import multiplier_bits_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

TIMELOCK_SECS = 3_600
ROLES = ("admin", "operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lab" in metafunc.fixturenames:
        metafunc.parametrize("lab", chain_params(metafunc), indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestCluster]:
    async with cluster(request.param, tmp_path_factory.mktemp("program"), spare=6) as started:
        await started.chain.fund(*(getattr(started.keys, role).address for role in ROLES))
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(lab: TestCluster) -> DeployedProgram:
    """Not sealed. Change nothing of its Config."""
    return await deploy_program(lab.chain, lab.keys, lab.client)


@pytest_asyncio.fixture(loop_scope="module")
async def asset(shared: DeployedProgram) -> Asset:
    """A fresh asset of the shared deployment."""
    [fresh] = await shared.register()
    return fresh


@pytest_asyncio.fixture(loop_scope="module")
async def sealed(lab: TestCluster) -> DeployedProgram:
    """A sealed deployment of this test alone."""
    program = await lab.deploy()
    seal = program.client.seal(admin=program.keys.admin.address, timelock_secs=TIMELOCK_SECS)
    await program.accepted(program.by("admin", seal))
    return program


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> MakeDesk:
    return lambda program: Desk(program, tmp_path, capsys)


async def test_compliance_freezes_and_thaws(asset: Asset, desk: MakeDesk) -> None:
    at, wallet = desk(asset.program), address_of(Keypair())
    account = await asset.open_account(wallet)
    which = ("--mint", base58(asset.mint), "--account", base58(account))
    compliance, operator = asset.program.keys.compliance.address, asset.program.keys.operator.address

    # Another role's key: found before anything is sent, by the name of the one that is needed.
    before = await at.sent_by(operator)
    ran = await at.types("freeze", *which, keys=["operator"])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: --key: {base58(operator)}: freeze is signed by compliance {base58(compliance)}; "
        "add that key's file by --key\n"
    )
    assert not await asset.frozen(account)
    assert await at.sent_by(operator) == before

    ran = await at.done("freeze", *which, keys=["compliance"])
    assert await asset.frozen(account)
    assert "Freezes a holder's token account at once; " in ran.out
    for shown in (asset.program.chain.process.genesis_hash, base58(asset.mint), base58(account), base58(compliance)):
        assert shown in ran.out
    await at.refused(ErrorCode.AccountFrozen, "freeze", *which, keys=["compliance"])
    # Somebody else may pay.
    before = await at.sent_by(operator)
    await at.done("thaw", *which, keys=["operator", "compliance"])
    assert not await asset.frozen(account)
    assert len(await at.sent_by(operator)) == len(before) + 1


async def test_nothing_is_sent_without_a_yes(asset: Asset, desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk(asset.program)
    account = await asset.open_account(address_of(Keypair()))
    command = ("freeze", "--mint", base58(asset.mint), "--account", base58(account))

    async def answered(answer: str) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        return await at.types(*command, keys=["compliance"], yes=False)

    ran = await at.types(*command, "--dry-run", keys=["compliance"])
    assert (ran.code, ran.err, "simulated" in ran.out) == (0, "", True)
    ran = await answered("n\n")
    assert (ran.code, ran.out.splitlines()[-1].strip()) == (1, "not sent")
    assert (await answered("")).code == 130
    assert not await asset.frozen(account)
    assert (await answered("y\n")).code == 0
    assert await asset.frozen(account)


async def test_corporate_actions_schedule_and_cancel(asset: Asset, desk: MakeDesk) -> None:
    at = desk(asset.program)
    mint = ("--mint", base58(asset.mint))
    effective_ts = await asset.program.chain.clock_ts() + 86_400
    change = ("--current-multiplier", "1", "--effective-ts", str(effective_ts))
    ran = await at.types(
        "schedule-multiplier", *mint, *change, "--new-multiplier", "1.0032", "--json", keys=["corporate_actions"]
    )
    [event] = ran.json["events"]
    assert (event["name"], event["effective_ts"]) == ("MultiplierScheduled", str(effective_ts))
    assert ran.json["arguments"]["new_bits"] == str(multiplier_bits_of("1.0032"))
    assert (await asset.read()).pending_multiplier_bits == multiplier_bits_of("1.0032")
    taken_back = ("cancel-multiplier", *mint, "--pending-multiplier")
    await at.refused(ErrorCode.MultiplierChanged, *taken_back, "1.0033", keys=["guardian"])
    await at.done(*taken_back, "1.0032", keys=["guardian"])
    assert (await asset.read()).pending_multiplier_bits == 0

    # Beyond the policy's bound the admin signs too.
    beyond = ("schedule-multiplier", *mint, *change, "--new-multiplier", "4")
    await at.refused(ErrorCode.MultiplierNeedsAdmin, *beyond, keys=["corporate_actions"])
    await at.done(*beyond, keys=["corporate_actions", "admin"])
    assert (await asset.read()).pending_multiplier_bits == multiplier_bits_of("4")


@pytest.mark.embedded_only
async def test_what_is_timelocked_is_proposed_and_executed_after_it(sealed: DeployedProgram, desk: MakeDesk) -> None:
    at, new_key = desk(sealed), Keypair()
    key = address_of(new_key)
    command = ("set-role", "--role", "compliance", "--public-key", base58(key))
    client, admin = sealed.client, sealed.keys.admin.address
    proposal = client.proposal_address(client.set_role(admin=admin, role=Role.COMPLIANCE, key=key))
    ran = await at.types(*command, keys=["admin"])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: proposal: {base58(proposal)}: no proposal of exactly this instruction; make it")

    ran = await at.types(*command, "--propose", "--json", keys=["admin"])
    assert ran.json["proposal"]["address"] == base58(proposal)
    info = await sealed.chain.account(proposal)
    made = client.proposal(proposal, info.data, info.owner)
    assert ran.json["proposal"] == {"address": base58(proposal), "state": "pending", "ready_ts": made.ready_ts}
    assert made.ready_ts >= await sealed.chain.clock_ts() + TIMELOCK_SECS - 60
    await at.refused(ErrorCode.ProposalPending, *command, "--propose", keys=["admin"])
    line = await at.refused(ErrorCode.ProposalNotReady, *command, keys=["admin"])
    assert "; the proposal is pending, ready at 2" in line
    assert (await sealed.config()).compliance != key

    await sealed.chain.clock_reaches(made.ready_ts)
    line = await at.refused(ErrorCode.RoleNotAccepted, *command, keys=["admin"])
    assert "; the proposal is pending, ready at 2" in line
    await sealed.chain.fund(key)
    await at.done("accept-role", "--proposal", base58(proposal), keys=[new_key])
    ran = await at.done(*command, keys=["admin"])
    assert f"{base58(proposal)}: pending, ready at" in ran.out
    assert (await sealed.config()).compliance == key
    line = await at.refused(ErrorCode.ProposalNotPending, *command, keys=["admin"])
    assert line.endswith("; the proposal is executed")


async def test_the_guardian_cancels_a_proposal(sealed: DeployedProgram, desk: MakeDesk) -> None:
    at = desk(sealed)
    timing = ("set-timing", "--timelock-secs", "7200", "--max-skew-secs", "4")
    ran = await at.done(*timing, "--propose", keys=["admin"])
    assert "propose set_timing: Sets the timelock" in ran.out
    (line,) = [line for line in ran.out.splitlines() if line.startswith("proposal: ")]
    proposal = line.split()[1]
    await at.done("cancel-proposal", "--proposal", proposal, keys=["guardian"])
    line = await at.refused(ErrorCode.ProposalNotPending, *timing, keys=["admin"])
    assert line.endswith("; the proposal is cancelled")


async def test_before_the_seal_nothing_is_proposed(shared: DeployedProgram, asset: Asset, desk: MakeDesk) -> None:
    at = desk(shared)
    looser = json.dumps(asdict(ROOMY) | {"max_age_secs": 7_200})
    command = ("loosen-policy", "--mint", base58(asset.mint), "--policy", looser)
    await at.refused(ErrorCode.NotSealed, *command, "--propose", keys=["admin"])
    await at.done(*command, keys=["admin"])
    assert (await asset.read()).policy == replace(ROOMY, max_age_secs=7_200)


async def test_redemptions_are_settled_and_rejected_by_the_daemons_key(asset: Asset, desk: MakeDesk) -> None:
    at, program = desk(asset.program), asset.program
    at.write_settings(f'[operator]\nkey_file = "{at.key("operator")}"\n')
    mint = ("--mint", base58(asset.mint))
    await asset.attest(10_000)
    settled, rejected = await requested(asset, 300), await requested(asset, 200)
    ran = await at.done(
        *("settle-redemption", *mint, "--custodian", str(program.custodian(OWN_CUSTODIAN).id)),
        *("--redemption", settled.id.hex()),
    )
    assert "RedemptionSettled" in ran.out
    state = await settled.read()
    assert (state.state, state.custodian) == (RedemptionState.SETTLED, program.custodian(OWN_CUSTODIAN).address)
    back = ("reject-redemption", *mint, "--redemption", base58(rejected.address))
    await at.done(*back, "--destination", base58(rejected.account))
    assert (await rejected.read()).state is RedemptionState.REJECTED
    assert await asset.balance_raw(rejected.account) == 200
    await at.refused(ErrorCode.RedemptionClosed, *back, "--destination", base58(rejected.account))


@pytest.mark.embedded_only
async def test_the_admin_role_changes_hands(sealed: DeployedProgram, desk: MakeDesk) -> None:
    at, heir = desk(sealed), Keypair()
    await sealed.chain.fund(address_of(heir))
    ends = datetime.fromtimestamp(await sealed.chain.clock_ts() + TIMELOCK_SECS + 86_400, UTC).isoformat()
    offer = ("propose-admin", "--pending-admin", str(heir.pubkey()), "--expires-ts", ends)
    # Nobody is offered anything yet.
    ran = await at.types("accept-admin", keys=[heir])
    assert (ran.code, ran.err) == (
        2,
        "error: pending_admin: nobody: accept_admin needs this key, and the Config names none\n",
    )
    await at.done(*offer, keys=["admin"])
    await at.done("cancel-admin", keys=["guardian"])
    await at.done(*offer, keys=["admin"])
    await at.refused(ErrorCode.OfferNotReady, "accept-admin", keys=[heir])
    await sealed.chain.clock_reaches((await sealed.config()).pending_admin_ready_ts)
    await at.done("accept-admin", keys=[heir])
    assert (await sealed.config()).admin == address_of(heir)
    ran = await at.types("clear-role", "--role", "operator", keys=["admin"])
    assert ran.code == 2
    assert f"clear_role is signed by admin {heir.pubkey()}; add" in ran.err
    await at.done("clear-role", "--role", "operator", keys=[heir])


async def test_a_live_mint_is_adopted(shared: DeployedProgram, desk: MakeDesk) -> None:
    at, live = desk(shared), await live_mint(shared, supply_raw=7_000)
    mint = ("--mint", base58(live.mint))
    await at.done("begin-adopt", *mint, "--profile", "xstocks", "--any-name", keys=["admin"])
    await at.done("abort-adopt", *mint, keys=["admin"])
    assert (await live.adoption()).state is AdoptionState.ABORTED
    await at.done("begin-adopt", *mint, "--profile", "xstocks", "--any-name", keys=["admin"])
    finish = ("finish-adopt", *mint, "--any-name", "--policy", json.dumps(asdict(ROOMY)))
    await at.refused(ErrorCode.MintAuthorityInvalid, *finish, keys=["admin"])
    await live.hand_over()
    await at.done(*finish, keys=["admin"])
    state = await (await live.asset()).read()
    assert (state.state, state.adopted_raw, state.policy) == (AssetState.HALTED, 7_000, ROOMY)


async def test_holders_hand_their_parts_over(
    shared: DeployedProgram, desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three holders for two mints at once, and the third later; run again nothing is left."""
    at = desk(shared)
    minter, guard, other = holders = (Keypair(), Keypair(), Keypair())
    await shared.chain.fund(*map(address_of, holders))
    lives = [await live_mint(shared, holders=holders) for _ in range(2)]
    mints = [base58(live.mint) for live in lives]
    ran = await at.runs("hand-over", mints[0], keys=[minter])
    assert (ran.code, ran.out) == (2, "")
    remedy = "its adoption was never begun; the admin begins one with `xstocks program begin-adopt`"
    assert ran.err == f"error: MINT: {mints[0]}: {remedy}\n"
    for mint in mints:
        await at.done("begin-adopt", "--mint", mint, "--profile", "xstocks", "--any-name", keys=["admin"])
    assert (await at.runs("hand-over", "here", keys=[minter])).code == 2

    before = [await live.holders() for live in lives]
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = await at.runs("hand-over", *mints, keys=[minter, other], yes=False)
    assert (ran.code, ran.out.splitlines()[-1].strip()) == (1, "not sent")
    assert [await live.holders() for live in lives] == before
    ran = await at.runs("hand-over", *mints, keys=[minter, other])
    assert ran.code == 0, ran.err
    rest = ("metadata_pointer", "metadata_update", "permanent_delegate", "scaled_ui", "confidential", "hook")
    held = f"freeze ({guard.pubkey()}), pausable ({guard.pubkey()})"
    told = ran.out.splitlines()
    for live, mint in zip(lives, mints, strict=True):
        for done in ("to hand over", "handed over"):
            assert {f"{done}: {mint}: mint", f"{done}: {mint}: {', '.join(rest)}"} <= set(told)
        assert f"held by others: {mint}: {held}" in told
        assert asdict(await live.holders()) == dict.fromkeys(("mint", *rest), live.asset_address) | dict.fromkeys(
            ("freeze", "pausable"), address_of(guard)
        )
    again = await at.runs("hand-over", *mints, keys=[minter, other])
    assert (again.code, again.out.splitlines()[-1]) == (0, "nothing is left to hand over by these keys")

    # What was passed on since begin_adopt is not handed over: abort_adopt would give it to the recorded holder.
    heir = Keypair()
    await shared.chain.fund(address_of(heir))
    await lives[0].give("freeze", address_of(heir))
    ran = await at.runs("hand-over", *mints, keys=[guard, heir])
    assert f"held by others: {mints[0]}: freeze ({heir.pubkey()})" in ran.out
    assert (await lives[0].holders()).freeze == address_of(heir)
    await at.done(
        "finish-adopt", "--any-name", "--mint", mints[1], "--policy", json.dumps(asdict(ROOMY)), keys=["admin"]
    )
    ran = await at.runs("hand-over", mints[1], keys=[guard])
    assert (ran.code, "its adoption is finished" in ran.err) == (2, True)


async def test_guardian_and_resumer(asset: Asset, desk: MakeDesk) -> None:
    at = desk(asset.program)
    mint = ("--mint", base58(asset.mint))
    await at.done("pause", *mint, "--scopes", "mint,transfers", keys=["guardian"])
    assert ((await asset.read()).paused, (await asset.read_mint()).paused) == (Scope.MINT | Scope.TRANSFERS, True)
    await at.done("resume", *mint, "--scopes", "transfers", keys=["resumer"])
    assert ((await asset.read()).paused, (await asset.read_mint()).paused) == (Scope.MINT, False)

    # A rise beyond the policy holds the asset, until the resumer says which hold it looked at.
    await asset.attest(10_000)
    await asset.attest(1_000_000)
    assert ((await asset.read()).holds, (await asset.read()).hold_number) == (Hold.RISE, 1)
    clear = ("clear-hold", *mint, "--holds", "rise", "--hold-number")
    await at.refused(ErrorCode.HeldAgain, *clear, "0", keys=["resumer"])
    await at.done(*clear, "1", keys=["resumer"])
    assert (await asset.read()).holds == Hold(0)


async def test_a_deployment_is_set_up_from_nothing(lab: TestCluster, desk: MakeDesk) -> None:
    keys, client = lab.keys, lab.blank()
    holders = {role: getattr(keys, role).address for role in ROLES}
    at = desk(
        DeployedProgram(lab.chain, Deployment(client, parse_address(lab.chain.process.genesis_hash), keys, {}, ()))
    )
    ran = await at.types("seal", "--timelock-secs", "60", keys=["admin"])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: program_id: {base58(client.program_id)}: the program ")
    assert "has no Config account" in ran.err

    named = [word for role, key in holders.items() for word in (f"--{role.replace('_', '-')}", base58(key))]
    times = ("--max-skew-secs", "2", "--min-timelock-secs", "60")
    command = ("initialize", *named, "--genesis-hash", lab.chain.process.genesis_hash, *times)
    await at.refused(ErrorCode.NotUpgradeAuthority, *command, keys=["admin"])
    await at.done(*command, keys=["upgrade_authority"])
    await at.refused(ErrorCode.TimelockZero, "seal", "--timelock-secs", "0", keys=["admin"])
    await at.refused(ErrorCode.TimelockTooShort, "seal", "--timelock-secs", "59", keys=["admin"])
    await at.done("seal", "--timelock-secs", "60", keys=["admin"])
    config = await at.program.config()
    assert {role: getattr(config, role) for role in ROLES} == holders
    assert (config.sealed, config.timelock_secs, config.max_skew_secs) == (True, 60, 2)


async def test_settings_of_another_cluster_are_refused(shared: DeployedProgram, desk: MakeDesk) -> None:
    at, other = desk(shared), base58(bytes([1]) * 32)
    at.settings.write_text(at.settings.read_text().replace(shared.chain.process.genesis_hash, other))
    ran = await at.types("pause", "--scopes", "mint", keys=["guardian"])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: cluster.genesis_hash: {other}: ")


async def test_a_payer_without_money_is_told_so(asset: Asset, desk: MakeDesk) -> None:
    at, poor = desk(asset.program), Keypair()
    ran = await at.types("pause", "--mint", base58(asset.mint), "--scopes", "mint", keys=[poor, "guardian"])
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error: --key: {poor.pubkey()}: the first key pays the fee, and cannot (AccountNotFound): send it some SOL\n"
    )


async def test_a_lost_answer_is_no_reason_to_send_another_transaction(
    asset: Asset, desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, guardian = desk(asset.program), asset.program.keys.guardian.address
    sends: list[bytes] = []
    send = RpcEndpoint.send

    async def answer_lost(self: RpcEndpoint, transaction: bytes, **options: Any) -> str:
        sends.append(transaction)
        await send(self, transaction, **options)
        raise RpcUnreachable(self.name, "sendTransaction", "no answer within 15 s")

    before = await at.sent_by(guardian)
    monkeypatch.setattr(RpcEndpoint, "send", answer_lost)
    await at.done("pause", "--mint", base58(asset.mint), "--scopes", "mint", keys=["guardian"])
    assert len(set(sends)) == 1
    monkeypatch.undo()
    assert len(await at.sent_by(guardian)) == len(before) + 1
    assert (await asset.read()).paused == Scope.MINT


@pytest.mark.embedded_only
async def test_what_never_arrives_is_said_not_to_have_landed(
    asset: Asset, desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, guardian = desk(asset.program), asset.program.keys.guardian.address
    sends: list[bytes] = []

    async def swallowed(self: RpcEndpoint, transaction: bytes, **options: Any) -> str:
        sends.append(transaction)
        raise RpcUnreachable(self.name, "sendTransaction", "no answer within 15 s")

    before = await at.sent_by(guardian)
    monkeypatch.setattr(RpcEndpoint, "send", swallowed)
    ran = await at.types("pause", "--mint", base58(asset.mint), "--scopes", "mint", keys=["guardian"])
    monkeypatch.undo()
    assert ran.code == 1
    sending, line = ran.err.splitlines()
    signature = sending.removeprefix("sending: ")
    assert line.startswith(f"error: chain: AttemptExpired: transaction {signature} did not land before block height ")
    assert len(set(sends)) == 1, "the same bytes again and again, and nothing else"
    assert await at.sent_by(guardian) == before
    assert (await asset.read()).paused == Scope(0)
