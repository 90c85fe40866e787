"""Each instruction that changes an account checks all its rules last: a rule that is broken already is not passed over.

No instruction can break them, so the accounts are edited here.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from tests.program.role_keys import keys_of
from tests.program.role_rules import RULES
from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import address_of, call
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.domain.units import Address

BROKEN: dict[str, tuple[int, bytes, ErrorCode, str]] = {
    # holders.mint: nobody
    "Adoption": (48, bytes(32), ErrorCode.InvariantViolated, "Adoption rule: somebody could mint before"),
    # entry_count, of which fewer are in use
    "Asset": (15, b"\3", ErrorCode.InvariantViolated, "Asset rule: the entries in use are the first entry_count ones"),
    # paused, a scope that there is not
    "Config": (11, b"\x80", ErrorCode.InvariantViolated, "Config rule: the pause scopes are known ones"),
    # threshold, whose rule has an error of its own
    "Custodian": (12, b"\1", ErrorCode.ThresholdTooLow, ""),
    # instruction: none
    "Proposal": (
        16,
        bytes(8),
        ErrorCode.InvariantViolated,
        "Proposal rule: the instruction is the one whose data it holds",
    ),
    # amount_raw: nothing
    "Recovery": (16, bytes(8), ErrorCode.InvariantViolated, "Recovery rule: something is moved"),
    "Redemption": (32, bytes(8), ErrorCode.InvariantViolated, "Redemption rule: something is redeemed"),
}
"""By kind of account: where a rule is broken, with what, how that is refused, and how the log names the rule."""
KIND_OF = {discriminator("account", kind): kind for kind in BROKEN}
CHANGING = {
    "mint", "burn", "distribute", "withdraw_entry", "attach_custodian", "detach_custodian", "tighten_policy",
    "retire_custodian",
    "loosen_policy", "pause", "resume", "clear_hold", "set_role", "clear_role", "seal", "revoke_custodian_key",
    "cancel_proposal", "accept_role", "set_timing", "propose_admin", "cancel_admin", "accept_admin", "retire_asset",
    "schedule_multiplier", "cancel_multiplier", "cancel_recovery", "execute_recovery",
    "finish_adopt", "abort_adopt",
    "settle_redemption", "reject_redemption", "cancel_redemption",
    "hold_redemption", "clear_redemption_hold", "announce_redemption_recovery", "execute_redemption_recovery",
}  # fmt: skip
"""Those whose scene has an account that exists already and is changed: others make theirs."""
BUMP_AT = 9
"""In every account of the program, behind discriminator and version."""
WRITING_OVER = {"set_custodian_keys"}
"""They replace the broken field, so nothing is broken after them."""


@pytest.mark.embedded_only
@pytest.mark.parametrize("name", [name for name in RULES if name not in WRITING_OVER])
async def test_an_account_that_breaks_its_rules_is_changed_by_nothing(
    cluster: TestCluster, program: DeployedProgram, asset: Asset, name: str
) -> None:
    rule = RULES[name]
    if rule.own_program:
        program = await cluster.deploy()
    chain, build = program.chain, await rule.prepare(program, asset)
    keys = keys_of(program)
    signer = keys[rule.allowed[0]]
    await chain.fund(address_of(signer))
    good = build(address_of(signer))
    sent = call(good, signer, *(keys[who] for who in rule.also))
    before = await chain.accounts(sent.addresses)
    refused = 0
    for meta in good.accounts:
        address = Address(bytes(meta.pubkey))
        info = before[address]
        kind = KIND_OF.get(info.data[:8]) if info is not None and meta.is_writable else None
        if info is None or kind is None:
            continue
        offset, content, error, named = BROKEN[kind]
        broken = replace(info, data=patched(info.data, offset, content))
        await chain.set_account(address, broken)
        if (await chain.simulate(sent)).err is None:
            await program.accepted(sent)
            assert (await chain.account(address)).data == broken.data, f"{kind} was changed"
            for each, old in before.items():
                if old is not None and not old.executable and old.owner != address_of(chain.payer):
                    await chain.set_account(each, old)
        else:
            landed = await program.refused(sent, error)
            # By its start: it may go on.
            assert not named or any(line.startswith(f"Program log: {named}") for line in landed.logs), landed.logs
            refused += 1
        await chain.set_account(address, info)
    assert refused or name not in CHANGING
    await program.accepted(sent)


@pytest.mark.embedded_only
async def test_an_asset_with_another_bump_signs_nothing(program: DeployedProgram, asset: Asset) -> None:
    """The one byte that no error names: the runtime ends the transaction where the program signs as another, or as
    nobody."""
    await asset.attest(1_000)
    sent = await asset.mint_call(1_000)
    bump = (await program.chain.account(asset.address)).data[BUMP_AT]
    # Every second bump gives an address.
    others = {gives_an_address(asset, other): other for other in range(256) if other != bump}
    for gives, ending in ((True, "PrivilegeEscalation"), (False, "ProgramFailedToComplete")):
        await asset.rewrite(BUMP_AT, others[gives])
        error = {"InstructionError": [1, ending]}
        await program.chain.fails(sent, error, also=(asset.address, asset.mint, asset.vault))
    await asset.rewrite(BUMP_AT, bump)
    await program.accepted(sent)


def gives_an_address(asset: Asset, bump: int) -> bool:
    seeds = b"asset" + asset.mint + bytes([bump])
    hashed = sha256(seeds + asset.program.client.program_id + b"ProgramDerivedAddress").digest()
    return not Pubkey(hashed).is_on_curve()
