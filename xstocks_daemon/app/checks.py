"""`xstocks check`: what an operator wants to know of his own endpoints, key and custodians before he goes live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from xstocks_daemon import clock
from xstocks_daemon.app.runtime import Runtime, as_user_error, open_runtime
from xstocks_daemon.app.settings import CustodianSettings, Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainError
from xstocks_daemon.domain.snapshot import CustodianState
from xstocks_daemon.domain.units import ZERO_ADDRESS
from xstocks_daemon.errors import UserError
from xstocks_daemon.http import HttpUnreachable, bearer, bounded_request, http_session
from xstocks_daemon.redaction import redact_url

LAMPORTS_PER_SOL = 10**9
MIN_BALANCE_LAMPORTS = LAMPORTS_PER_SOL // 20
"""Below this the operator's key soon cannot pay any more: some ten thousand transactions."""
MAX_LAG_SECS = 60
HEALTH_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `detail` says what was found, or what is wrong and what to do."""

    name: str
    passed: bool
    detail: str


class _Failed(Exception):
    """A check did not pass; the message is its detail."""


async def run_checks(settings: Settings) -> list[Check]:
    """All checks, in order; nothing is sent and no lease is taken. A failed one does not stop the others, save one
    without which nothing can be read."""
    try:
        async with open_runtime(settings) as runtime:
            opened = Check("cluster, key file and journal", True, f"{len(settings.cluster.rpc_urls)} endpoint(s) agree")
            return [opened, *[await _check(name, check, settings) for name, check in _checks(runtime).items()]]
    except Exception as error:
        known = as_user_error(error, settings)
        if known is None:
            raise
        return [Check("cluster, key file and journal", False, str(known))]


def _checks(runtime: Runtime) -> dict[str, Callable[[], Awaitable[str]]]:
    settings = runtime.settings
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "program": lambda: _program(runtime),
        "config": lambda: _config(runtime),
        "chain clock": lambda: _clock(runtime),
        "assets": lambda: _assets(runtime),
        "operator key": lambda: _operator(runtime),
        "operator balance": lambda: _balance(runtime),
    }
    for custodian in settings.custodians:
        checks[f"custodian {custodian.id} on chain"] = lambda one=custodian: _custodian(runtime, one)  # type: ignore[misc]
        checks[f"custodian {custodian.id} attester"] = lambda one=custodian: _attester(runtime, one)  # type: ignore[misc]
    checks["journal"] = lambda: _journal(runtime)
    return checks


async def _check(name: str, check: Callable[[], Awaitable[str]], settings: Settings) -> Check:
    try:
        return Check(name, True, await check())
    except (_Failed, ChainError, UserError) as error:
        known = as_user_error(error, settings)
        return Check(name, False, str(known or error))


async def _program(runtime: Runtime) -> str:
    program_id = runtime.client.program_id
    found = await runtime.pool.first(lambda endpoint: endpoint.account(program_id))
    if found.value is None or not found.value.executable:
        raise _Failed(f"{base58(program_id)} is no program on this cluster; correct program_id")
    return base58(program_id)


async def _config(runtime: Runtime) -> str:
    config = await runtime.reader.config()
    if config.genesis_hash != runtime.settings.cluster.genesis_hash:
        raise _Failed(f"the program was initialized for cluster {base58(config.genesis_hash)}; use its endpoints")
    notes = ["sealed" if config.sealed else "NOT sealed: the timelock is not enforced"]
    notes += [f"globally paused: {config.paused!r}"] if config.paused else []
    return ", ".join(notes)


async def _clock(runtime: Runtime) -> str:
    snapshot = await runtime.reader.snapshot(())
    lag_secs = clock.now_ts() - snapshot.now_ts
    if abs(lag_secs) > MAX_LAG_SECS:
        raise _Failed(f"the finalized chain's clock is {lag_secs} s behind this machine's; correct the clock, or wait")
    return f"finalized slot {snapshot.slot}, {lag_secs} s behind this machine"


async def _assets(runtime: Runtime) -> str:
    mints = await runtime.mints()
    snapshot = await runtime.reader.snapshot(mints)
    return f"{len(snapshot.assets)} assets, read alike by every deciding endpoint"


async def _operator(runtime: Runtime) -> str:
    if runtime.signer is None:
        raise _Failed("no [operator] key_file in the settings: only a dry run is possible")
    operator = (await runtime.reader.config()).operator
    if operator == ZERO_ADDRESS:
        raise _Failed("the program has no operator; have the admin set the role")
    if operator != runtime.signer.public_key:
        raise _Failed(f"the key is {base58(runtime.signer.public_key)}, the program's operator is {base58(operator)}")
    return base58(operator)


async def _balance(runtime: Runtime) -> str:
    if runtime.signer is None:
        raise _Failed("no [operator] key_file in the settings")
    key = runtime.signer.public_key
    lamports = await runtime.pool.first(lambda endpoint: endpoint.balance_lamports(key))
    sol = f"{lamports // LAMPORTS_PER_SOL}.{lamports % LAMPORTS_PER_SOL:09d} SOL"
    if lamports < MIN_BALANCE_LAMPORTS:
        raise _Failed(f"{sol} left; send at least {MIN_BALANCE_LAMPORTS} lamports to {base58(key)}")
    return sol


async def _custodian(runtime: Runtime, settings: CustodianSettings) -> str:
    address = runtime.client.addresses.custodian(settings.id)
    custodian = (await runtime.reader.snapshot((), [address])).custodians[address]
    now = clock.now_ts()
    valid = [key for key in custodian.keys if key.expires_ts > now]
    parties = {key.party for key in valid}
    if custodian.state is not CustodianState.ACTIVE:
        raise _Failed("is retired; take it out of the settings")
    if len(parties) < custodian.threshold or 0 not in parties:
        raise _Failed(f"only parties {sorted(parties)} have keys that have not expired; have the admin set new keys")
    return f"{custodian.name}: {custodian.threshold} of {len(parties)} parties, key epoch {custodian.epoch}"


async def _attester(runtime: Runtime, settings: CustodianSettings) -> str:
    url = settings.url.rstrip("/") + "/v1/health"
    async with http_session() as session:
        try:
            answer = await bounded_request(
                session,
                "GET",
                url,
                timeout_secs=runtime.settings.timing.custody_timeout_secs,
                max_body_bytes=HEALTH_BYTES,
                headers=bearer(settings.token.get_secret_value()),
            )
        except HttpUnreachable as error:
            raise _Failed(f"{redact_url(settings.url)} does not answer ({error.reason})") from None
    if answer.status != 200:
        raise _Failed(
            f"{redact_url(settings.url)} answers with HTTP status {answer.status}; check its log and the token"
        )
    return f"{redact_url(settings.url)} is healthy"


async def _journal(runtime: Runtime) -> str:
    view = await runtime.journal.view()
    halted = sum(known.halt is not None for known in view.assets.values())
    live = len(await runtime.journal.live_attempts())
    if halted:
        raise _Failed(f"{halted} assets are halted; see `xstocks halts list`")
    return f"{len(view.assets)} assets known, {live} attempts under way"
