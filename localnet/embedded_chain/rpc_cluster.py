"""The chain as a whole: slots, blocks, epochs, and what a one-node cluster answers about itself."""

from __future__ import annotations

import zlib
from typing import Any, Final

from localnet.embedded_chain.bank import Bank
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.errors import RpcError, block_not_available, invalid_params, no_snapshot
from localnet.embedded_chain.params import Config, Params
from localnet.embedded_chain.rpc_context import API_VERSION, Json, Method, RpcContext
from localnet.embedded_chain.timeline import SLOTS_PER_EPOCH

_MAX_BLOCKS: Final = 500_000
_LOCKOUT_ENTRIES: Final = 32
_STAKE_LAMPORTS: Final = 999_999_997_717_120
_MIN_DELEGATION_LAMPORTS: Final = 1_000_000_000
_MAX_LEADERS: Final = 5_000


def cluster_methods(rpc: RpcContext) -> dict[str, Method]:
    """Slots, blocks, epochs, and what a node says of itself, its stake and its peers.

    What there is not (votes, inflation, snapshots, other nodes) is answered as by the only validator of a test cluster.
    """
    bank = rpc.bank

    def no_params(raw: Any) -> None:
        Params(raw, 0)

    def slot_of(raw: Any) -> int:
        return rpc.slot(Params(raw, 0, 1).config(0, "RpcContextConfig"))

    def get_epoch_info(raw: Any) -> Json:
        slot = slot_of(raw)
        return {
            "absoluteSlot": slot,
            "blockHeight": slot,
            "epoch": slot // SLOTS_PER_EPOCH,
            "slotIndex": slot % SLOTS_PER_EPOCH,
            "slotsInEpoch": SLOTS_PER_EPOCH,
            "transactionCount": bank.ledger.count_through(slot),
        }

    def get_epoch_schedule(raw: Any) -> Json:
        no_params(raw)
        return {
            "firstNormalEpoch": 0,
            "firstNormalSlot": 0,
            "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
            "slotsPerEpoch": SLOTS_PER_EPOCH,
            "warmup": False,
        }

    def get_slot_leader(raw: Any) -> str:
        slot_of(raw)
        return str(bank.identity)

    def get_slot_leaders(raw: Any) -> list[str]:
        params = Params(raw, 2)
        params.u64(0)
        count = params.u64(1)
        if count > _MAX_LEADERS:
            raise invalid_params(f"Invalid limit; max {_MAX_LEADERS}")
        return [str(bank.identity)] * count

    def get_blocks(raw: Any) -> list[int]:
        params = Params(raw, 1, 2)
        start, end = params.u64(0), params.value(1)
        config = params.config(1, "RpcContextConfig") if isinstance(end, dict) else None
        newest = _confirmed(bank, config or params.config(2, "RpcContextConfig"))
        last = newest if end is None or config else min(params.u64(1), newest)
        if last - start > _MAX_BLOCKS:
            raise invalid_params(f"Slot range too large; max {_MAX_BLOCKS}")
        return list(range(start, last + 1))

    def get_blocks_with_limit(raw: Any) -> list[int]:
        params = Params(raw, 2, 1)
        start, limit = params.u64(0), params.usize(1)
        newest = _confirmed(bank, params.config(2, "RpcContextConfig"))
        if limit > _MAX_BLOCKS:
            raise invalid_params(f"Limit too large; max {_MAX_BLOCKS}")
        return list(range(start, min(start + limit, newest + 1)))

    def get_block_time(raw: Any) -> int:
        slot = Params(raw, 1).u64(0)
        if slot > bank.timeline.slot:
            raise block_not_available(slot)
        return bank.timeline.unix_ts(slot)

    def get_block_commitment(raw: Any) -> Json:
        slot = Params(raw, 1).u64(0)
        if slot > bank.timeline.slot:
            return {"commitment": None, "totalStake": _STAKE_LAMPORTS}
        # All stake is one validator's, whose lockout on a slot grows with each slot after it.
        depth = min(bank.timeline.slot - slot, _LOCKOUT_ENTRIES - 1)
        commitment = [_STAKE_LAMPORTS if index == depth else 0 for index in range(_LOCKOUT_ENTRIES)]
        return {"commitment": commitment, "totalStake": _STAKE_LAMPORTS}

    def get_block_production(raw: Any) -> Json:
        config = Params(raw, 0, 1).config(0, "RpcBlockProductionConfig")
        slot = rpc.slot(config)
        value = {
            "byIdentity": {str(bank.identity): [slot + 1, slot + 1]},
            "range": {"firstSlot": 0, "lastSlot": slot},
        }
        return rpc.with_context(slot, value)

    def get_vote_accounts(raw: Any) -> Json:
        Params(raw, 0, 1).config(0, "RpcGetVoteAccountsConfig")
        account = {
            "activatedStake": _STAKE_LAMPORTS,
            "commission": 0,
            "epochCredits": [[bank.timeline.slot // SLOTS_PER_EPOCH, bank.timeline.slot, 0]],
            "epochVoteAccount": True,
            "inflationRewardsCommissionBps": 0,
            "lastVote": bank.timeline.slot - 1,
            "nodePubkey": str(bank.identity),
            "rootSlot": bank.timeline.slot_at(Commitment.FINALIZED),
            "votePubkey": str(bank.vote_account),
        }
        return {"current": [account], "delinquent": []}

    def get_supply(raw: Any) -> Json:
        config = Params(raw, 0, 1).config(0, "RpcSupplyConfig")
        slot = rpc.slot(config)
        faucet = bank.account(bank.faucet.pubkey(), slot)
        total = bank.faucet_lamports
        circulating = total - (0 if faucet is None else faucet.lamports)
        value = {
            "circulating": circulating,
            "nonCirculating": total - circulating,
            "nonCirculatingAccounts": []
            if config.boolean("excludeNonCirculatingAccountsList")
            else [str(bank.faucet.pubkey())],
            "total": total,
        }
        return rpc.with_context(slot, value)

    def get_cluster_nodes(raw: Any) -> list[Json]:
        no_params(raw)
        absent = dict.fromkeys(
            ("gossip", "serveRepair", "tpu", "tpuForwards", "tpuForwardsQuic", "tpuQuic", "tpuVote", "tvu")
        )
        node = {
            **absent,
            "clientId": "Agave",
            "featureSet": feature_set(),
            "pubkey": str(bank.identity),
            "pubsub": None,
            "rpc": None,
            "shredVersion": 0,
            "version": API_VERSION,
        }
        return [node]

    def get_inflation_governor(raw: Any) -> Json:
        Params(raw, 0, 1).config(0, "CommitmentConfig")
        return {"foundation": 0.0, "foundationTerm": 0.0, "initial": 0.0, "taper": 0.0, "terminal": 0.0}

    def get_inflation_rate(raw: Any) -> Json:
        no_params(raw)
        return {"epoch": bank.timeline.slot // SLOTS_PER_EPOCH, "foundation": 0.0, "total": 0.0, "validator": 0.0}

    def get_inflation_reward(raw: Any) -> list[None]:
        params = Params(raw, 0, 2)
        count = 0 if params.value(0) is None else len(params.strings(0))
        return [None] * count

    def get_stake_minimum_delegation(raw: Any) -> Json:
        return rpc.with_context(slot_of(raw), _MIN_DELEGATION_LAMPORTS)

    def get_recent_performance_samples(raw: Any) -> list[Json]:
        Params(raw, 0, 1).optional_u64(0)
        return []

    def get_highest_snapshot_slot(raw: Any) -> Json:
        no_params(raw)
        raise no_snapshot()

    def constant(value: Any) -> Method:
        def method(raw: Any) -> Any:
            no_params(raw)
            return value

        return method

    def newest_slot(raw: Any) -> int:
        no_params(raw)
        return bank.timeline.slot

    return {
        "getSlot": slot_of,
        "getBlockHeight": slot_of,
        "getTransactionCount": lambda raw: bank.ledger.count_through(slot_of(raw)),
        "getEpochInfo": get_epoch_info,
        "getEpochSchedule": get_epoch_schedule,
        "getSlotLeader": get_slot_leader,
        "getSlotLeaders": get_slot_leaders,
        "getBlocks": get_blocks,
        "getBlocksWithLimit": get_blocks_with_limit,
        "getBlockTime": get_block_time,
        "getBlockCommitment": get_block_commitment,
        "getBlockProduction": get_block_production,
        "getVoteAccounts": get_vote_accounts,
        "getSupply": get_supply,
        "getClusterNodes": get_cluster_nodes,
        "getInflationGovernor": get_inflation_governor,
        "getInflationRate": get_inflation_rate,
        "getInflationReward": get_inflation_reward,
        "getStakeMinimumDelegation": get_stake_minimum_delegation,
        "getRecentPerformanceSamples": get_recent_performance_samples,
        "getHighestSnapshotSlot": get_highest_snapshot_slot,
        "getGenesisHash": constant(str(bank.timeline.genesis_hash)),
        "getHealth": constant("ok"),
        "getIdentity": constant({"identity": str(bank.identity)}),
        "getVersion": constant({"feature-set": feature_set(), "solana-core": API_VERSION}),
        "getFirstAvailableBlock": constant(0),
        "minimumLedgerSlot": constant(0),
        "getMaxRetransmitSlot": newest_slot,
        "getMaxShredInsertSlot": newest_slot,
    }


def feature_set() -> int:
    """A number for this chain's feature set. A validator hashes its features' ids; LiteSVM names none."""
    return zlib.crc32(b"xstocks embedded chain")


def _confirmed(bank: Bank, config: Config) -> int:
    if config.commitment is Commitment.PROCESSED:
        raise RpcError(-32602, "Method does not support commitment below `confirmed`")
    return bank.timeline.slot_at(config.commitment)
