"""What a transaction's log and error say: the program's events, and its refusals by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, cast

from anchorpy.error import LangErrorMessage
from construct import ConstructError

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ProgramError, TransactionFailed
from xstocks_daemon.chain.program.codec import ProgramCodec
from xstocks_daemon.chain.program.idl import plain_value
from xstocks_daemon.chain.program.logs import Invocation, invocations
from xstocks_daemon.chain.program.records import ProgramEvent

#: What mint and burn log of the entry that they refuse; errors of the whole instruction have no such line.
_ENTRY_LINE = re.compile(r"Entry: (\d{2})")


class EventReader(ProgramCodec):
    """Reads the program's events and errors from what a transaction logged."""

    def events(self, logs: Iterable[str]) -> list[ProgramEvent]:
        """The program's events in a transaction's log. Data of other programs or of unknown events is passed over."""
        own = base58(self.program_id)
        found: list[ProgramEvent] = []
        for run in invocations(logs):
            if run.program == own:
                found += filter(None, map(self._event, run.data))
        return found

    def _event(self, data: bytes) -> ProgramEvent | None:
        if data[:8] not in self._coder.events.discriminators:
            return None
        try:
            event = self._coder.events.parse(data)
        except ConstructError:
            return None
        kind = {"defined": {"name": event.name}}
        return ProgramEvent(event.name, plain_value(self.interface, kind, event.data))

    def failure(self, err: Any, logs: Sequence[str] = ()) -> TransactionFailed:
        """The named error for a TransactionError as RPC gives it (JSON), with what the log adds."""
        match err:
            case {"InstructionError": [int(index), {"Custom": int(code)}]}:
                runs = invocations(logs)
                failed = [run for run in runs if run.failure is not None]
                # The innermost failing program closes first; its callers pass its error on.
                raiser = max(failed, key=lambda run: run.depth).program if failed else None
                name, message = self._error(code, raiser)
                return ProgramError(err, index, code, name, message, raiser, self._failed_entry(runs))
            case {"InstructionError": [int(index), reason]}:
                return TransactionFailed(err, index, f"instruction {index}: {_reason(reason)}")
            case _:
                return TransactionFailed(err, None, f"the transaction was refused: {_reason(err)}")

    def _error(self, code: int, program: str | None) -> tuple[str, str]:
        if program in (None, base58(self.program_id)):
            if code in self.interface.error_of:
                return self.interface.error_of[code]
            for anchor_code, message in LangErrorMessage.items():
                if anchor_code == code:
                    return cast(IntEnum, anchor_code).name, message
        return "Custom", f"error {code} of program {program or '(the log does not tell which)'}"

    def _failed_entry(self, runs: Sequence[Invocation]) -> int | None:
        """The entry of a batch that this program itself says it refused."""
        own = [run for run in runs if run.failure is not None and run.program == base58(self.program_id)]
        named = [match for run in own for line in run.text if (match := _ENTRY_LINE.fullmatch(line))]
        return int(named[-1][1]) if named else None


def _reason(err: Any) -> str:
    return err if isinstance(err, str) else str(err)
