"""Is this token backed, now, on your terms?

.venv/bin/python docs/examples/read_reserve.py RPC_URL PROGRAM_ID MINT MIN_TIMELOCK_SECS [UPGRADE_AUTHORITY]
"""

import asyncio
import json
import sys

from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, parse_address
from xstocks_daemon.chain.mint_layout import read_mint
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.domain.reserve import Reserve, Terms, reserve_of


async def read_reserve(rpc_url: str, program_id: str, mint_text: str, terms: Terms) -> Reserve:
    """The reserve of a mint at finalized. MalformedAccount where an account is not what it must be."""
    client, mint = ProgramClient(parse_address(program_id)), parse_address(mint_text)
    asset_address = client.addresses.asset(mint)
    async with RpcPool([rpc_url]) as pool:
        rpc = pool.endpoints[0]
        # Once to learn who its custodians are; then everything in one answer, so of one slot.
        [found] = (await rpc.multiple_accounts([asset_address])).value
        if found is None:
            raise SystemExit(f"{mint_text} is no asset of {program_id}")
        custodians = [each.custodian for each in client.asset(asset_address, found.data, found.owner).entries]
        program_data = client.addresses.program_data
        addresses = [client.addresses.config, asset_address, mint, CLOCK_SYSVAR, program_data, *custodians]
        accounts = (await rpc.multiple_accounts(addresses)).value
    config, asset, token, clock, code, *custodian_accounts = (each for each in accounts if each is not None)
    return reserve_of(
        client.config(config.data, config.owner),
        client.asset(asset_address, asset.data, asset.owner),
        mint,
        read_mint(mint, token.data, token.owner),
        [
            client.custodian(address, each.data, each.owner)
            for address, each in zip(custodians, custodian_accounts, strict=True)
        ],
        now_ts=int.from_bytes(clock.data[32:40], "little"),
        upgrade_authority=client.upgrade_authority(program_data, code.data, code.owner),
        terms=terms,
    )


if __name__ == "__main__":
    rpc_url, program_id, mint_text, min_timelock_secs, *authority = sys.argv[1:]
    terms = Terms(int(min_timelock_secs), parse_address(authority[0]) if authority else None)
    reserve = asyncio.run(read_reserve(rpc_url, program_id, mint_text, terms))
    print(
        json.dumps(
            {
                "enforced": reserve.enforced,
                "holds": int(reserve.holds),
                "multiplier_bits": str(reserve.multiplier_bits),
                "supply_raw": str(reserve.supply_raw),
                "ceiling_raw": str(reserve.ceiling_raw),
                "fully_backed": reserve.fully_backed,
                "shortfall_raw": str(reserve.shortfall_raw),
                "lacks_less_than_nano": str(reserve.lacks_less_than_nano),
                "oldest_age_secs": reserve.oldest_age_secs,
            }
        )
    )
