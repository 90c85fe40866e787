"""The attester's HTTP API on the wire: strict parsing of what came in, encoding of what goes out.

Amounts are decimal strings (u64), addresses base58, signatures hex. Unknown keys, repeated keys, floats, too many
entries and anything that is not its type are refused by WireError, which names the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from xstocks_daemon.chain import addresses
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.domain.statement import (
    MAX_ENTRIES,
    AttesterSignature,
    SignedStatement,
    Statement,
    StatementEntry,
    StatementError,
)
from xstocks_daemon.domain.units import U64_MAX, Address, UnitError, multiplier_fraction
from xstocks_daemon.errors import Fault, UserError
from xstocks_daemon.redaction import shown

MAX_BODY_BYTES = 256 * 1024
MAX_SIGNATURES = 8  # a Custodian account holds at most 8 keys
MAX_DETAILS_CHARS = 2_000
_MAX_JSON_ERRORS_SHOWN_CHARS = 120
_U64_TEXT = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_SIGNATURE_HEX = re.compile(r"[0-9a-f]{128}", re.ASCII)
_ADDRESS_CHARS = range(32, 45)


class WireError(UserError, ValueError):
    """A body that is not what the API defines. `field` is a path such as `statement.entries.0.shares_nano`."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(Fault(field, shown(value), remedy))


def parse_address(value: object) -> Address:
    """32 bytes of a base58 string; ValueError otherwise."""
    if not isinstance(value, str) or len(value) not in _ADDRESS_CHARS:
        raise ValueError("it must be a base58 address (a string of 32 to 44 characters)")
    try:
        return addresses.parse_address(value)
    except AddressError as error:
        raise ValueError("it must be a base58 address of 32 bytes") from error


def parse_u64(value: object) -> int:
    """An u64 of a decimal string; ValueError otherwise (numbers are refused: JSON readers round them)."""
    if not isinstance(value, str) or not _U64_TEXT.fullmatch(value) or int(value) > U64_MAX:
        raise ValueError(f'it must be a decimal string from "0" to "{U64_MAX}", without sign or leading zeros')
    return int(value)


def _parse_multiplier_bits(value: object) -> int:
    bits = parse_u64(value)
    try:
        multiplier_fraction(bits)
    except UnitError as error:
        raise ValueError("it must be the bits of a positive, finite, normal f64, as a decimal string") from error
    return bits


def _parse_signature(value: object) -> bytes:
    if not isinstance(value, str) or not _SIGNATURE_HEX.fullmatch(value):
        raise ValueError("it must be 128 lower-case hex digits")
    return bytes.fromhex(value)


AddressField = Annotated[Address, PlainValidator(parse_address)]
U64Field = Annotated[int, PlainValidator(parse_u64)]
MultiplierField = Annotated[int, PlainValidator(_parse_multiplier_bits)]
SignatureField = Annotated[bytes, PlainValidator(_parse_signature)]
U32Number = Annotated[int, Field(ge=0, lt=2**32)]
MillisNumber = Annotated[int, Field(ge=0, lt=2**63)]
ReasonField = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
DetailField = Annotated[str, Field(max_length=MAX_DETAILS_CHARS)]


class WireModel(BaseModel):
    """Base of everything that is parsed: strict types, unknown keys refused, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AtMost(WireModel):
    """The most that the asker wants stated of one mint."""

    shares_nano: U64Field


class StatementsRequest(WireModel):
    """`POST /v1/statements`. `custodian` may be left out where the sidecar serves one custodian only."""

    mints: Annotated[list[AddressField], Field(min_length=1, max_length=MAX_ENTRIES)]
    custodian: AddressField | None = None
    at_most: Annotated[dict[AddressField, AtMost], Field(max_length=MAX_ENTRIES)] = {}


class EntryWire(WireModel):
    """One entry of a statement."""

    mint: AddressField
    multiplier_bits: MultiplierField
    shares_nano: U64Field
    capacity_raw: U64Field
    redeemed_seen_raw: U64Field


class StatementWire(WireModel):
    """A statement (design, section 4.4)."""

    genesis_hash: AddressField
    program_id: AddressField
    custodian: AddressField
    epoch: U32Number
    observed_ms: MillisNumber
    expires_ts: MillisNumber
    entries: Annotated[list[EntryWire], Field(min_length=1, max_length=MAX_ENTRIES)]


class CosignRequest(WireModel):
    """`POST /v1/cosign`."""

    statement: StatementWire


class SignatureWire(WireModel):
    """One attester's signature; also the answer of `POST /v1/cosign`."""

    key: AddressField
    party: Annotated[int, Field(ge=0, le=255)]
    signature: SignatureField


class OmittedWire(WireModel):
    """A mint that was asked for and left out, with the reason's code and a sentence for people."""

    mint: AddressField
    reason: ReasonField
    detail: DetailField = ""


class RipcordWire(WireModel):
    """Assets whose numbers the attester itself says not to trust."""

    mints: Annotated[list[AddressField], Field(min_length=1, max_length=MAX_ENTRIES)]
    details: DetailField


class StatementsAnswer(WireModel):
    """The answer of `POST /v1/statements`; `statement` is null where every mint was left out."""

    statement: StatementWire | None
    signatures: Annotated[list[SignatureWire], Field(max_length=MAX_SIGNATURES)]
    omitted: Annotated[list[OmittedWire], Field(max_length=MAX_ENTRIES)] = []
    ripcord: RipcordWire | None = None


class LimitWire(WireModel):
    """The most that a co-signer would sign of one mint."""

    shares_nano: U64Field
    capacity_raw: U64Field
    redeemed_seen_raw: U64Field


class ProblemRead(BaseModel):
    """What is read of a problem document. Other members are left alone (RFC 9457); `limits` and `refused` are a
    co-signer's."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    type: Annotated[str, Field(max_length=128)] = "about:blank"
    title: Annotated[str, Field(max_length=256)] = ""
    detail: DetailField = ""
    limits: Annotated[dict[AddressField, LimitWire], Field(max_length=MAX_ENTRIES)] = {}
    refused: Annotated[list[OmittedWire], Field(max_length=MAX_ENTRIES)] = []

    @property
    def code(self) -> str:
        """The last part of `type`."""
        return self.type.removeprefix(PROBLEM_PREFIX)


ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_json(body: bytes, max_bytes: int = MAX_BODY_BYTES) -> object:
    """The value of a JSON text. WireError for what is not JSON, repeats a key, or nests or counts without end."""
    if len(body) > max_bytes:
        raise WireError("body", f"{len(body)} bytes", f"send at most {max_bytes} bytes")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object_of, parse_constant=_refuse_constant)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        reason = shown(str(error))[:_MAX_JSON_ERRORS_SHOWN_CHARS]
        raise WireError("body", f"not JSON ({reason})", "send one JSON object in UTF-8") from error


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise WireError(shown(repeated), "given more than once", "give each key once")
    return members


def _refuse_constant(text: str) -> object:
    raise WireError("body", text, "it is not a JSON number")


def parse_model(model: type[ModelT], value: object) -> ModelT:
    """`value` as `model`; WireError names the first field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise wire_error(error) from None


def wire_error(error: ValidationError) -> WireError:
    """The first failure of a pydantic validation as a WireError."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"] if part != "[key]") or "body"
    match first["type"]:
        case "extra_forbidden":
            return WireError(field, "an unknown key", "remove it, or check its spelling")
        case "missing":
            return WireError(field, "missing", "give it")
        case "too_long" | "too_short":
            return WireError(field, "of a wrong length", first["msg"][:1].lower() + first["msg"][1:])
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return WireError(field, first["input"], message[:1].lower() + message[1:])


def parse_body(model: type[ModelT], body: bytes) -> ModelT:
    """A body as `model`; WireError otherwise."""
    return parse_model(model, parse_json(body))


def statement_of(wire: StatementWire) -> Statement:
    """The domain's statement. WireError where its form is broken (mints not strictly ascending)."""
    try:
        return Statement(
            genesis_hash=wire.genesis_hash,
            program_id=wire.program_id,
            custodian=wire.custodian,
            epoch=wire.epoch,
            observed_ms=wire.observed_ms,
            expires_ts=wire.expires_ts,
            entries=tuple(
                StatementEntry(
                    mint=entry.mint,
                    multiplier_bits=entry.multiplier_bits,
                    shares_nano=entry.shares_nano,
                    capacity_raw=entry.capacity_raw,
                    redeemed_seen_raw=entry.redeemed_seen_raw,
                )
                for entry in wire.entries
            ),
        )
    except StatementError as error:
        field, _, rule = str(error).partition(": ")
        raise WireError(f"statement.{field}", "out of form", rule) from error


def signed_statement_of(answer: StatementsAnswer) -> SignedStatement | None:
    """The signed statement of an answer, signatures sorted by key as the chain wants them; None where there is none."""
    if answer.statement is None:
        return None
    signatures = (AttesterSignature(wire.key, wire.signature) for wire in answer.signatures)
    return SignedStatement(statement_of(answer.statement), tuple(sorted(signatures, key=lambda one: one.key)))


def statement_json(statement: Statement) -> dict[str, Any]:
    """STATEMENT as JSON values."""
    return {
        "genesis_hash": base58(statement.genesis_hash),
        "program_id": base58(statement.program_id),
        "custodian": base58(statement.custodian),
        "epoch": statement.epoch,
        "observed_ms": statement.observed_ms,
        "expires_ts": statement.expires_ts,
        "entries": [
            {
                "mint": base58(entry.mint),
                "multiplier_bits": str(entry.multiplier_bits),
                "shares_nano": str(entry.shares_nano),
                "capacity_raw": str(entry.capacity_raw),
                "redeemed_seen_raw": str(entry.redeemed_seen_raw),
            }
            for entry in statement.entries
        ],
    }


def signature_json(key: Address, party: int, signature: bytes) -> dict[str, Any]:
    """One signature as JSON values."""
    return {"key": base58(key), "party": party, "signature": signature.hex()}


def statements_request_json(
    custodian: Address, mints: Iterable[Address], at_most_nano: Mapping[Address, int]
) -> dict[str, Any]:
    """The body of `POST /v1/statements`."""
    asked = [base58(mint) for mint in mints]
    body: dict[str, Any] = {"custodian": base58(custodian), "mints": asked}
    limits = {base58(mint): {"shares_nano": str(nano)} for mint, nano in at_most_nano.items()}
    limits = {mint: limit for mint, limit in limits.items() if mint in set(asked)}
    return body | ({"at_most": limits} if limits else {})


PROBLEM_PREFIX = "urn:xstocks:problem:"
PROBLEM_CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """An RFC 9457 problem document; `code` ends its `type`, `members` are further members."""

    status: int
    code: str
    title: str
    detail: str
    field: str | None = None
    remedy: str | None = None
    members: Mapping[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        """The document as JSON values."""
        document: dict[str, Any] = {
            "type": PROBLEM_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail[:MAX_DETAILS_CHARS],
        }
        if self.field is not None:
            document["field"] = self.field
        if self.remedy is not None:
            document["remedy"] = self.remedy
        return document | dict(self.members or {})


def by_mint(mints: Iterable[Address], value: Callable[[Address], dict[str, Any]]) -> dict[str, Any]:
    """A JSON object keyed by base58 mint."""
    return {base58(mint): value(mint) for mint in mints}
