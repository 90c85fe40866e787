"""Commitment as a lag, blockhashes and their window, repetition. Slots are advanced by hand, so nothing here waits."""

from __future__ import annotations

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from localnet.harness.chains import Chain, ChainRpcError
from tests.embedded_chain.transactions import (
    LAG,
    PAYER,
    RECEIVER,
    SOL,
    balance,
    balances,
    blockhash,
    pay,
    send,
    signed,
    status,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_commitment_lags(chain: Chain) -> None:
    signature = await send(chain, signed([pay(SOL)], await blockhash(chain)))
    assert await balances(chain) == (SOL, 0, 0)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("processed", 0)
    assert await chain.call("getTransaction", [signature, {"commitment": "confirmed"}]) is None
    await chain.advance_slots(1)
    assert await balances(chain) == (SOL, SOL, 0)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("confirmed", 1)
    await chain.advance_slots(LAG - 2)
    assert await balances(chain) == (SOL, SOL, 0)
    await chain.advance_slots(1)
    assert await balances(chain) == (SOL, SOL, SOL)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("finalized", None)


async def test_every_older_value_is_kept_until_final(chain: Chain) -> None:
    for step in range(1, LAG + 4):
        await send(chain, signed([pay(SOL + step)], await blockhash(chain)))
        slot = await chain.advance_slots(1)
        final = await chain.call("getAccountInfo", [str(RECEIVER), {"encoding": "base64"}])
        assert final["context"]["slot"] == slot - LAG
        # Payment k was made step - k slots before this one, and a slot has begun since.
        expected = sum(SOL + paid for paid in range(1, step + 1) if step - paid + 1 >= LAG)
        held = 0 if final["value"] is None else final["value"]["lamports"]
        assert held == expected


async def test_program_accounts_as_of_the_commitment(chain: Chain) -> None:
    owner, address = Keypair().pubkey(), Keypair().pubkey()

    async def owned(commitment: str) -> list[str]:
        found = await chain.call("getProgramAccounts", [str(owner), {"commitment": commitment, "encoding": "base64"}])
        return [item["account"]["data"][0] for item in found]

    account = {"lamports": SOL, "owner": str(owner), "data": ["AQ==", "base64"]}
    await chain.call("localnet_setAccount", [str(address), account])
    assert (await owned("processed"), await owned("finalized")) == (["AQ=="], [])
    await chain.advance_slots(LAG)
    assert await owned("finalized") == ["AQ=="]
    await chain.call("localnet_setAccount", [str(address), {**account, "data": ["Ag==", "base64"]}])
    assert (await owned("processed"), await owned("finalized")) == (["Ag=="], ["AQ=="])
    await chain.call("localnet_setAccount", [str(address), {**account, "lamports": 0}])
    assert (await owned("processed"), await owned("finalized")) == ([], ["AQ=="])
    await chain.advance_slots(LAG)
    assert await owned("finalized") == []


async def test_preflight_runs_on_the_state_of_its_commitment(chain: Chain) -> None:
    newcomer = Keypair()
    await chain.call("requestAirdrop", [str(newcomer.pubkey()), 10 * SOL])
    recent = await blockhash(chain, "finalized")
    back = transfer(TransferParams(from_pubkey=newcomer.pubkey(), to_pubkey=RECEIVER, lamports=SOL))
    message = MessageV0.try_compile(newcomer.pubkey(), [back], [], recent)
    tx = VersionedTransaction(message, [newcomer])
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, tx, preflightCommitment="finalized")
    assert refusal.value.code == -32002
    assert refusal.value.data["err"] == "AccountNotFound"
    # The simulation on older state has left no trace in the newest.
    assert await balance(chain, "processed", newcomer.pubkey()) == 10 * SOL
    await send(chain, tx, preflightCommitment="processed")
    assert await balance(chain, "processed") == SOL


async def test_min_context_slot(chain: Chain) -> None:
    slot = await chain.call("getSlot", [{"commitment": "confirmed"}])
    ask = [str(PAYER.pubkey()), {"commitment": "confirmed", "minContextSlot": slot + 1}]
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call("getBalance", ask)
    assert (refusal.value.code, refusal.value.data) == (-32016, {"contextSlot": slot})
    await chain.advance_slots(1)
    assert (await chain.call("getBalance", ask))["context"]["slot"] == slot + 1


async def test_a_blockhash_lives_150_slots(chain: Chain) -> None:
    latest = (await chain.call("getLatestBlockhash", [{"commitment": "processed"}]))["value"]
    recent, last = Hash.from_string(latest["blockhash"]), latest["lastValidBlockHeight"]
    slot = await chain.call("getSlot", [{"commitment": "processed"}])
    assert last == slot + 150
    await chain.advance_slots(150)
    assert await chain.call("getBlockHeight", [{"commitment": "processed"}]) == last
    await send(chain, signed([pay(SOL)], recent))
    await chain.advance_slots(1)
    valid = await chain.call("isBlockhashValid", [str(recent), {"commitment": "processed"}])
    assert valid["value"] is False
    late = signed([pay(2 * SOL)], recent)
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, late)
    assert (refusal.value.code, refusal.value.data["err"]) == (-32002, "BlockhashNotFound")
    # Without preflight it is taken, and never lands.
    assert await send(chain, late, skipPreflight=True) == str(late.signatures[0])
    assert await status(chain, str(late.signatures[0]), searchTransactionHistory=True) is None
    assert await balance(chain, "processed") == SOL


async def test_a_transaction_is_executed_once(chain: Chain) -> None:
    tx = signed([pay(SOL)], await blockhash(chain))
    signature = await send(chain, tx)
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, tx)
    assert (refusal.value.code, refusal.value.data["err"]) == (-32002, "AlreadyProcessed")
    assert refusal.value.message == "Transaction simulation failed: This transaction has already been processed"
    assert await send(chain, tx, skipPreflight=True) == signature
    assert await balance(chain, "processed") == SOL


async def test_statuses_of_the_past_need_a_search(chain: Chain) -> None:
    signature = await send(chain, signed([pay(SOL)], await blockhash(chain)))
    await chain.advance_slots(300)
    assert await status(chain, signature) is not None
    await chain.advance_slots(1)
    assert await status(chain, signature) is None
    assert await status(chain, signature, searchTransactionHistory=True) is not None


async def test_equal_airdrops_are_all_given(chain: Chain) -> None:
    signatures = [await chain.call("requestAirdrop", [str(RECEIVER), SOL]) for _ in range(3)]
    assert len(set(signatures)) == 3
    assert await balance(chain, "processed") == 3 * SOL
