"""Everything that can go wrong between the daemon and a chain, each by its own name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xstocks_daemon.domain.units import Address


class ChainError(Exception):
    """Base of all errors of this room. Messages are one line and hold no secret."""


class AddressError(ChainError, ValueError):
    """A text that is no base58 address; names the field, the value and what would be right."""


class IdlError(ChainError):
    """The IDL cannot be read, or says something that its own discriminators or the coder contradict."""


class RpcError(ChainError):
    """Base of the errors of one endpoint; `url` is safe to log."""

    def __init__(self, url: str, method: str, reason: str) -> None:
        self.url = url
        self.method = method
        self.reason = reason
        super().__init__(f"{method} at {url}: {reason}")


class RpcUnreachable(RpcError):
    """No usable answer: no connection, a timeout, an HTTP error, a body too large or not JSON-RPC."""


class RpcRefused(RpcError):
    """The endpoint answered with a JSON-RPC error: `code`, `message` and `data` are its own."""

    def __init__(self, url: str, method: str, code: int, message: str, data: Any) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(url, method, f"{message} (code {code})")


class RpcBehind(RpcError):
    """The endpoint has not reached the slot that was asked for, or says that it lags behind the cluster."""


class WrongCluster(ChainError):
    """An endpoint serves another chain than the one configured."""


class SingleEndpoint(ChainError):
    """Fewer than two endpoints are configured and `single_endpoint` was not said (M10)."""


class ChainDisagreement(ChainError):
    """Two endpoints gave different bytes for the same accounts, three times (M10)."""

    def __init__(self, addresses: Sequence[str], urls: Sequence[str], slot: int) -> None:
        self.addresses = tuple(addresses)
        shown = ", ".join(addresses[:5]) + (f" and {len(addresses) - 5} more" if len(addresses) > 5 else "")
        super().__init__(
            f"{' and '.join(urls)} disagree on {shown}, last read at slot {slot}: "
            "find out which one is wrong and replace it"
        )


class AccountMissing(ChainError):
    """An account that every deployment has does not exist; names it and what creates it."""


class AssetNotRegistered(ChainError):
    """Mints without an Asset account of the program. `mints` are all of them."""

    def __init__(self, mints: Sequence[Address], shown: Sequence[str]) -> None:
        self.mints = tuple(mints)
        listed = ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
        super().__init__(f"not registered with the program: {listed}; register them or take them out of the settings")


class MalformedAccount(ChainError):
    """Account bytes that are not what their owner program writes; names the account, the place and the fault."""


class TransactionTooLarge(ChainError):
    """A transaction above the 1,232 bytes of a packet."""


class DurableNonceRefused(ChainError):
    """A transaction that advances a nonce never expires, so it could never be proved dead (design, section 6.3)."""


class SignerMissing(ChainError):
    """A transaction needs a signature for which no signer was given."""


class TransactionFailed(ChainError):
    """A transaction that failed, other than by an error number of a program.

    `err` is the JSON of the runtime's TransactionError, `instruction_index` where it names one.
    """

    def __init__(self, err: Any, instruction_index: int | None, text: str) -> None:
        self.err = err
        self.instruction_index = instruction_index
        super().__init__(text)


class ProgramError(TransactionFailed):
    """A program refused by number: `code`, with `name` and `message` of the IDL or of the Anchor framework.

    `program` is the base58 address of the program that raised it, None where the log does not tell.
    `entry_index` is the entry of a batch that failed, where the log tells it.
    """

    def __init__(
        self,
        err: Any,
        instruction_index: int | None,
        code: int,
        name: str,
        message: str,
        program: str | None,
        entry_index: int | None = None,
    ) -> None:
        self.code = code
        self.name = name
        self.message = message
        self.program = program
        self.entry_index = entry_index
        where = f"instruction {instruction_index}" + ("" if entry_index is None else f", entry {entry_index}")
        super().__init__(err, instruction_index, f"{where}: {name} ({code}): {message}")


class ArgumentError(ChainError, ValueError):
    """A value that an instruction's argument cannot hold, or an account that it needs and was not given."""
