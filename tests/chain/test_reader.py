"""M10: what the daemon decides on is finalized and the same from two endpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chain.builders import AAPLX, NVDAX, SPYX, asset_data, deployment, own, token_account, two_nodes
from tests.chain.cases import CLIENT, CUSTODIAN, KEY
from tests.chain.fake_rpc import GENESIS, QUICK, FakeNode, http_error, serving
from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58
from xstocks_daemon.chain.errors import (
    AccountMissing,
    AssetNotRegistered,
    ChainDisagreement,
    MalformedAccount,
    RpcBehind,
    RpcUnreachable,
    SingleEndpoint,
    WrongCluster,
)
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address

MINTS = (AAPLX, SPYX, NVDAX)


async def read(*nodes: FakeNode, mints: tuple[Address, ...] = MINTS, single_endpoint: bool = False) -> ChainSnapshot:
    async with serving(*nodes) as urls, RpcPool(urls, QUICK) as pool:
        return await ChainReader(pool, CLIENT, single_endpoint=single_endpoint).snapshot(mints)


async def test_snapshot_holds_everything_of_one_cycle() -> None:
    one, other = two_nodes(*MINTS)
    one.slot, other.slot = 1_003, 1_001
    one.now_ts, other.now_ts = 1_700_000_001, 1_700_000_000
    snapshot = await read(one, other)
    assert snapshot.slot == 1_001
    assert snapshot.now_ts == 1_700_000_001
    assert (snapshot.genesis_hash, snapshot.program_id) == (GENESIS, CLIENT.program_id)
    assert snapshot.config.genesis_hash == GENESIS
    assert [custodian.name for custodian in snapshot.custodians.values()] == ["Alpaca"]
    assert [view.mint.symbol for view in snapshot.assets.values()] == ["AAPLx", "SPYx", "NVDAx"]
    view = snapshot.assets[AAPLX]
    assert (view.vault_raw, view.redemption_vault_raw) == (1_000, 20)
    assert view.circulating_raw == view.mint.supply_raw - 1_020
    assert view.asset.sequence == 5
    reads = [params for method, params in one.calls if method == "getMultipleAccounts"]
    commitments = {params[1]["commitment"] for params in reads if params[0] != [base58(CLOCK_SYSVAR)]}
    assert commitments == {"finalized"}


async def test_each_asset_comes_in_one_call() -> None:
    one, other = two_nodes(*MINTS)
    wanted = list(MINTS) * 20
    async with serving(one, other) as urls, RpcPool(urls, QUICK) as pool:
        await ChainReader(pool, CLIENT).snapshot(wanted)
    asked = [params[0] for method, params in one.calls if method == "getMultipleAccounts"]
    assert all(len(texts) <= 100 for texts in asked)
    for mint in MINTS:
        a = CLIENT.addresses
        group = {base58(each) for each in (a.asset(mint), mint, a.vault(mint), a.redemption_vault(mint))}
        assert all(len(group & set(texts)) in (0, 4) for texts in asked)


async def test_config_and_custodians_are_read_no_earlier_than_the_assets() -> None:
    one, other = two_nodes(AAPLX)
    await read(one, other, mints=(AAPLX,))
    shared, clock = [params for method, params in one.calls if method == "getMultipleAccounts"][-2:]
    assert shared[0][0] == base58(CLIENT.addresses.config)
    assert shared[1]["minContextSlot"] == 1_000
    assert clock[0] == [base58(CLOCK_SYSVAR)]
    assert clock[1]["commitment"] == "confirmed"


async def test_difference_is_read_again_at_the_higher_slot() -> None:
    one, other = two_nodes(*MINTS)
    spy = CLIENT.addresses.asset(SPYX)
    lagging = one.accounts[spy]
    other.slot = 1_010
    other.accounts[spy] = own(asset_data(SPYX, sequence=6))

    def catch_up(method: str, node: FakeNode) -> None:
        if node.count("getMultipleAccounts") == 2:
            node.slot, node.accounts[spy] = 1_010, other.accounts[spy]

    one.before = catch_up
    snapshot = await read(one, other)
    assert lagging != one.accounts[spy]
    assert snapshot.assets[SPYX].asset.sequence == 6
    again = [params for method, params in one.calls if method == "getMultipleAccounts"][1]
    assert again[1]["minContextSlot"] == 1_010
    # Only what differed is read again.
    assert len(again[0]) == 4


async def test_three_differences_end_by_name() -> None:
    one, other = two_nodes(*MINTS)
    vault = CLIENT.addresses.vault(SPYX)
    other.accounts[vault] = token_account(SPYX, CLIENT.addresses.asset(SPYX), 1_001)
    with pytest.raises(ChainDisagreement) as disagreement:
        await read(one, other)
    assert disagreement.value.addresses == (base58(CLIENT.addresses.asset(SPYX)),)
    assert one.count("getMultipleAccounts") == 3


async def test_two_differences_are_still_settled() -> None:
    one, other = two_nodes(AAPLX)
    asset = CLIENT.addresses.asset(AAPLX)
    agreed = own(asset_data(AAPLX, sequence=9))

    def settle(method: str, node: FakeNode) -> None:
        if method == "getMultipleAccounts":
            number = node.count("getMultipleAccounts")
            node.accounts[asset] = (
                agreed if number >= 3 else own(asset_data(AAPLX, sequence=number + 50 * (node is one)))
            )

    one.before = other.before = settle
    snapshot = await read(one, other, mints=(AAPLX,))
    assert snapshot.assets[AAPLX].asset.sequence == 9


async def test_difference_in_lamports_or_owner_counts_too() -> None:
    one, other = two_nodes(AAPLX)
    other.accounts[AAPLX] = replace(other.accounts[AAPLX], lamports=1)
    with pytest.raises(ChainDisagreement):
        await read(one, other, mints=(AAPLX,))


async def test_one_endpoint_must_be_said() -> None:
    node = FakeNode(accounts=deployment(AAPLX))
    with pytest.raises(SingleEndpoint, match="single_endpoint = true"):
        await read(node, mints=(AAPLX,))
    assert node.calls == []
    assert (await read(node, mints=(AAPLX,), single_endpoint=True)).assets[AAPLX].asset.sequence == 5


async def test_second_endpoint_down_is_no_snapshot() -> None:
    one, other = two_nodes(AAPLX)
    other.fail("getMultipleAccounts", *[http_error(503)] * 3)
    with pytest.raises(RpcUnreachable):
        await read(one, other, mints=(AAPLX,))


async def test_assets_that_are_not_registered_are_listed() -> None:
    one, other = two_nodes(AAPLX)
    with pytest.raises(AssetNotRegistered) as missing:
        await read(one, other)
    assert missing.value.mints == (SPYX, NVDAX)
    assert base58(SPYX) in str(missing.value)


async def test_missing_or_foreign_accounts_are_named() -> None:
    one, other = two_nodes(AAPLX)
    for node in (one, other):
        del node.accounts[CLIENT.addresses.vault(AAPLX)]
    with pytest.raises(AccountMissing, match=base58(CLIENT.addresses.vault(AAPLX))):
        await read(one, other, mints=(AAPLX,))
    for node in (one, other):
        node.accounts[CLIENT.addresses.vault(AAPLX)] = token_account(SPYX, CLIENT.addresses.asset(AAPLX), 1)
    with pytest.raises(MalformedAccount, match="is of mint"):
        await read(one, other, mints=(AAPLX,))
    one, other = two_nodes()
    for node in (one, other):
        del node.accounts[CLIENT.addresses.config]
    with pytest.raises(AccountMissing, match="not initialized on this cluster"):
        await read(one, other, mints=())
    one, other = two_nodes(AAPLX)
    for node in (one, other):
        del node.accounts[CUSTODIAN]
    with pytest.raises(AccountMissing, match=f"custodian {base58(CUSTODIAN)} is not registered"):
        await read(one, other, mints=(AAPLX,))


@pytest.mark.parametrize(
    "changes",
    [
        {"mint": SPYX},
        {"vault": CLIENT.addresses.vault(SPYX)},
        {"vault": CLIENT.addresses.redemption_vault(AAPLX)},
        {"redemption_vault": CLIENT.addresses.redemption_vault(SPYX)},
        {"redemption_vault": CLIENT.addresses.vault(AAPLX)},
    ],
)
async def test_asset_account_that_names_another_mint_or_vault_is_refused(changes: dict[str, Address]) -> None:
    one, other = two_nodes(AAPLX)
    assert AAPLX in (await read(one, other, mints=(AAPLX,))).assets
    for node in (one, other):
        node.accounts[CLIENT.addresses.asset(AAPLX)] = own(asset_data(AAPLX, **changes))
    with pytest.raises(MalformedAccount, match="names another mint or other vaults than its own"):
        await read(one, other, mints=(AAPLX,))


async def test_a_clock_of_another_size_is_refused() -> None:
    one, other = two_nodes(AAPLX)
    for node in (one, other):
        node.clock_bytes = 41
    with pytest.raises(MalformedAccount, match="the clock sysvar is missing or has another size"):
        await read(one, other, mints=(AAPLX,))


async def test_the_slot_of_a_snapshot_is_the_lowest_that_was_read() -> None:
    """The nodes move on between the calls, and the second one is ahead."""
    one, other = two_nodes(AAPLX)
    other.slot = 1_007

    def move_on(method: str, node: FakeNode) -> None:
        node.slot += method == "getMultipleAccounts"

    one.before = other.before = move_on
    snapshot = await read(one, other, mints=(AAPLX,))
    assert snapshot.slot == 1_001
    assert one.slot == 1_003


async def test_wrong_cluster_is_noticed_before_anything_is_decided() -> None:
    one, other = two_nodes(AAPLX)
    other.genesis_hash = KEY
    with pytest.raises(WrongCluster, match=base58(KEY)):
        await read(one, other, mints=(AAPLX,))
    one.genesis_hash = KEY
    with pytest.raises(WrongCluster, match="the program was initialized for"):
        await read(one, other, mints=(AAPLX,))


async def test_unchanged_bytes_are_not_decoded_again() -> None:
    one, other = two_nodes(AAPLX, SPYX)
    async with serving(one, other) as urls, RpcPool(urls, QUICK) as pool:
        reader = ChainReader(pool, CLIENT)
        before = await reader.snapshot((AAPLX, SPYX))
        for node in (one, other):
            node.accounts[CLIENT.addresses.asset(SPYX)] = own(asset_data(SPYX, sequence=6))
        after = await reader.snapshot((AAPLX, SPYX))
    assert after.assets[AAPLX] is before.assets[AAPLX]
    assert after.assets[SPYX].asset.sequence == 6


async def test_a_later_snapshot_is_never_of_a_lower_slot() -> None:
    # An older reading would show what holders burnt as lower than recorded, which halts the asset (M12).
    one, other = two_nodes(AAPLX)
    async with serving(one, other) as urls, RpcPool(urls, QUICK) as pool:
        reader = ChainReader(pool, CLIENT)
        assert (await reader.snapshot([AAPLX])).slot == 1_000
        one.slot = other.slot = 999
        with pytest.raises(RpcBehind, match="answered at slot 999, 1000 was asked for"):
            await reader.snapshot([AAPLX])
        one.slot = other.slot = 1_000
        assert (await reader.snapshot([AAPLX])).slot == 1_000
