"""One call of every typed function of the client, and what the instruction must hold by the IDL and the contract."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain import addresses as known
from xstocks_daemon.chain.program import Profile, ProgramClient, Role
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import AttesterKey, Hold, Policy, Scope
from xstocks_daemon.domain.statement import Statement, StatementEntry
from xstocks_daemon.domain.units import Address

CLIENT = ProgramClient()
_RNG = random.Random(20)


def address() -> Address:
    return Address(_RNG.randbytes(32))


ADMIN, OPERATOR, KEY, MINT, WALLET, DESTINATION, GENESIS = (address() for _ in range(7))
OTHER_MINT = address()
REDEMPTION_ID = bytes(range(100, 116))
CUSTODIANS = (address(), address())
CUSTODIAN, RETIRED = CLIENT.addresses.custodian(7), CLIENT.addresses.custodian(8)
ASSET, VAULT = CLIENT.addresses.asset(MINT), CLIENT.addresses.vault(MINT)
REDEMPTION = CLIENT.addresses.redemption(MINT, REDEMPTION_ID)
POLICY = Policy(*range(1, 16))
KEYS = tuple(AttesterKey(address(), party, 1_900_000_000 + party) for party in (0, 1, 2))


@dataclass(frozen=True, slots=True)
class Case:
    """`accounts` in the IDL's order, None for an optional one that is not given."""

    name: str
    built: Instruction
    args: dict[str, Any]
    accounts: tuple[Address | None, ...]
    remaining: tuple[AccountMeta, ...] = field(default=())


def intent(kind: IntentKind, mint: Address, sequence: int, amount_raw: int, destination: Address) -> Intent:
    order_id = bytes(range(16)) if kind is IntentKind.DISTRIBUTE else bytes(16)
    return Intent(kind, mint, sequence, amount_raw, destination, order_id)


def metas(keys: list[Address], *, writable: bool) -> tuple[AccountMeta, ...]:
    return tuple(AccountMeta(known.pubkey(key), is_signer=False, is_writable=writable) for key in keys)


def _intent_args(intents: list[Intent]) -> dict[str, Any]:
    return {
        "entries": [
            {
                "sequence": each.sequence,
                "amount_raw": each.amount_raw,
                "intent_hash": each.intent_hash(GENESIS, CLIENT.program_id),
            }
            for each in intents
        ]
    }


def _entry_metas(mints: list[Address]) -> tuple[AccountMeta, ...]:
    return metas(
        [key for mint in mints for key in (CLIENT.addresses.asset(mint), mint, CLIENT.addresses.vault(mint))],
        writable=True,
    )


def cases() -> list[Case]:
    a, config, program = CLIENT.addresses, CLIENT.addresses.config, CLIENT.program_id
    keys_arg = [asdict(key) for key in sorted(KEYS, key=lambda key: key.key)]
    mints = [intent(IntentKind.MINT, MINT, 3, 500, VAULT), intent(IntentKind.MINT, OTHER_MINT, 0, 2**64 - 1, address())]
    burns = [intent(IntentKind.BURN, MINT, 4, 9, VAULT)]
    sent = intent(IntentKind.DISTRIBUTE, MINT, 5, 77, DESTINATION)
    entries = tuple(
        StatementEntry(mint, 4607182418800017408, 10 + n, 20 + n, n)
        for n, mint in enumerate(sorted((MINT, OTHER_MINT)))
    )
    statement = Statement(GENESIS, program, CUSTODIAN, 3, 1_700_000_000_123, 1_700_000_300, entries)
    seal = CLIENT.seal(admin=ADMIN, timelock_secs=1)
    timelocked = CLIENT.attach_custodian(admin=ADMIN, custodian=CUSTODIAN, mint=MINT)
    slot_taken = CLIENT.attach_custodian(admin=ADMIN, custodian=CUSTODIAN, mint=MINT, retired=RETIRED)
    roles = ("admin", "operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions")
    holders = {role: address() for role in roles}
    pause = {"scopes": Scope.MINT | Scope.BURN}
    transfers = {"scopes": Scope.TRANSFERS}
    sorted_custodians = metas(sorted(CUSTODIANS), writable=False)
    waiting = (REDEMPTION, a.redemption_authority(MINT), a.redemption_vault(MINT))
    return [
        Case(
            "initialize",
            CLIENT.initialize(authority=KEY, genesis_hash=GENESIS, max_skew_secs=2, min_timelock_secs=9, **holders),
            {**holders, "genesis_hash": GENESIS, "max_skew_secs": 2, "min_timelock_secs": 9},
            (KEY, config, program, a.program_data, known.SYSTEM),
        ),
        Case("seal", seal, {"timelock_secs": 1}, (ADMIN, config)),
        Case(
            "propose",
            CLIENT.propose(admin=ADMIN, instruction=timelocked),
            {"instruction_data": bytes(timelocked.data)},
            (ADMIN, config, CLIENT.proposal_address(timelocked), known.SYSTEM),
            metas([ADMIN, config, CUSTODIAN, ASSET, CLIENT.program_id], writable=False),
        ),
        Case(
            "cancel_proposal",
            CLIENT.cancel_proposal(authority=KEY, proposal=DESTINATION),
            {},
            (KEY, config, DESTINATION, None),
        ),
        Case(
            "cancel_proposal",
            CLIENT.cancel_proposal(authority=ADMIN, proposal=DESTINATION, resumer=KEY),
            {},
            (ADMIN, config, DESTINATION, KEY),
        ),
        Case(
            "set_role",
            CLIENT.set_role(admin=ADMIN, role=Role.GUARDIAN, key=KEY),
            {"role": 2, "key": KEY},
            (ADMIN, config, None),
        ),
        Case(
            "set_role",
            CLIENT.set_role(admin=ADMIN, role=Role.OPERATOR, key=KEY, proposal=DESTINATION),
            {"role": 0, "key": KEY},
            (ADMIN, config, DESTINATION),
        ),
        Case("accept_role", CLIENT.accept_role(new_key=KEY, proposal=DESTINATION), {}, (KEY, DESTINATION)),
        Case("clear_role", CLIENT.clear_role(admin=ADMIN, role=Role.COMPLIANCE), {"role": 4}, (ADMIN, config)),
        Case(
            "set_timing",
            CLIENT.set_timing(admin=ADMIN, timelock_secs=86_400, max_skew_secs=60),
            {"timelock_secs": 86_400, "max_skew_secs": 60},
            (ADMIN, config, None),
        ),
        Case(
            "propose_admin",
            CLIENT.propose_admin(admin=ADMIN, pending_admin=KEY, expires_ts=1_900_000_000),
            {"pending_admin": KEY, "expires_ts": 1_900_000_000},
            (ADMIN, config),
        ),
        Case("cancel_admin", CLIENT.cancel_admin(authority=KEY), {}, (KEY, config)),
        Case("accept_admin", CLIENT.accept_admin(pending_admin=KEY), {}, (KEY, config)),
        Case(
            "register_custodian",
            CLIENT.register_custodian(admin=ADMIN, custodian_id=7, name="Alpäca", threshold=2, keys=KEYS),
            {"id": 7, "name": "Alpäca".encode().ljust(32, b"\0"), "threshold": 2, "keys": keys_arg},
            (ADMIN, config, CUSTODIAN, known.SYSTEM, None),
        ),
        Case(
            "set_custodian_keys",
            CLIENT.set_custodian_keys(admin=ADMIN, custodian=CUSTODIAN, threshold=3, keys=KEYS),
            {"threshold": 3, "keys": keys_arg},
            (ADMIN, config, CUSTODIAN, None),
        ),
        Case(
            "revoke_custodian_key",
            CLIENT.revoke_custodian_key(authority=OPERATOR, custodian=CUSTODIAN, key=KEY),
            {"key": KEY},
            (OPERATOR, config, CUSTODIAN),
        ),
        Case("attach_custodian", timelocked, {}, (ADMIN, config, CUSTODIAN, ASSET, None, None)),
        Case(
            "attach_custodian",
            CLIENT.with_proposal(slot_taken),
            {},
            (ADMIN, config, CUSTODIAN, ASSET, RETIRED, CLIENT.proposal_address(slot_taken)),
        ),
        Case(
            "detach_custodian",
            CLIENT.detach_custodian(admin=ADMIN, custodian=CUSTODIAN, mint=MINT),
            {},
            (ADMIN, config, CUSTODIAN, ASSET),
        ),
        Case("retire_custodian", CLIENT.retire_custodian(admin=ADMIN, custodian=KEY), {}, (ADMIN, config, KEY, None)),
        Case(
            "register_asset",
            CLIENT.register_asset(
                admin=ADMIN,
                mint=MINT,
                name="Apple xStock",
                symbol="AAPLx",
                uri="https://example.invalid/AAPLx",
                additional_metadata=[("isin", "US0378331005")],
                policy=POLICY,
                initial_mint_raw=5,
            ),
            {
                "profile": 0,
                "initial_mint_raw": 5,
                "policy": asdict(POLICY),
                "name": "Apple xStock",
                "symbol": "AAPLx",
                "uri": "https://example.invalid/AAPLx",
                "additional_metadata": [{"key": "isin", "value": "US0378331005"}],
            },
            (
                ADMIN,
                config,
                ASSET,
                MINT,
                VAULT,
                a.redemption_authority(MINT),
                a.redemption_vault(MINT),
                known.TOKEN_2022,
                known.ASSOCIATED_TOKEN,
                known.SYSTEM,
            ),
        ),
        Case(
            "begin_adopt",
            CLIENT.begin_adopt(admin=ADMIN, mint=MINT, profile=Profile.PERMISSIONED),
            {"profile": 2},
            (ADMIN, config, a.adoption(MINT), ASSET, MINT, known.SYSTEM),
        ),
        Case(
            "finish_adopt",
            CLIENT.finish_adopt(admin=ADMIN, mint=MINT, policy=POLICY),
            {"policy": asdict(POLICY)},
            (
                ADMIN,
                config,
                a.adoption(MINT),
                ASSET,
                MINT,
                VAULT,
                a.redemption_authority(MINT),
                a.redemption_vault(MINT),
                known.TOKEN_2022,
                known.ASSOCIATED_TOKEN,
                known.SYSTEM,
            ),
        ),
        Case(
            "abort_adopt",
            CLIENT.abort_adopt(admin=ADMIN, mint=MINT),
            {},
            (ADMIN, config, a.adoption(MINT), ASSET, MINT, known.TOKEN_2022),
        ),
        Case(
            "tighten_policy",
            CLIENT.tighten_policy(admin=ADMIN, mint=MINT, policy=POLICY),
            {"policy": asdict(POLICY)},
            (ADMIN, config, ASSET),
        ),
        Case(
            "loosen_policy",
            CLIENT.loosen_policy(admin=ADMIN, mint=MINT, policy=POLICY),
            {"policy": asdict(POLICY)},
            (ADMIN, config, ASSET, None),
        ),
        Case("retire_asset", CLIENT.retire_asset(admin=ADMIN, mint=MINT), {}, (ADMIN, config, ASSET, None)),
        Case(
            "release_authority",
            CLIENT.release_authority(admin=ADMIN, mint=MINT, new_authority=KEY),
            {},
            (ADMIN, config, ASSET, MINT, VAULT, *waiting[1:], KEY, known.TOKEN_2022, None),
        ),
        Case(
            "set_metadata",
            CLIENT.set_metadata(admin=ADMIN, mint=MINT, updates=[("name", "Äpfel"), ("isin", "")]),
            {"updates": [{"key": "name", "value": "Äpfel"}, {"key": "isin", "value": ""}]},
            (ADMIN, config, ASSET, MINT, known.TOKEN_2022, known.SYSTEM),
        ),
        Case(
            "freeze",
            CLIENT.freeze(compliance=KEY, mint=MINT, account=DESTINATION),
            {},
            (KEY, config, ASSET, MINT, DESTINATION, known.TOKEN_2022),
        ),
        Case(
            "thaw",
            CLIENT.thaw(authority=KEY, mint=MINT, account=DESTINATION),
            {},
            (KEY, config, ASSET, MINT, DESTINATION, a.recovery(DESTINATION), known.TOKEN_2022, None, None),
        ),
        Case(
            "thaw",
            CLIENT.thaw(authority=ADMIN, mint=MINT, account=DESTINATION, wallet=WALLET, resumer=KEY),
            {},
            (
                *(ADMIN, config, ASSET, MINT, DESTINATION, a.recovery(DESTINATION), known.TOKEN_2022),
                *(a.participant(WALLET), KEY),
            ),
        ),
        Case(
            "announce_recovery",
            CLIENT.announce_recovery(
                compliance=KEY, mint=MINT, source=WALLET, destination=DESTINATION, amount_raw=2**63, delay_secs=86_400
            ),
            {"amount_raw": 2**63, "delay_secs": 86_400},
            (KEY, config, ASSET, MINT, WALLET, DESTINATION, a.recovery(WALLET), known.TOKEN_2022, known.SYSTEM),
        ),
        Case(
            "execute_recovery",
            CLIENT.execute_recovery(compliance=KEY, admin=ADMIN, mint=MINT, source=WALLET, destination=DESTINATION),
            {},
            (KEY, ADMIN, config, ASSET, MINT, WALLET, DESTINATION, a.recovery(WALLET), known.TOKEN_2022),
        ),
        Case(
            "cancel_recovery",
            CLIENT.cancel_recovery(guardian=KEY, source=WALLET),
            {},
            (KEY, config, a.recovery(WALLET)),
        ),
        Case(
            "set_participant",
            CLIENT.set_participant(registrar=KEY, wallet=WALLET, active=True, expires_ts=2**40, country="CH"),
            {"state": 1, "expires_ts": 2**40, "country": b"CH"},
            (KEY, config, a.participant(WALLET), WALLET, known.SYSTEM),
        ),
        Case(
            "submit_attestation",
            CLIENT.submit_attestation(statement),
            {
                "epoch": 3,
                "observed_ms": 1_700_000_000_123,
                "expires_ts": 1_700_000_300,
                "entries": [
                    {"shares_nano": 10, "capacity_raw": 20, "redeemed_seen_raw": 0},
                    {"shares_nano": 11, "capacity_raw": 21, "redeemed_seen_raw": 1},
                ],
            },
            (config, CUSTODIAN, known.INSTRUCTIONS_SYSVAR),
            metas([a.asset(mint) for mint in sorted((MINT, OTHER_MINT))], writable=True),
        ),
        Case(
            "withdraw_entry",
            CLIENT.withdraw_entry(attester=KEY, custodian=CUSTODIAN, mint=MINT),
            {},
            (KEY, config, CUSTODIAN, ASSET),
        ),
        Case(
            "mint",
            CLIENT.mint(operator=OPERATOR, custodians=CUSTODIANS, intents=mints, genesis_hash=GENESIS),
            _intent_args(mints),
            (OPERATOR, config, known.TOKEN_2022, known.CLOCK_SYSVAR),
            sorted_custodians + _entry_metas([MINT, OTHER_MINT]),
        ),
        Case(
            "burn",
            CLIENT.burn(operator=OPERATOR, intents=burns, genesis_hash=GENESIS),
            _intent_args(burns),
            (OPERATOR, config, known.TOKEN_2022, known.CLOCK_SYSVAR),
            _entry_metas([MINT]),
        ),
        Case(
            "distribute",
            CLIENT.distribute(operator=OPERATOR, intent=sent, wallet=WALLET, genesis_hash=GENESIS),
            {
                "sequence": 5,
                "amount_raw": 77,
                "order_id": bytes(range(16)),
                "intent_hash": sent.intent_hash(GENESIS, program),
            },
            (OPERATOR, config, ASSET, MINT, VAULT, DESTINATION, a.participant(WALLET), known.TOKEN_2022),
        ),
        Case(
            "request_redemption",
            CLIENT.request_redemption(
                wallet=WALLET, source=DESTINATION, mint=MINT, redemption_id=REDEMPTION_ID, amount_raw=2**64 - 1
            ),
            {"id": REDEMPTION_ID, "amount_raw": 2**64 - 1},
            (
                WALLET,
                config,
                ASSET,
                MINT,
                a.participant(WALLET),
                DESTINATION,
                a.redemption_vault(MINT),
                REDEMPTION,
                known.TOKEN_2022,
                known.SYSTEM,
            ),
        ),
        Case(
            "cancel_redemption",
            CLIENT.cancel_redemption(wallet=WALLET, mint=MINT, redemption=REDEMPTION, destination=DESTINATION),
            {},
            (WALLET, ASSET, MINT, *waiting, DESTINATION, known.TOKEN_2022, a.participant(WALLET)),
        ),
        Case(
            "reject_redemption",
            CLIENT.reject_redemption(operator=OPERATOR, mint=MINT, redemption=REDEMPTION, destination=DESTINATION),
            {},
            (OPERATOR, config, ASSET, MINT, *waiting, DESTINATION, known.TOKEN_2022, None),
        ),
        Case(
            "settle_redemption",
            CLIENT.settle_redemption(operator=OPERATOR, custodian=CUSTODIAN, mint=MINT, redemption=REDEMPTION),
            {},
            (OPERATOR, config, CUSTODIAN, ASSET, MINT, *waiting, known.TOKEN_2022),
        ),
        Case(
            "pause",
            CLIENT.pause(guardian=KEY, scopes=Scope.MINT | Scope.BURN),
            pause,
            (KEY, config, None, None, None),
        ),
        Case(
            "pause",
            CLIENT.pause(guardian=KEY, scopes=Scope.TRANSFERS, mint=MINT),
            transfers,
            (KEY, config, ASSET, MINT, known.TOKEN_2022),
        ),
        Case(
            "resume",
            CLIENT.resume(resumer=KEY, scopes=Scope.MINT | Scope.BURN, mint=MINT),
            pause,
            (KEY, config, ASSET, None, None),
        ),
        Case(
            "clear_hold",
            CLIENT.clear_hold(resumer=KEY, mint=MINT, holds=Hold.RISE | Hold.CA_WINDOW, hold_number=2**63),
            {"holds": 5, "hold_number": 2**63},
            (KEY, config, ASSET),
        ),
        Case(
            "schedule_multiplier",
            CLIENT.schedule_multiplier(
                corporate_actions=KEY, mint=MINT, current_bits=1, new_bits=2**64 - 1, effective_ts=2**40
            ),
            {"current_bits": 1, "new_bits": 2**64 - 1, "effective_ts": 2**40},
            (KEY, config, ASSET, MINT, known.TOKEN_2022, None),
        ),
        Case(
            "schedule_multiplier",
            CLIENT.schedule_multiplier(
                corporate_actions=KEY, mint=MINT, current_bits=1, new_bits=2, effective_ts=3, admin=KEY
            ),
            {"current_bits": 1, "new_bits": 2, "effective_ts": 3},
            (KEY, config, ASSET, MINT, known.TOKEN_2022, KEY),
        ),
        Case(
            "cancel_multiplier",
            CLIENT.cancel_multiplier(authority=KEY, mint=MINT, pending_bits=5),
            {"pending_bits": 5},
            (KEY, config, ASSET, MINT, known.TOKEN_2022),
        ),
    ]
