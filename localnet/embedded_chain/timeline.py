"""Slots with their time, blockhash and commitment, and the sysvars that follow from them.

Commitment is a lag: a slot is confirmed, and final, once a number of further slots has begun. Every slot has a block,
so block height and slot are one number.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from solders.clock import Clock
from solders.hash import Hash

from localnet.embedded_chain.commitment import Commitment

#: A blockhash may be used for this many slots after its own (Agave, MAX_PROCESSING_AGE).
MAX_PROCESSING_AGE_SLOTS: Final = 150
#: getSignatureStatuses without a history search looks this far back (Agave, MAX_RECENT_BLOCKHASHES).
STATUS_CACHE_SLOTS: Final = 300
#: Mainnet's, from slot 0 on: there are no shorter first epochs.
SLOTS_PER_EPOCH: Final = 432_000
#: Entries of the SlotHashes sysvar (solana-slot-hashes, MAX_ENTRIES).
SLOT_HASHES_ENTRIES: Final = 512
#: Every execution asks for all of SlotHashes, a few of them as of an older slot.
_KEPT_HASHES: Final = 2 * SLOT_HASHES_ENTRIES


class Timeline:
    """The slots from genesis to the newest one. `now` gives Unix seconds.

    Lags are in slots. Only `begin_slot` moves it; what follows from a new slot is the bank's affair.
    """

    def __init__(self, confirmed_lag_slots: int, finalized_lag_slots: int, now: Callable[[], float]) -> None:
        self._lag_slots = {
            Commitment.PROCESSED: 0,
            Commitment.CONFIRMED: confirmed_lag_slots,
            Commitment.FINALIZED: finalized_lag_slots,
        }
        self._now = now
        self._offset_secs = 0
        # Random, so that nothing signed for an earlier run is valid in this one.
        self.genesis_hash = Hash(os.urandom(32))
        self.slot = 0
        self._unix_ts = array("q", [int(now())])
        self._slot_of_hash: dict[Hash, int] = {self.genesis_hash: 0}
        self._recent: dict[int, Hash] = {}

    def begin_slot(self) -> None:
        """The next slot begins: its time is the clock's, never before that of the slot before it."""
        self.slot += 1
        unix_ts = int(self._now()) + self._offset_secs
        self._unix_ts.append(max(unix_ts, self._unix_ts[-1]))
        blockhash = self._recent[self.slot] = self.blockhash(self.slot)
        self._recent.pop(self.slot - _KEPT_HASHES, None)
        self._slot_of_hash[blockhash] = self.slot
        expired = self.slot - STATUS_CACHE_SLOTS - 1
        if expired >= 0:
            del self._slot_of_hash[self.blockhash(expired)]

    def put_forward(self, secs: int) -> None:
        """From the next slot on the clock is `secs` ahead of what it would be."""
        self._offset_secs += secs

    def slot_at(self, commitment: Commitment) -> int:
        """The newest slot that has reached `commitment`."""
        return max(0, self.slot - self._lag_slots[commitment])

    def commitment_of(self, slot: int) -> Commitment:
        """The highest commitment that `slot` has reached."""
        for commitment in (Commitment.FINALIZED, Commitment.CONFIRMED):
            if slot <= self.slot_at(commitment):
                return commitment
        return Commitment.PROCESSED

    def unix_ts(self, slot: int) -> int:
        """When `slot` began, in Unix seconds of the chain's clock. Raises IndexError for a slot still to come."""
        return self._unix_ts[slot]

    def blockhash(self, slot: int) -> Hash:
        """The hash of the slot's block; that of slot 0 is the genesis hash."""
        if slot == 0:
            return self.genesis_hash
        recent = self._recent.get(slot)
        if recent is not None:
            return recent
        return Hash(sha256(bytes(self.genesis_hash) + struct.pack("<Q", slot)).digest())

    def is_blockhash_valid(self, blockhash: Hash, slot: int) -> bool:
        """Whether a transaction with it could be executed as of `slot`."""
        own_slot = self._slot_of_hash.get(blockhash)
        return own_slot is not None and own_slot <= slot <= own_slot + MAX_PROCESSING_AGE_SLOTS

    def clock(self, slot: int) -> Clock:
        """The Clock sysvar as of `slot`."""
        epoch = slot // SLOTS_PER_EPOCH
        return Clock(slot, self._unix_ts[epoch * SLOTS_PER_EPOCH], epoch, epoch + 1, self._unix_ts[slot])

    def slot_hashes(self, slot: int) -> list[tuple[int, Hash]]:
        """The entries of the SlotHashes sysvar as of `slot`: the slots before it, newest first."""
        return [(s, self.blockhash(s)) for s in range(slot - 1, max(-1, slot - 1 - SLOT_HASHES_ENTRIES), -1)]

    def slot_hashes_data(self, slot: int) -> bytes:
        """The same as the account has it: count u64, then slot u64 and 32 bytes each, padded to its full size."""
        entries = self.slot_hashes(slot)
        data = struct.pack("<Q", len(entries))
        data += b"".join(struct.pack("<Q", entry_slot) + bytes(entry) for entry_slot, entry in entries)
        return data.ljust(8 + 40 * SLOT_HASHES_ENTRIES, b"\0")
