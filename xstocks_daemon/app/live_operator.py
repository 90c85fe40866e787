"""What only a live daemon has: the operator's key, and all that it signs."""

from __future__ import annotations

from xstocks_daemon.app.attempts import Attempts
from xstocks_daemon.app.lookup_tables import LookupTableManager
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.app.relay import Relay
from xstocks_daemon.app.runtime import Runtime
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.resolver import Resolver
from xstocks_daemon.domain.snapshot import ChainSnapshot


class OperatorRoleMissing(Exception):
    """The key is not the program's operator: nothing can be sent. A state, like an outage: it may be given back."""


class LiveOperator:
    """Sends intents, statements and lookup tables. ValueError where the runtime has no operator's key."""

    def __init__(self, runtime: Runtime, metrics: Metrics) -> None:
        settings = runtime.settings
        if runtime.signer is None or settings.operator is None:
            raise ValueError("a live cycle needs the operator's key")
        self.transactions = OperatorTransactions(
            runtime.pool,
            runtime.client,
            runtime.journal,
            runtime.signer,
            settings.timing,
            settings.operator.price_micro_lamports,
        )
        resolver = Resolver(
            runtime.pool,
            runtime.client,
            settings.cluster.genesis_hash,
            single_endpoint=settings.cluster.single_endpoint,
            margin_blocks=settings.timing.non_execution_margin_blocks,
        )
        self.attempts = Attempts(
            self.transactions, resolver, settings.cluster.genesis_hash, metrics, settings.timing.quarantine_secs
        )
        self.relay = Relay(self.transactions, runtime.custodians, metrics)
        self.tables = LookupTableManager(self.transactions)

    def check_role(self, snapshot: ChainSnapshot) -> None:
        """OperatorRoleMissing where the key is not the operator's."""
        if snapshot.config.operator != self.transactions.operator:
            raise OperatorRoleMissing(
                f"operator.key_file holds {base58(self.transactions.operator)}, the program's operator is "
                f"{base58(snapshot.config.operator)}: use that key, or have the admin set the role"
            )
