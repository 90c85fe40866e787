"""Websocket subscriptions: who is told what, when, and in which shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from localnet.embedded_chain import addresses
from localnet.embedded_chain.bank import Bank
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.encode_account import encode_account
from localnet.embedded_chain.errors import RpcError, invalid_params, method_not_found
from localnet.embedded_chain.ledger import TransactionRecord
from localnet.embedded_chain.params import Params, as_list, as_pubkey, as_signature, as_string, serde_name
from localnet.embedded_chain.rpc_accounts import AccountFilter, parse_filters
from localnet.embedded_chain.rpc_context import AccountFormat, Json, RpcContext


class Connection(Protocol):
    """A client's websocket. `send` never blocks: a client that does not read is disconnected."""

    def send(self, message: Json) -> None:
        """Queue a message for the client."""


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """What one client asked to be told. `number` is its id; `kind` is the start of the notification's name.

    Which of the other fields count is a matter of the kind: `pubkey` of account and program, `filters` of program,
    `mentions` and `with_votes` of logs, `signature` and `wants_received` of signature.
    """

    number: int
    connection: Connection
    kind: str
    commitment: Commitment
    format_: AccountFormat
    pubkey: Pubkey | None = None
    filters: AccountFilter | None = None
    #: logsSubscribe: None is all transactions.
    mentions: Pubkey | None = None
    with_votes: bool = False
    signature: Signature | None = None
    wants_received: bool = False

    def notify(self, result: Any) -> None:
        """Tell the client `result`, as it stands."""
        self.connection.send(
            {
                "jsonrpc": "2.0",
                "method": f"{self.kind}Notification",
                "params": {"result": result, "subscription": self.number},
            }
        )

    def notify_at(self, slot: int, value: Any) -> None:
        """Tell the client `value`, with the slot that it is of."""
        self.notify({"context": {"slot": slot}, "value": value})


_KINDS = ("account", "program", "logs", "signature", "slot", "root")
_NO_FORMAT = AccountFormat("binary", None)


class Subscriptions:
    """All subscriptions of all connections. Observes the bank."""

    def __init__(self, rpc: RpcContext) -> None:
        self._rpc = rpc
        self._bank: Bank = rpc.bank
        self._next_number = 0
        self._by_number: dict[int, Subscription] = {}
        self._by_kind: dict[str, dict[int, Subscription]] = {kind: {} for kind in _KINDS}
        self._by_account: dict[Pubkey, dict[int, Subscription]] = defaultdict(dict)
        self._by_signature: dict[Signature, dict[int, Subscription]] = defaultdict(dict)
        self._subscribers: dict[str, Callable[[Connection, Any], Subscription]] = {
            "accountSubscribe": self._account,
            "programSubscribe": self._program,
            "logsSubscribe": self._logs,
            "signatureSubscribe": self._signature,
            "slotSubscribe": self._plain("slot"),
            "rootSubscribe": self._plain("root"),
        }

    # Requests

    def call(self, connection: Connection, method: str, raw: Any) -> tuple[Any, Callable[[], None] | None]:
        """The result of a request, and what is to be done once it is sent. Raises RpcError."""
        subscribe = self._subscribers.get(method)
        if subscribe is not None:
            subscription = subscribe(connection, raw)
            self._add(subscription)
            return subscription.number, lambda: self._already_known(subscription)
        if method.endswith("Unsubscribe") and method.removesuffix("Unsubscribe") in _KINDS:
            return self._unsubscribe(connection, raw), None
        raise method_not_found()

    def drop_connection(self, connection: Connection) -> None:
        """Forget all that a client asked for: it has gone."""
        for subscription in [s for s in self._by_number.values() if s.connection is connection]:
            self._remove(subscription)

    def _unsubscribe(self, connection: Connection, raw: Any) -> bool:
        """By number alone: a validator does not look at the kind either."""
        subscription = self._by_number.get(Params(raw, 1).u64(0))
        if subscription is None or subscription.connection is not connection:
            raise RpcError(-32602, "Invalid subscription id.")
        self._remove(subscription)
        return True

    def _add(self, subscription: Subscription) -> None:
        number = subscription.number
        self._by_number[number] = subscription
        self._by_kind[subscription.kind][number] = subscription
        if subscription.kind == "account" and subscription.pubkey is not None:
            self._by_account[subscription.pubkey][number] = subscription
        if subscription.signature is not None:
            self._by_signature[subscription.signature][number] = subscription

    def _remove(self, subscription: Subscription) -> None:
        number = subscription.number
        self._by_number.pop(number, None)
        self._by_kind[subscription.kind].pop(number, None)
        if subscription.kind == "account" and subscription.pubkey is not None:
            _discard(self._by_account, subscription.pubkey, number)
        if subscription.signature is not None:
            _discard(self._by_signature, subscription.signature, number)

    def _number(self) -> int:
        number = self._next_number
        self._next_number += 1
        return number

    def _plain(self, kind: str) -> Callable[[Connection, Any], Subscription]:
        def subscribe(connection: Connection, raw: Any) -> Subscription:
            Params(raw, 0)
            return Subscription(self._number(), connection, kind, Commitment.PROCESSED, _NO_FORMAT)

        return subscribe

    def _account(self, connection: Connection, raw: Any) -> Subscription:
        params = Params(raw, 1, 1)
        pubkey = _ws_pubkey(params.string(0))
        config = params.config(1, "RpcAccountInfoConfig")
        format_ = AccountFormat.of(config, "binary")
        return Subscription(self._number(), connection, "account", config.commitment, format_, pubkey=pubkey)

    def _program(self, connection: Connection, raw: Any) -> Subscription:
        params = Params(raw, 1, 1)
        pubkey = _ws_pubkey(params.string(0))
        config = params.config(1, "RpcProgramAccountsConfig")
        return Subscription(
            self._number(),
            connection,
            "program",
            config.commitment,
            AccountFormat.of(config, "binary"),
            pubkey=pubkey,
            filters=parse_filters(config),
        )

    def _logs(self, connection: Connection, raw: Any) -> Subscription:
        params = Params(raw, 1, 1)
        wanted, mentions = params.value(0), None
        config = params.config(1, "RpcTransactionLogsConfig")
        if isinstance(wanted, dict) and set(wanted) == {"mentions"}:
            keys = as_list(wanted["mentions"])
            if len(keys) != 1:
                raise invalid_params("Invalid Request: Only 1 address supported")
            mentions = _ws_pubkey(as_string(keys[0]), "mentions")
        elif wanted not in ("all", "allWithVotes"):
            name = wanted if isinstance(wanted, str) else next(iter(wanted), "") if isinstance(wanted, dict) else None
            if name is None:
                raise invalid_params(f"Invalid params: invalid type: {serde_name(wanted)}, expected string or map.")
            raise invalid_params(
                f"Invalid params: unknown variant `{name}`, expected one of `all`, `allWithVotes`, `mentions`."
            )
        return Subscription(
            self._number(),
            connection,
            "logs",
            config.commitment,
            _NO_FORMAT,
            mentions=mentions,
            with_votes=wanted == "allWithVotes",
        )

    def _signature(self, connection: Connection, raw: Any) -> Subscription:
        params = Params(raw, 1, 1)
        try:
            signature = as_signature(params.string(0))
        except RpcError as error:
            if error.message.startswith("Invalid params"):
                raise
            raise invalid_params("Invalid Request: Invalid signature provided") from None
        config = params.config(1, "RpcSignatureSubscribeConfig")
        return Subscription(
            self._number(),
            connection,
            "signature",
            config.commitment,
            _NO_FORMAT,
            signature=signature,
            wants_received=config.boolean("enableReceivedNotification"),
        )

    # Notifications

    def _already_known(self, subscription: Subscription) -> None:
        """A signature may have reached its commitment before the subscription."""
        if subscription.signature is None:
            return
        record = self._bank.ledger.find(subscription.signature)
        if record is not None:
            self._signature_status(subscription, record)

    def transaction_processed(self, record: TransactionRecord) -> None:
        """Tell those who wait for the signature, and the logs at `processed`."""
        for subscription in list(self._by_signature.get(record.resolved.signature, {}).values()):
            self._signature_status(subscription, record)
        self._notify_logs([record], Commitment.PROCESSED)

    def accounts_changed(self, slot: int, changed: Sequence[Pubkey]) -> None:
        """Tell those who watch these accounts, or programs that own them, at `processed`."""
        self._notify_accounts(slot, changed, Commitment.PROCESSED)

    def slot_advanced(self, confirmed: range, finalized: range) -> None:
        """Tell those who watch slots and roots, then all that reached a commitment by this slot, in order."""
        slot = self._bank.timeline.slot
        root = self._bank.timeline.slot_at(Commitment.FINALIZED)
        for subscription in self._by_kind["slot"].values():
            subscription.notify({"parent": slot - 1, "root": root, "slot": slot})
        for reached, commitment in (
            (confirmed, Commitment.CONFIRMED),
            (finalized, Commitment.FINALIZED),
        ):
            for reached_slot in reached:
                self._notify_reached(reached_slot, commitment)
        for root_slot in finalized:
            for subscription in self._by_kind["root"].values():
                subscription.notify(root_slot)

    def _notify_reached(self, slot: int, commitment: Commitment) -> None:
        records = self._bank.ledger.in_slot(slot)
        for record in records:
            for subscription in list(self._by_signature.get(record.resolved.signature, {}).values()):
                self._signature_status(subscription, record)
        self._notify_logs(records, commitment)
        self._notify_accounts(slot, self._bank.changed_in(slot), commitment)

    def _signature_status(self, subscription: Subscription, record: TransactionRecord) -> None:
        slot = self._bank.timeline.slot_at(subscription.commitment)
        if record.slot <= slot:
            subscription.notify_at(record.slot, {"err": record.err})
            self._remove(subscription)
        elif subscription.wants_received and record.slot == self._bank.timeline.slot:
            subscription.notify_at(record.slot, "receivedSignature")

    def _notify_logs(self, records: Iterable[TransactionRecord], commitment: Commitment) -> None:
        subscriptions = [s for s in self._by_kind["logs"].values() if s.commitment is commitment]
        if not subscriptions:
            return
        for record in records:
            value = {
                "err": record.err,
                "logs": record.meta.logs(),
                "signature": str(record.resolved.signature),
            }
            for subscription in subscriptions:
                if subscription.mentions is None or subscription.mentions in record.resolved.keys:
                    subscription.notify_at(record.slot, value)

    def _notify_accounts(self, slot: int, changed: Iterable[Pubkey], commitment: Commitment) -> None:
        programs = [s for s in self._by_kind["program"].values() if s.commitment is commitment]
        if not programs and not self._by_account:
            return
        display = self._rpc.mint_display(slot)
        for pubkey in changed:
            accounts = [s for s in self._by_account.get(pubkey, {}).values() if s.commitment is commitment]
            if not accounts and not programs:
                continue
            account = self._bank.account(pubkey, slot) or Account(0, b"", addresses.SYSTEM)
            for subscription in accounts:
                subscription.notify_at(slot, self._shown(subscription, pubkey, account, display))
            for subscription in programs:
                if account.owner != subscription.pubkey:
                    continue
                if subscription.filters is not None and not subscription.filters.matches(account):
                    continue
                shown = self._shown(subscription, pubkey, account, display)
                subscription.notify_at(slot, {"account": shown, "pubkey": str(pubkey)})

    def _shown(self, subscription: Subscription, pubkey: Pubkey, account: Account, display: Any) -> Json | None:
        # A slice is for requests only: notifications bring all the data, from a validator too.
        try:
            return encode_account(pubkey, account, subscription.format_.encoding, None, display)
        except RpcError:
            # Too long for base58: a validator shows a text in place of the data.
            shown = encode_account(pubkey, account, "base64", None, display)
            return {**shown, "data": "error: data too large for bs58 encoding"}


def _ws_pubkey(text: str, what: str = "pubkey") -> Pubkey:
    try:
        return as_pubkey(text)
    except RpcError:
        raise invalid_params(f"Invalid Request: Invalid {what} provided") from None


def _discard(index: dict[Any, dict[int, Subscription]], key: Any, number: int) -> None:
    found = index.get(key)
    if found is not None:
        found.pop(number, None)
        if not found:
            del index[key]
