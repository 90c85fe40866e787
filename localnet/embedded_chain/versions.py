"""Older values of accounts, so that a read at an older slot gives the state as of that slot."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from solders.account import Account
from solders.pubkey import Pubkey


class AccountVersions:
    """What accounts were before each slot that changed them, for the slots that are not yet final.

    LiteSVM holds only the newest state. For each (account, slot) this keeps the value from before the slot's
    first change: the value as of slot S is then that of the oldest kept entry with a slot above S, or the
    newest state where there is none.
    """

    def __init__(self) -> None:
        self._before: dict[Pubkey, deque[tuple[int, Account | None]]] = defaultdict(deque)
        self._changed: dict[int, set[Pubkey]] = {}

    def record(self, slot: int, pubkey: Pubkey, before: Account | None) -> None:
        """Keep `before` unless this slot has changed the account already. Slots never fall."""
        changed = self._changed.setdefault(slot, set())
        if pubkey not in changed:
            changed.add(pubkey)
            self._before[pubkey].append((slot, before))

    def changed_in(self, slot: int) -> frozenset[Pubkey]:
        """The accounts that `slot` has changed; empty once it has been forgotten."""
        return frozenset(self._changed.get(slot, ()))

    def is_newer_than(self, slot: int, pubkey: Pubkey) -> bool:
        """Whether the account has changed in a slot above `slot`."""
        entries = self._before.get(pubkey)
        return entries is not None and entries[-1][0] > slot

    def before(self, slot: int, pubkey: Pubkey) -> Account | None:
        """The value as of `slot`, of an account for which is_newer_than(slot) holds."""
        return next(value for changed_slot, value in self._before[pubkey] if changed_slot > slot)

    def newer_than(self, slot: int) -> Iterator[Pubkey]:
        """The accounts changed in slots above `slot`."""
        for pubkey in self._before:
            if self.is_newer_than(slot, pubkey):
                yield pubkey

    def forget_through(self, slot: int) -> None:
        """Drop what only reads below `slot` could need."""
        for old in [kept for kept in self._changed if kept <= slot]:
            for pubkey in self._changed.pop(old):
                entries = self._before[pubkey]
                entries.popleft()
                if not entries:
                    del self._before[pubkey]
