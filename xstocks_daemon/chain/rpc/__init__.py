"""JSON-RPC over HTTP: one node, several of them, and what they answer."""

from xstocks_daemon.chain.rpc.answers import (
    MAX_ACCOUNTS_PER_CALL,
    MAX_SIGNATURES_PER_CALL,
    AccountInfo,
    AtSlot,
    Commitment,
    EpochInfo,
    LandedTransaction,
    LatestBlockhash,
    RpcLimits,
    SignatureStatus,
    Simulation,
)
from xstocks_daemon.chain.rpc.endpoint import RpcEndpoint
from xstocks_daemon.chain.rpc.pool import RpcPool, common_genesis_hash

__all__ = [
    "MAX_ACCOUNTS_PER_CALL",
    "MAX_SIGNATURES_PER_CALL",
    "AccountInfo",
    "AtSlot",
    "Commitment",
    "EpochInfo",
    "LandedTransaction",
    "LatestBlockhash",
    "RpcEndpoint",
    "RpcLimits",
    "RpcPool",
    "SignatureStatus",
    "Simulation",
    "common_genesis_hash",
]
