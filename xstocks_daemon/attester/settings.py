"""Settings of a sidecar: one TOML file. Unknown keys are refused, secrets are named by file, relative paths start at
the settings file's folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from xstocks_daemon.custody.wire import AddressField, wire_error
from xstocks_daemon.errors import user_error

MIN_TOKEN_CHARS = 16
_MAX_FILE_BYTES = 64 * 1024


def _path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("it must be the path of a file")
    return Path(value).expanduser()


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be a URL such as https://custody.example")
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("it must be host:port, such as 127.0.0.1:8801")
    return value


PathField = Annotated[Path, PlainValidator(_path)]
UrlField = Annotated[str, AfterValidator(_http_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class PeerSettings(_Strict):
    """A sidecar that may co-sign, and the file with the bearer token it wants."""

    url: UrlField = Field(repr=False)
    token_file: PathField


class ServedCustodianSettings(_Strict):
    """A custodian whose statements this sidecar signs. `address`, if given, is checked against the id's."""

    id: Annotated[int, Field(ge=0, lt=2**16)]
    address: AddressField | None = None
    books_file: PathField
    peers: list[PeerSettings] = []


class AttesterSettings(_Strict):
    """All settings. `lifetime_secs`: how long after its observation a statement expires, and the most it signs for
    others. `max_skew_ms`: how far another sidecar's clock may be ahead of this one's; the chain's own limit also holds.
    `max_proposal_age_ms`: how old an observation may be that it co-signs; an old one can only be less fresh.
    `fee_payer_file`: the key that pays where the sidecar submits lower statements itself; without it, it does not."""

    key_file: PathField
    listen: Annotated[str, AfterValidator(_listen)]
    program_id: AddressField
    genesis_hash: AddressField
    rpc_urls: Annotated[list[UrlField], Field(min_length=1, repr=False)]
    token_files: Annotated[list[PathField], Field(min_length=1)]
    store_file: PathField
    custodians: Annotated[list[ServedCustodianSettings], Field(min_length=1)]
    lifetime_secs: Annotated[int, Field(ge=1, le=7 * 86_400)] = 3_600
    max_skew_ms: Annotated[int, Field(ge=0, le=600_000)] = 60_000
    max_proposal_age_ms: Annotated[int, Field(ge=0, le=600_000)] = 60_000
    request_timeout_secs: Annotated[int, Field(ge=1, le=300)] = 20
    fee_payer_file: PathField | None = None

    @property
    def listen_host(self) -> str:
        """The host part of `listen`."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port part of `listen`; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])


def load_attester_settings(path: Path) -> AttesterSettings:
    """The settings of a file. UserError names the key that is wrong."""
    text = _read_text(path, "settings file")
    try:
        return attester_settings(tomllib.loads(text), path.parent)
    except tomllib.TOMLDecodeError as error:
        raise user_error("settings file", str(path), f"it is not TOML: {error}") from None


def attester_settings(values: dict[str, object], folder: Path) -> AttesterSettings:
    """Settings of parsed TOML; relative paths start at `folder`."""
    try:
        given = AttesterSettings.model_validate(values)
    except ValidationError as error:
        wrong = wire_error(error)
        raise user_error(wrong.field, wrong.value, wrong.remedy) from None
    ids = [custodian.id for custodian in given.custodians]
    for custodian_id in ids:
        if ids.count(custodian_id) > 1:
            raise user_error("custodians.id", custodian_id, "give each custodian once")
    return given.model_copy(
        update={
            "key_file": folder / given.key_file,
            "store_file": folder / given.store_file,
            "token_files": [folder / one for one in given.token_files],
            "fee_payer_file": folder / given.fee_payer_file if given.fee_payer_file else None,
            "custodians": [
                custodian.model_copy(
                    update={
                        "books_file": folder / custodian.books_file,
                        "peers": [
                            peer.model_copy(update={"token_file": folder / peer.token_file}) for peer in custodian.peers
                        ],
                    }
                )
                for custodian in given.custodians
            ],
        }
    )


def load_token(path: Path, field: str) -> str:
    """A bearer token: the file's text without surrounding white space."""
    token = _read_text(path, field).strip()
    if len(token) < MIN_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
        raise user_error(
            field, str(path), f"it must hold a token of at least {MIN_TOKEN_CHARS} printable ASCII characters"
        )
    return token


def _read_text(path: Path, field: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise user_error(field, str(path), f"it cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise user_error(field, str(path), f"it is larger than {_MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise user_error(field, str(path), "it is not UTF-8 text") from None
