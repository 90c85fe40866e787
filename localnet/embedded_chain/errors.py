"""JSON-RPC errors, with the codes, messages and data of Agave 4.2 (compared by tests/embedded_chain)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class RpcError(Exception):
    """An error answer: `code`, `message` and, where not None, `data` of the JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)

    def to_json(self) -> Json:
        """The `error` member of the answer."""
        body: Json = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def parse_error() -> RpcError:
    """The body is no JSON, or no JSON-RPC envelope. Agave gives it for a wrong `id` too."""
    return RpcError(-32700, "Parse error")


def invalid_request(message: str = "Invalid request") -> RpcError:
    """An envelope without a method, or of another protocol version."""
    return RpcError(-32600, message)


def method_not_found() -> RpcError:
    """No method of that name; a subscription over HTTP is none either."""
    return RpcError(-32601, "Method not found")


def invalid_params(message: str) -> RpcError:
    """Parameters of a wrong number, type or range; `message` is the whole sentence."""
    return RpcError(-32602, message)


def invalid_param(what: str) -> RpcError:
    """One parameter is no key, signature or account; `what` is the name of the Rust error."""
    return RpcError(-32602, f"Invalid param: {what}")


def preflight_failure(message: str, data: Json) -> RpcError:
    """The simulation before sending failed; `data` is its result (RpcSimulateTransactionResult)."""
    return RpcError(-32002, f"Transaction simulation failed: {message}", data)


def block_not_available(slot: int) -> RpcError:
    """A slot that has no block yet, at the commitment asked for."""
    return RpcError(-32004, f"Block not available for slot {slot}")


def no_snapshot() -> RpcError:
    """There are no snapshots here, as with a validator that keeps none."""
    return RpcError(-32008, "No snapshot")


def unsupported_transaction_version(version: int) -> RpcError:
    """The client has not said that it takes transactions of this version."""
    return RpcError(
        -32015,
        f"Transaction version ({version}) is not supported by the requesting client. "
        'Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": '
        f"{version}",
    )


def min_context_slot_not_reached(slot: int) -> RpcError:
    """`slot` is where this node stands; the client asked for a later one."""
    return RpcError(-32016, "Minimum context slot has not been reached", {"contextSlot": slot})
