"""The daemon's settings: a TOML file, overridden by the environment (`XSTOCKS_CLUSTER__GENESIS_HASH` and so on).

Every secret `x` may be given as `x_file`, the path of a file that holds it. Unknown keys are refused, in the file and
in the environment. Relative paths of the file are relative to the file. Whatever is wrong raises one UserError with a
line per field; secrets never appear in it.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError
from solders.pubkey import Pubkey

from xstocks_daemon.domain.plan_inputs import PlanPolicy
from xstocks_daemon.domain.units import BPS, Address
from xstocks_daemon.errors import MISSING, Fault, UserError, user_error
from xstocks_daemon.redaction import HIDDEN

ENV_PREFIX = "XSTOCKS_"
ENV_DELIMITER = "__"
CONFIG_ENV = "XSTOCKS_CONFIG"
#: Variables with the prefix that belong to other tools of this project.
_FOREIGN_ENV = (
    CONFIG_ENV,
    "XSTOCKS_TEST_",
    "XSTOCKS_VALIDATOR_",
    "XSTOCKS_PROGRAM_SO",
    "XSTOCKS_LOCALNET_",
    "XSTOCKS_DEMO_",
    "XSTOCKS_BENCH_",
)
_SECRET_WORDS = ("token", "secret", "password", "key", "url", "auth")


def _wrong(remedy: str, field: str | None = None, value: object = None) -> PydanticCustomError:
    """An error of one field; `field` and `value` name it where a whole section is being checked."""
    context = {"remedy": remedy} | ({} if field is None else {"field": field, "value": value})
    return PydanticCustomError("xstocks", "{remedy}", context)


def _url(*schemes: str) -> Any:
    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            parts.port  # noqa: B018 - raises where it is no number
        except ValueError as error:
            raise _wrong(f"not a URL ({error}); give one such as {schemes[0]}://127.0.0.1:8899") from None
        if parts.scheme not in schemes or not parts.hostname:
            raise _wrong(f"give a URL such as {schemes[0]}://127.0.0.1:8899 ({' or '.join(schemes)})")
        return text

    return AfterValidator(check)


def _address(value: object) -> Address:
    if isinstance(value, bytes) and len(value) == 32:
        return Address(value)
    if isinstance(value, str):
        try:
            return Address(bytes(Pubkey.from_string(value)))
        except ValueError:
            pass
    raise _wrong("give 32 bytes in base58, as the chain's tools print them")


def _asset_list(value: object) -> object:
    if value == "all":
        return value
    if not isinstance(value, list | tuple) or not value or not all(isinstance(item, str) and item for item in value):
        raise _wrong('give "all", or a list with at least one mint or symbol')
    return value


AddressField = Annotated[Address, BeforeValidator(_address)]
HttpUrl = Annotated[str, _url("http", "https")]
WsUrl = Annotated[str, _url("ws", "wss")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


_ONLY_SQLITE = "this version keeps its journal in an SQLite file only, no database server"


def _sqlite_path(value: object) -> object:
    if isinstance(value, str) and _is_url(value):
        raise _wrong(f"{_ONLY_SQLITE}; give the path of a file")
    return value


def _is_url(text: str) -> bool:
    return "://" in text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _secret_from_file(data: Any, name: str) -> Any:
    """`data` with the content of the file that `<name>_file` names put in as `name`."""
    field = f"{name}_file"
    if not isinstance(data, Mapping) or not isinstance(data.get(field), str | Path):
        return data
    path = data[field]
    if data.get(name) is not None:
        raise _wrong(f"{name} is given too; keep one of the two", field, path)
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _wrong(f"cannot be read ({error.strerror}); give the path of a readable file", field, path) from None
    except UnicodeDecodeError:
        raise _wrong("not UTF-8 text; give a file that holds the secret and nothing else", field, path) from None
    if not text:
        raise _wrong("the file is empty; put the secret in it", field, path)
    return {**data, name: text.split() if name == "rpc_urls" else text}


class ClusterSettings(_Section):
    """Which chain, and by which endpoints."""

    rpc_urls: tuple[HttpUrl, ...]
    rpc_urls_file: Path | None = None
    """A file with one URL a line, where the URLs carry tokens."""
    ws_url: WsUrl | None = None
    """Only wakes the daemon; truth is polled (section 6.4)."""
    genesis_hash: AddressField
    single_endpoint: bool = False
    """Decide on one endpoint's word. M10 wants two; say so only where the endpoint is your own."""

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        return _secret_from_file(data, "rpc_urls")

    @model_validator(mode="after")
    def _endpoints(self) -> Self:
        if len(set(self.rpc_urls)) != len(self.rpc_urls):
            raise _wrong("an endpoint is named twice; list different ones", "rpc_urls", list(self.rpc_urls))
        if not self.rpc_urls or (len(self.rpc_urls) < 2 and not self.single_endpoint):
            remedy = "list at least two endpoints, or set single_endpoint = true for one of your own (M10)"
            raise _wrong(remedy, "rpc_urls", list(self.rpc_urls))
        return self


class OperatorSettings(_Section):
    """The operator's key: it signs and pays for every transaction of the daemon."""

    key_file: Path
    """A Solana CLI keypair file: a JSON list of 64 numbers."""
    price_micro_lamports: int = Field(default=0, ge=0, lt=2**64)
    """The priority fee, per compute unit."""


class JournalSettings(_Section):
    """The journal's database file."""

    path: Annotated[Path, BeforeValidator(_sqlite_path)]
    """An SQLite file; made where there is none."""

    @model_validator(mode="before")
    @classmethod
    def _no_url(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "url" in data:
            raise _wrong(f"{_ONLY_SQLITE}; remove it and give journal.path", "url", data["url"])
        return data


class CustodianSettings(_Section):
    """One custodian's attester sidecar: where it is, and the token that it wants."""

    id: int = Field(ge=0, le=65_535)
    url: HttpUrl
    token: SecretStr
    token_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        return _secret_from_file(data, "token")


class TimingSettings(_Section):
    """Times of the loop, in seconds unless the name says otherwise."""

    cycle_secs: Seconds = 5.0
    """The longest pause between two cycles."""
    rpc_timeout_secs: Seconds = 15.0
    custody_timeout_secs: Seconds = 15.0
    poll_secs: Seconds = 0.5
    """How often an attempt's outcome is asked for."""
    confirmation_timeout_secs: Seconds = 30.0
    """How long a cycle waits for its transactions; they stay journaled, and the next cycle goes on with them."""
    quarantine_secs: Seconds = 60.0
    """How long an asset whose entry failed is left alone."""
    backoff_max_secs: Seconds = 60.0
    """The longest pause between two cycles while an endpoint does not answer."""
    lease_secs: Seconds = 30.0
    """How long a daemon that vanished keeps the journal to itself."""
    non_execution_margin_blocks: int = Field(default=150, ge=0, le=10_000)
    """Blocks beyond lastValidBlockHeight before an attempt may be called dead (section 6.3)."""


class LoggingSettings(_Section):
    """From which level on the log has lines, and whether they are JSON or coloured text."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(_Section):
    """A Prometheus endpoint on loopback; none without a port."""

    port: int | None = Field(default=None, ge=1, le=65_535)


class PolicySettings(_Section):
    """The daemon's own limits on what it decides (the program's policy binds besides)."""

    max_mint_raw: int | None = Field(default=None, ge=1, lt=2**64)
    """The most that one intent mints."""
    burn_approval_bps: int = Field(default=2_000, ge=0, le=BPS)
    """A burn of more than this part of the supply waits for a person."""
    renew_before_secs: int = Field(default=300, ge=0)
    """An unchanged statement is relayed again this long before the one on chain stops being fresh."""
    rounding_nano: int = Field(default=1, ge=0, lt=10**9)
    """Supply that lacks fewer billionths of a share than this for each entry is rounding: no alert, and no burn."""
    max_statement_rise_bps: int | None = Field(default=None, ge=0)
    """A statement that rises by more is refused; none: the program's own limit (a hold) suffices."""
    max_statement_lifetime_secs: int = Field(default=86_400, ge=1)
    """A statement that expires later than this after its observation is refused."""

    def plan_policy(self) -> PlanPolicy:
        """The same limits as the plan takes them."""
        return PlanPolicy(self.max_mint_raw, self.burn_approval_bps, self.renew_before_secs, self.rounding_nano)


class Settings(BaseSettings):
    """All settings of the daemon. `live` is false unless said: a dry run decides and sends nothing."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_DELIMITER, extra="forbid", frozen=True, case_sensitive=False
    )

    cluster: ClusterSettings
    program_id: AddressField
    operator: OperatorSettings | None = None
    live: bool = False
    journal: JournalSettings
    custodians: tuple[CustodianSettings, ...] = ()
    assets: Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_asset_list)] = "all"
    """Mints or symbols to look after, or "all" that are registered."""
    policy: PolicySettings = PolicySettings()
    timing: TimingSettings = TimingSettings()
    logging: LoggingSettings = LoggingSettings()
    metrics: MetricsSettings = MetricsSettings()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.live and self.operator is None:
            raise _wrong("live = true needs it; add it, or run dry with live = false", "operator.key_file", MISSING)
        ids = [custodian.id for custodian in self.custodians]
        if len(set(ids)) != len(ids):
            raise _wrong("an id is given twice; give every custodian once", "custodians", ids)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings calls with these names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file; nothing else."""
        return env_settings, init_settings


def load_settings(config: Path | None, **overrides: Any) -> Settings:
    """Settings from the file (if any) and the environment; `overrides` (top-level names) beat both.

    UserError where anything is wrong.
    """
    values = _read_toml(config) if config is not None else {}
    _refuse_unknown_env()
    try:
        # The environment beats what is given here, so the overrides are put on top once more.
        return Settings(**{**values, **overrides}).model_copy(update=overrides)
    except ValidationError as error:
        where = str(config) if config is not None else "the settings file (--config)"
        raise UserError(*(_fault(detail, where) for detail in error.errors(include_url=False))) from None
    except SettingsError as error:
        raise user_error("environment", error, "give this variable as JSON, or set it in the file") from None


def _read_toml(config: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"cannot be read ({error.strerror}); give the path of a settings file"
        raise user_error("--config", config, remedy) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise user_error("--config", config, f"not TOML ({error}); correct it") from None
    absolute: dict[str, Any] = _absolute_paths(values, config.absolute().parent)
    return absolute


def _absolute_paths(value: Any, base_dir: Path) -> Any:
    """`value` with every path in it made absolute: those under a key `path` or `..._file`."""
    if isinstance(value, list):
        return [_absolute_paths(item, base_dir) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: str(base_dir / Path(item).expanduser())
        if isinstance(item, str) and (key == "path" or key.endswith("_file")) and not _is_url(item)
        else _absolute_paths(item, base_dir)
        for key, item in value.items()
    }


def _refuse_unknown_env() -> None:
    """A misspelt variable must not be ignored: what it wanted to set would silently stay as it was."""
    faults = []
    for name in sorted(os.environ):
        if not name.upper().startswith(ENV_PREFIX) or name.upper().startswith(_FOREIGN_ENV):
            continue
        field = name[len(ENV_PREFIX) :].lower().split(ENV_DELIMITER)[0]
        if field not in Settings.model_fields:
            remedy = f"unknown variable{_did_you_mean(field, Settings.model_fields)}; correct or unset it"
            faults.append(Fault(name, HIDDEN, remedy))
    if faults:
        raise UserError(*faults)


def _fault(detail: ErrorDetails, where: str) -> Fault:
    """One line's worth of a validation error."""
    loc = detail["loc"]
    context = detail.get("ctx", {})
    value = detail["input"]
    if "field" in context:
        loc = (*loc, *context["field"].split("."))
        value = context["value"]
    field = _field_name(loc)
    if detail["type"] == "missing":
        by_env = f", or set {_env_name(loc)}" if all(isinstance(part, str) for part in loc) else ""
        return Fault(field, MISSING, f"add it to {where}{by_env}")
    if detail["type"] == "extra_forbidden":
        remedy = f"unknown key{_did_you_mean(str(loc[-1]), _known_keys(loc))}; correct or remove it"
        return Fault(field, _shown(loc, value), remedy)
    if detail["type"] == "path_type":
        return Fault(field, _shown(loc, value), "it must be a path, as a string")
    remedy = context.get("remedy") or detail["msg"].replace("Input should be", "it must be", 1)
    return Fault(field, _shown(loc, value), remedy)


def _shown(loc: Sequence[int | str], value: object) -> str:
    """The value as far as it may be seen: no secret, no section whole."""
    name = next((part for part in reversed(loc) if isinstance(part, str)), "")
    is_path = name.endswith("_file") or name == "path"
    if not is_path and name == "token":
        return HIDDEN
    known_public = _known_keys((*loc[:-1], "")) if isinstance(loc[-1], str) else [name]
    if name not in known_public and _sounds_secret(name.lower()):
        return HIDDEN
    if isinstance(value, Mapping):
        return HIDDEN
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _sounds_secret(name: str) -> bool:
    """Whether an unknown key may be a secret's, perhaps misspelt."""
    words = name.split("_")
    return any(word in name for word in _SECRET_WORDS) or any(
        difflib.get_close_matches(word, _SECRET_WORDS, n=1) for word in words
    )


def _field_name(loc: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def _env_name(loc: Sequence[int | str]) -> str:
    return ENV_PREFIX + ENV_DELIMITER.join(str(part).upper() for part in loc)


def _known_keys(loc: Sequence[int | str]) -> list[str]:
    """The keys that are allowed where `loc` points (its last part is the unknown one)."""
    model: type[BaseModel] = Settings
    for part in loc[:-1]:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        model = _SECTIONS.get(part, model)
    return list(model.model_fields)


_SECTIONS: Mapping[str, type[BaseModel]] = {
    "cluster": ClusterSettings,
    "operator": OperatorSettings,
    "journal": JournalSettings,
    "custodians": CustodianSettings,
    "policy": PolicySettings,
    "timing": TimingSettings,
    "logging": LoggingSettings,
    "metrics": MetricsSettings,
}


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
