"""`xstocks proposals`: a guardian sees what waits, decoded, and who may cancel it until when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.cli.desk import Desk
from tests.program.test_admin_handover import seal
from tests.program.test_timelock import accepting_role, cancelling, proposing, read
from tests.support.deployed import DeployedProgram
from tests.support.live_chain import address_of
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import Role

LIFE_SECS = 14 * 86_400


@pytest.fixture
def desk(own_program: DeployedProgram, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(own_program, tmp_path, capsys)


@pytest.mark.embedded_only
async def test_what_waits_is_listed_decoded_with_who_may_cancel_it(own_program: DeployedProgram, desk: Desk) -> None:
    program, client, keys = own_program, own_program.client, own_program.keys
    await seal(program)

    async def listed(*options: str) -> list[dict[str, Any]]:
        ran = await desk.runs("proposals", "--json", *options, yes=False)
        assert (ran.code, ran.err) == (0, "")
        found: list[dict[str, Any]] = json.loads(ran.out)
        return found

    assert await listed() == []
    new_key = Keypair()
    replaced = client.set_role(admin=keys.admin.address, role=Role.GUARDIAN, key=address_of(new_key))
    await program.accepted(proposing(program, replaced))
    proposal = await read(program, replaced)
    shown = {
        "address": base58(proposal.address),
        "standing": "waiting",
        "instruction": "set_role",
        "arguments": {"role": "2", "key": base58(address_of(new_key))},
        "data": bytes(replaced.data).hex(),
        "accounts": [
            {"name": "admin", "address": base58(keys.admin.address)},
            {"name": "config", "address": base58(client.addresses.config)},
        ],
        "accepted": False,
        "ready_ts": proposal.ready_ts,
        "expires_ts": proposal.ready_ts + LIFE_SECS,
        "cancelled_by": [
            {"admin": base58(keys.admin.address)},
            {"guardian": base58(keys.guardian.address), "resumer": base58(keys.resumer.address)},
        ],
    }
    assert await listed() == [shown]

    await program.accepted(accepting_role(program, proposal, new_key))
    await program.chain.clock_reaches(proposal.ready_ts)
    assert await listed() == [shown | {"standing": "ready", "accepted": True}]
    ran = await desk.runs("proposals", yes=False)
    for words in ("set_role: Gives a role", base58(address_of(new_key)), "cancel it now", " and resumer ", "guardian"):
        assert words in ran.out

    # Another one, that is no whole instruction: it cannot be executed, and shows as what it is.
    timing = client.set_timing(admin=keys.admin.address, timelock_secs=9, max_skew_secs=2)
    broken = Instruction(timing.program_id, bytes(timing.data)[:-1], timing.accounts)
    await program.accepted(proposing(program, broken))
    [first, second] = await listed()
    assert (first["instruction"], second["instruction"], second["data"]) == ("set_role", None, bytes(broken.data).hex())
    assert second["cancelled_by"][1] == {"guardian": base58(keys.guardian.address)}

    await program.accepted(cancelling(program, "guardian", await read(program, broken)))
    assert [each["instruction"] for each in await listed()] == ["set_role"]
    await program.chain.clock_reaches(proposal.ready_ts + LIFE_SECS)
    assert await listed() == []
    everything = {each["address"]: each for each in await listed("--all")}
    assert len(everything) == 2
    assert everything[base58(proposal.address)] == shown | {"standing": "expired", "accepted": True, "cancelled_by": []}
    ran = await desk.runs("proposals", yes=False)
    assert ran.out == "no proposal is waiting\n"
