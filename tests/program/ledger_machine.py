"""The random instructions that the program and the model of its ledger both run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from localnet.harness.deploy import CUSTODIANS
from tests.program.ledger_bench import Bench
from tests.program.ledger_model import (
    BPS,
    POLICY,
    SKEW_SECS,
    LedgerModel,
    scopes,
)
from tests.program.ledger_parts import BucketModel, EntryModel
from tests.program.multiplier_calls import cancel as cancelling
from tests.program.multiplier_calls import schedule as scheduling
from tests.support.deployed import NANO_PER_RAW, Asset
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import Request
from xstocks_daemon.chain.mint_layout import read_mint, read_token_account
from xstocks_daemon.domain.snapshot import Hold, RedemptionState, Scope
from xstocks_daemon.domain.units import MILLIS_PER_SEC, multiplier_bits_of, multiplier_fraction

# ---- the machine ----------------------------------------------------------------------------------------------------


amounts = st.one_of(st.integers(0, 50), st.integers(0, 3_000), st.sampled_from(["ceiling", "ceiling + 1", "vault"]))

custodians = st.sampled_from(CUSTODIANS)

passed_custodians = st.sampled_from([(OWN_CUSTODIAN,), CUSTODIANS, CUSTODIANS, ()])

#: Mostly right numbers: a wrong one teaches little more than the first time.
sequence_errors = st.sampled_from([0] * 8 + [-1, 1])

redeemed_amounts = st.one_of(
    st.integers(0, 50), st.integers(0, 600), st.sampled_from(["held", "held + 1", "covered", "covered + 1"])
)

chances = st.sampled_from([False] * 9 + [True])

multipliers = st.sampled_from([multiplier_bits_of(each) for each in ("1", "1.02", "0.5", "2", "0.99")])

#: Mostly the last claim: older ones are mostly closed.
claims_back = st.sampled_from([1, 1, 1, 2, 3, 4])


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does one thing to the program and to the model."""

    bench: ClassVar[Bench]
    beginning: ClassVar[str] = "empty"

    def __init__(self) -> None:
        super().__init__()
        self.asset: Asset
        self.now_ts: int | None = None
        """The chain's clock, where it was read since the last slot."""
        self.model: LedgerModel

    @initialize()
    def fresh_asset(self) -> None:
        self.asset = self.bench.run(self._fresh_asset())
        state = self.bench.run(self.asset.read())
        assert {state.mint_bucket.level_raw, state.distribute_bucket.level_raw, state.burn_bucket.level_raw} == {0}
        self.model = LedgerModel(
            entries={
                custodian: EntryModel(entry.observed_ms)
                for custodian, entry in zip(CUSTODIANS, state.entries, strict=True)
            },
            mint_bucket=BucketModel(0, state.mint_bucket.updated_ts),
            distribute_bucket=BucketModel(0, state.distribute_bucket.updated_ts),
            burn_bucket=BucketModel(0, state.burn_bucket.updated_ts),
            multiplier_bits=state.multiplier_bits,
        )
        self.requests: list[Request] = []
        if self.beginning == "multipliers":
            for custodian, shares_nano in zip(CUSTODIANS, (20_000_000, 5_000_000), strict=True):
                self.attest(custodian, shares_nano, 0, True, 10_000, 0, "same")
        if (
            self.beginning == "redemptions"
        ):  # chance rarely gets tokens to the participant first; no rise is to hold minting
            self.bench.run(self.bench.program.chain.advance_clock(60))
            self._change_policy(max_rise_bps=10**6)
            for custodian, shares_nano in zip(CUSTODIANS, (20_000, 5_000), strict=True):
                self.attest(custodian, shares_nano, 0, True, 10_000, 0, "same")
            self.mint("ceiling", 0, CUSTODIANS)
            self.distribute(POLICY.distribute_burst_raw // 2, 0)

    async def _fresh_asset(self) -> Asset:
        asset = await self.bench.pool.take()
        await asset.open_account(address_of(self.bench.wallet))
        return asset

    # ---- what happens -----------------------------------------------------------------------------------------------

    @rule(amount=amounts, wrong_by=sequence_errors, passed=passed_custodians)
    def mint(self, amount: int | str, wrong_by: int, passed: tuple[str, ...]) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            sequence, amount_raw = self._sequence(wrong_by), self._amount(amount, now_ts, passed)
            sent = await self.asset.mint_call(amount_raw, sequence=sequence, custodians=passed)
            return sent, self.model.mint(now_ts, sequence, amount_raw, passed)

        self._both(step)

    @rule(amount=amounts, wrong_by=sequence_errors)
    def burn(self, amount: int | str, wrong_by: int) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            sequence, amount_raw = self._sequence(wrong_by), self._amount(amount, now_ts, CUSTODIANS)
            sent = await self.asset.burn_call(amount_raw, sequence=sequence)
            return sent, self.model.burn(now_ts, sequence, amount_raw)

        self._both(step)

    @rule(amount=amounts, wrong_by=sequence_errors)
    def distribute(self, amount: int | str, wrong_by: int) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            sequence, amount_raw = self._sequence(wrong_by), self._amount(amount, now_ts, CUSTODIANS)
            sent = await self.asset.distribute_call(amount_raw, self.bench.wallet, sequence=sequence)
            return sent, self.model.distribute(now_ts, sequence, amount_raw)

        self._both(step)

    @rule(
        custodian=custodians,
        shares_nano=st.integers(0, 70_000),
        age_ms=st.one_of(st.integers(-SKEW_SECS * MILLIS_PER_SEC - 1, 0), st.integers(-500, 200_000)),
        newer=st.booleans(),
        life_secs=st.sampled_from([0, 1, 60, 10_000, 10_000]),
        capacity_error=st.sampled_from([0] * 8 + [-1, 1]),
        seen=st.sampled_from(["same", "same", "half", "all", "all + 1"]),
    )
    def attest(
        self,
        custodian: str,
        shares_nano: int,
        age_ms: int,
        newer: bool,
        life_secs: int,
        capacity_error: int,
        seen: str,
    ) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            observed_ms = now_ts * MILLIS_PER_SEC - age_ms
            if newer:
                observed_ms = max(observed_ms, self.model.entries[custodian].observed_ms + 1)
            # Who signs signs the multiplier in force.
            asset = replace(self.asset, multiplier_bits=self.model.in_force(now_ts))
            statement = await self.bench.program.statement(
                {asset: shares_nano}, custodian=custodian, observed_ms=observed_ms, expires_ts=now_ts + life_secs
            )
            capacity_raw = max(0, statement.entries[0].capacity_raw + capacity_error)
            entry = self.model.entries[custodian]
            seen_raw = {
                "same": entry.redeemed_seen_raw,
                "half": (entry.redeemed_seen_raw + entry.redeemed_total_raw) // 2,
                "all": entry.redeemed_total_raw,
                "all + 1": entry.redeemed_total_raw + 1,
            }[seen]
            line = replace(statement.entries[0], capacity_raw=capacity_raw, redeemed_seen_raw=seen_raw)
            statement = replace(statement, entries=(line,))
            sent = self.bench.program.relay(statement, *self.bench.program.quorum(custodian))
            return sent, self.model.attest(
                now_ts, custodian, observed_ms, statement.expires_ts, shares_nano, capacity_raw, seen_raw
            )

        self._both(step)

    @rule(amount=redeemed_amounts, again=st.sampled_from([False] * 9 + [True]))
    def request(self, amount: int | str, again: bool) -> None:
        async def step(_now_ts: int) -> tuple[Call, ErrorCode | None]:
            request = self._claim(1) if again else Request(self.asset, self.bench.wallet)
            amount_raw = self._redeemed_amount(amount)
            predicted = self.model.request(request.address, amount_raw)
            if predicted is None:
                self.requests.append(request)
            return request.request_call(amount_raw), predicted

        self._both(step)

    @precondition(lambda self: self.requests)
    @rule(back=claims_back, custodian=custodians)
    def settle(self, back: int, custodian: str) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            request = self._claim(back)
            return request.settle_call(custodian), self.model.settle(now_ts, request.address, custodian)

        self._both(step)

    @precondition(lambda self: self.requests)
    @rule(back=claims_back, custodian=custodians)
    def accept(self, back: int, custodian: str) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            request = self._claim(back)
            return request.accept_call(custodian), self.model.accept(now_ts, request.address, custodian)

        self._both(step)

    @precondition(lambda self: self.requests)
    @rule(back=claims_back, cancel=st.booleans())
    def give_back(self, back: int, cancel: bool) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            request = self._claim(back)
            sent = request.cancel_call() if cancel else request.reject_call()
            state = RedemptionState.CANCELLED if cancel else RedemptionState.REJECTED
            return sent, self.model.give_back(now_ts, request.address, state)

        self._both(step)

    @rule(amount=redeemed_amounts, custodian=custodians, mint=st.sampled_from(["ceiling", "ceiling + 1"]))
    def redeem_and_mint(self, amount: int | str, custodian: str, mint: str) -> None:
        """One after the other, since chance seldom puts them so: what is burnt must not be minted again (M6)."""
        self.request(amount, False)
        if self.requests:
            self.accept(1, custodian)
        self.settle(1, custodian)
        self.mint(mint, 0, CUSTODIANS)

    def _claim(self, back: int) -> Request:
        """One of the last claims, or one that nobody made."""
        return self.requests[-back] if back <= len(self.requests) else Request(self.asset, self.bench.wallet)

    def _redeemed_amount(self, amount: int | str) -> int:
        held_raw = self.model.held_raw
        covered_raw = max(0, *(entry.capacity_raw - entry.unseen_raw for entry in self.model.entries.values()))
        named = {"held": held_raw, "held + 1": held_raw + 1, "covered": covered_raw, "covered + 1": covered_raw + 1}
        return named[amount] if isinstance(amount, str) else amount

    @rule(custodian=custodians)
    def withdraw(self, custodian: str) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            program, attester = self.bench.program, self.bench.program.quorum(custodian)[1]
            instruction = program.client.withdraw_entry(
                attester=address_of(attester), custodian=program.custodian(custodian).address, mint=self.asset.mint
            )
            return call(instruction, attester), self.model.withdraw(now_ts, custodian)

        self._both(step)

    @rule(custodian=custodians, attach=st.booleans())
    def attach_or_detach(self, custodian: str, attach: bool) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            program = self.bench.program
            build = program.client.attach_custodian if attach else program.client.detach_custodian
            instruction = build(
                admin=program.keys.admin.address, custodian=program.custodian(custodian).address, mint=self.asset.mint
            )
            predicted = self.model.attach(now_ts, custodian) if attach else self.model.detach(custodian)
            return program.by("admin", instruction), predicted

        self._both(step)

    @rule(scopes=scopes)
    def pause(self, scopes: Scope) -> None:
        async def step(_now_ts: int) -> tuple[Call, ErrorCode | None]:
            program = self.bench.program
            guardian = program.keys.guardian.address
            sent = program.by("guardian", program.client.pause(guardian=guardian, scopes=scopes, mint=self.asset.mint))
            return sent, self.model.pause(scopes)

        self._both(step)

    @rule(scopes=scopes)
    def resume(self, scopes: Scope) -> None:
        async def step(_now_ts: int) -> tuple[Call, ErrorCode | None]:
            program = self.bench.program
            resumer = program.keys.resumer.address
            sent = program.by("resumer", program.client.resume(resumer=resumer, scopes=scopes, mint=self.asset.mint))
            return sent, self.model.resume(scopes)

        self._both(step)

    @rule(holds=st.sampled_from([Hold.RISE, Hold.RISE | Hold.MULTIPLIER, Hold.CA_WINDOW]), wrong=chances)
    def clear_hold(self, holds: Hold, wrong: bool) -> None:
        async def step(_now_ts: int) -> tuple[Call, ErrorCode | None]:
            program, number = self.bench.program, self.model.hold_number + wrong
            resumer = program.keys.resumer.address
            sent = program.client.clear_hold(resumer=resumer, mint=self.asset.mint, holds=holds, hold_number=number)
            return program.by("resumer", sent), self.model.clear_hold(holds, number)

        self._both(step)

    @rule(new_bits=multipliers, notice_secs=st.sampled_from([0, 59, 60, 60, 61]), wrong=chances, admin=st.booleans())
    def schedule(self, new_bits: int, notice_secs: int, wrong: bool, admin: bool) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            current_bits, effective_ts = self.model.in_force(now_ts) ^ wrong, now_ts + notice_secs
            sent = scheduling(self.asset, effective_ts, new_bits, current_bits=current_bits, admin=admin)
            return sent, self.model.schedule(now_ts, current_bits, new_bits, effective_ts, admin)

        self._both(step)

    @rule(wrong=chances)
    def cancel_change(self, wrong: bool) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            pending_bits = self.model.pending_multiplier_bits ^ wrong
            sent = cancelling(self.asset, pending_bits=pending_bits)
            return sent, self.model.cancel_change(now_ts, pending_bits)

        self._both(step)

    @rule(new_bits=multipliers, custodian=custodians, kept=st.sampled_from([10_000, 10_000, 10_010, 10_011, 9_989]))
    def corporate_action(self, new_bits: int, custodian: str, kept: int) -> None:
        """From announcement to a statement of as many tokens, one after the other: chance seldom puts them so."""
        self.schedule(new_bits, 60, False, True)
        self.time_passes(60)
        shares = self.model.entries[custodian].capacity_raw * NANO_PER_RAW * multiplier_fraction(new_bits)
        self.attest(custodian, round(shares * kept / BPS), 0, True, 10_000, 0, "same")
        self.mint(1, 0, CUSTODIANS)

    @rule(burst_raw=st.integers(0, 3_000), rate_raw=st.integers(0, 200), limit_raw=st.integers(3_000, 8_000))
    def set_policy(self, burst_raw: int, rate_raw: int, limit_raw: int) -> None:
        self._change_policy(
            supply_limit_raw=limit_raw,
            mint_burst_raw=burst_raw,
            mint_refill_raw_per_sec=rate_raw,
            distribute_burst_raw=burst_raw // 2,
        )

    def _change_policy(self, **changes: int) -> None:
        async def step(now_ts: int) -> tuple[Call, ErrorCode | None]:
            program = self.bench.program
            policy = replace(self.model.policy, **changes)
            admin = program.keys.admin.address
            instruction = program.client.loosen_policy(admin=admin, mint=self.asset.mint, policy=policy)
            return program.by("admin", instruction), self.model.set_policy(now_ts, policy)

        self._both(step)

    @rule(secs=st.one_of(st.integers(0, 5), st.integers(0, 200), st.just(POLICY.ca_window_secs)))
    def time_passes(self, secs: int) -> None:
        self.now_ts = None
        self.bench.run(self.bench.program.chain.advance_clock(secs))

    # ---- what must hold ---------------------------------------------------------------------------------------------

    def _both(self, step: Any) -> None:
        """Run one step on both; the clock stands still from its reading to the execution."""

        async def act() -> None:
            program = self.bench.program
            now_ts, self.now_ts = self.now_ts, None
            sent, predicted = await step(await program.chain.clock_ts() if now_ts is None else now_ts)
            if predicted is None:
                await program.accepted(sent)
            else:
                await program.refused(sent, predicted)

        self.bench.run(act())

    def _sequence(self, wrong_by: int) -> int:
        return max(0, self.model.sequence + wrong_by)

    def _amount(self, amount: int | str, now_ts: int, passed: tuple[str, ...]) -> int:
        """Amounts at the edges are named, since chance does not find them."""
        room_raw = max(0, self.model.ceiling_raw(now_ts, passed) - self.model.supply_raw)
        named = {"ceiling": room_raw, "ceiling + 1": room_raw + 1, "vault": self.model.vault_raw}
        return named[amount] if isinstance(amount, str) else amount

    @invariant()
    def accounts_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        self.bench.run(self._accounts_agree())

    async def _accounts_agree(self) -> None:
        model, asset = self.model, self.asset
        wallet = asset.token_account(address_of(self.bench.wallet))
        waiting = self.bench.program.addresses.redemption_vault(asset.mint)
        records = list(model.redemptions)
        read, self.now_ts = await self.bench.program.chain.batches.accounts_and_clock(
            [asset.address, asset.mint, asset.vault, wallet, waiting, *records]
        )
        found = {address: info for address, info in read.items() if info is not None}
        state = self.bench.program.client.asset(asset.address, found[asset.address].data)
        numbers = (
            "sequence",
            "initial_mint_raw",
            "minted_raw",
            "burnt_raw",
            "distributed_raw",
            "paused",
            "holds",
            "hold_number",
            "policy",
            "multiplier_bits",
            "pending_multiplier_bits",
            "multiplier_effective_ts",
            "multiplier_changed_ts",
            "change_cancelled_ts",
        )
        assert {name: getattr(state, name) for name in numbers} == {name: getattr(model, name) for name in numbers}
        for name in ("mint_bucket", "distribute_bucket", "burn_bucket"):
            bucket, expected = getattr(state, name), getattr(model, name)
            assert (bucket.level_raw, bucket.updated_ts) == (expected.level_raw, expected.updated_ts), name
        for entry, said in zip(state.entries, model.entries.values(), strict=True):
            for name in said.__dataclass_fields__:
                assert getattr(entry, name) == getattr(said, name), name
        mint = read_mint(asset.mint, found[asset.mint].data)
        assert mint.supply_raw == model.supply_raw
        assert mint.effective_multiplier_bits(self.now_ts) == model.in_force(self.now_ts)
        balances = {
            each: read_token_account(each, found[each].data).amount_raw for each in (asset.vault, wallet, waiting)
        }
        assert balances == {asset.vault: model.vault_raw, wallet: model.held_raw, waiting: model.waiting_raw}
        assert model.supply_raw == sum(balances.values())
        for record, claim in model.redemptions.items():
            redemption = self.bench.program.client.redemption(record, found[record].data)
            custodian = None if claim.custodian is None else self.bench.program.custodian(claim.custodian).address
            assert (redemption.state, redemption.amount_raw, redemption.custodian) == (
                claim.state,
                claim.amount_raw,
                custodian,
            )
            accepted = redemption.accepted_epoch, redemption.locked_until_ts
            assert accepted == (claim.accepted_epoch, claim.locked_until_ts)
        open_ones = [claim for claim in model.redemptions.values() if claim.state is RedemptionState.REQUESTED]
        assert state.open_redemptions == len(open_ones)
        # M6, M12: what was burnt is the operator's burns and what entries owe or have counted.
        settled = [claim for claim in model.redemptions.values() if claim.state is RedemptionState.SETTLED]
        assert state.redeemed_raw == sum(claim.amount_raw for claim in settled)
