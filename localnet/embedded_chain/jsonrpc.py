"""JSON-RPC 2.0 envelopes, read as strictly (and as loosely) as a validator reads them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localnet.embedded_chain.errors import RpcError, invalid_request, parse_error

Json = dict[str, Any]
_log = logging.getLogger(__name__)

_ID_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request. A notification has no id and gets no answer."""

    method: str
    params: Any
    id_: Any
    has_id: bool


def parse(body: str) -> list[Call | Json] | Call | Json:
    """A call, an error answer, or for a batch a list of them. Raises RpcError where it is no JSON-RPC at all."""
    try:
        document = json.loads(body)
        if "\\u" in body:
            # Half a surrogate pair is no text: Python takes it, a validator does not.
            dumps(document).encode()
    except (ValueError, RecursionError):
        raise parse_error() from None
    if isinstance(document, list):
        return [_call(item) for item in document]
    return _call(document)


def _call(item: Any) -> Call | Json:
    if not isinstance(item, dict):
        raise parse_error()
    id_ = item.get("id")
    if not _is_id(id_):
        raise parse_error()
    version, method, params = item.get("jsonrpc"), item.get("method"), item.get("params")
    well_formed = isinstance(method, str) and (params is None or isinstance(params, list | dict))
    if not well_formed or version not in ("2.0", None):
        return error_answer(invalid_request(), id_)
    if version is None:
        answer = error_answer(invalid_request("Unsupported JSON-RPC protocol version"), id_)
        del answer["jsonrpc"]
        return answer
    assert isinstance(method, str)
    return Call(method, params, id_, "id" in item)


def _is_id(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return 0 <= value <= _ID_MAX
    return value is None or isinstance(value, str)


def answer_call(call: Call, run: Callable[[str, Any], Any]) -> Json | None:
    """Run the call; its answer, or None for a notification."""
    try:
        answer: Json = {"jsonrpc": "2.0", "result": run(call.method, call.params), "id": call.id_}
    except RpcError as error:
        answer = error_answer(error, call.id_)
    except Exception:  # noqa: BLE001 - the last resort: one request's defect must not end the chain
        _log.exception("%s failed inside the embedded chain", call.method)
        answer = error_answer(RpcError(-32603, "Internal error"), call.id_)
    return answer if call.has_id else None


def error_answer(error: RpcError, id_: Any) -> Json:
    """An answer with an error; `id_` is that of the request, None where it could not be read."""
    return {"jsonrpc": "2.0", "error": error.to_json(), "id": id_}


def dumps(document: Any) -> str:
    """JSON without spaces and without escapes beyond what is needed, as a validator writes it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def handle(body: str, run: Callable[[str, Any], Any]) -> str:
    """The whole answer text to a request text; empty where nothing is to be answered."""
    try:
        request = parse(body)
    except RpcError as error:
        return dumps(error_answer(error, None)) + "\n"
    if isinstance(request, Call):
        answer: Any = answer_call(request, run)
    elif isinstance(request, list):
        answers = [answer_call(item, run) if isinstance(item, Call) else item for item in request]
        answer = [item for item in answers if item is not None] or None
    else:
        answer = request
    return "" if answer is None else dumps(answer) + "\n"
