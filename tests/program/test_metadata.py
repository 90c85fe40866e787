"""set_metadata: the admin writes fields of the mint's metadata, and pays for its growth."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from solders.instruction import Instruction

from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import patched, with_account, with_data
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import call
from xstocks_daemon.chain.mint_layout import Extension, extensions
from xstocks_daemon.chain.program import Profile

MINT = 3


def setting(program: DeployedProgram, asset: Asset, updates: Sequence[tuple[str, str]]) -> Instruction:
    return program.client.set_metadata(admin=program.keys.admin.address, mint=asset.mint, updates=updates)


async def fields_of(asset: Asset) -> list[tuple[str, str]]:
    """The metadata in their order on chain: name, symbol, uri, then the additional pairs."""
    info = await asset.program.chain.account(asset.mint)
    rest = dict(extensions(asset.mint, info.data))[Extension.TOKEN_METADATA][64:]

    def text() -> str:
        nonlocal rest
        length = 4 + int.from_bytes(rest[:4], "little")
        taken, rest = rest[4:length], rest[length:]
        return taken.decode()

    found = [(key, text()) for key in ("name", "symbol", "uri")]
    count, rest = int.from_bytes(rest[:4], "little"), rest[4:]
    found += [(text(), text()) for _ in range(count)]
    assert rest == b""
    return found


@pytest.mark.parametrize("profile", [Profile.XSTOCKS, Profile.OPEN])
async def test_base_and_additional_fields_are_written(program: DeployedProgram, profile: Profile) -> None:
    [asset] = await program.register(profile=profile)
    before = dict(await fields_of(asset))
    updates = [
        ("name", "A much longer name than before xStock"),
        ("symbol", "LONGx"),
        ("uri", ""),
        ("isin", "CH9999999999"),
        ("a new field", "of some value that was not there"),
    ]
    assert before.keys() == {"name", "symbol", "uri", "isin", "underlying_isin"}
    [event] = await program.accepted(program.by("admin", setting(program, asset, updates)))
    assert (event.name, event.fields) == ("MetadataChanged", {"mint": asset.mint, "fields": len(updates)})
    assert dict(await fields_of(asset)) == before | dict(updates)
    mint = await asset.read_mint()
    assert (mint.name, mint.symbol) == ("A much longer name than before xStock", "LONGx")
    # The multiplier stands where it stood: a mint reads it.
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))


async def test_the_admin_pays_for_the_growth_and_no_more(program: DeployedProgram, asset: Asset) -> None:
    chain = program.chain
    small = await chain.account(asset.mint)
    assert small.lamports == await chain.rpc.rent_exempt_lamports(len(small.data))
    await program.accepted(program.by("admin", setting(program, asset, [("notes", "x" * 400)])))
    grown = await chain.account(asset.mint)
    assert len(grown.data) > len(small.data) + 400
    assert grown.lamports == await chain.rpc.rent_exempt_lamports(len(grown.data))
    # A shorter one costs nothing and gives nothing back.
    await program.accepted(program.by("admin", setting(program, asset, [("notes", "")])))
    shrunk = await chain.account(asset.mint)
    assert len(shrunk.data) == len(grown.data) - 400
    assert shrunk.lamports == grown.lamports


@pytest.mark.parametrize("key", ["name", "symbol"])
async def test_name_and_symbol_are_never_empty(program: DeployedProgram, asset: Asset, key: str) -> None:
    await program.refused(program.by("admin", setting(program, asset, [(key, "")])), ErrorCode.MetadataInvalid)
    # Not even for the moment of one instruction.
    hidden = setting(program, asset, [("uri", "x"), (key, ""), (key, "y")])
    await program.refused(program.by("admin", hidden), ErrorCode.MetadataInvalid)
    await program.accepted(program.by("admin", setting(program, asset, [(key, "y")])))


UNSHOWN = {
    "an escape": ("A\x1b[2J", ErrorCode.MetadataControl),
    "a bell": ("A\x07", ErrorCode.MetadataControl),
    "a zero byte": ("\0A", ErrorCode.MetadataControl),
    "a new line": ("A\nB", ErrorCode.MetadataControl),
    "a delete": ("A\x7f", ErrorCode.MetadataControl),
    "a control of the second row": ("A\u0085B", ErrorCode.MetadataControl),
    "one space": (" ", ErrorCode.MetadataBlank),
    "spaces of several widths": ("\u00a0\u2003\u3000\u200b", ErrorCode.MetadataBlank),
}


@pytest.mark.parametrize(("text", "error"), UNSHOWN.values(), ids=UNSHOWN)
@pytest.mark.parametrize("key", ["name", "symbol"])
async def test_name_and_symbol_can_be_shown(
    program: DeployedProgram, asset: Asset, key: str, text: str, error: ErrorCode
) -> None:
    await program.refused(program.by("admin", setting(program, asset, [(key, text)])), error)
    # Not even for the moment of one instruction.
    await program.refused(program.by("admin", setting(program, asset, [(key, text), (key, "A")])), error)
    await program.accepted(program.by("admin", setting(program, asset, [(key, "A \u00a0é")])))


async def test_nothing_that_is_written_has_control_characters(program: DeployedProgram, asset: Asset) -> None:
    """A blank value is none; wallets show keys and values as they show names."""
    for bad in (("uri", "https://x\n"), ("note", "a\x1b"), ("no\te", "a")):
        await program.refused(program.by("admin", setting(program, asset, [bad])), ErrorCode.MetadataControl)
    await program.accepted(program.by("admin", setting(program, asset, [("uri", " "), ("note", " "), ("no e", "")])))


@pytest.mark.parametrize("field", ["name", "symbol", "uri"])
async def test_a_registered_mint_has_a_name_that_can_be_shown(program: DeployedProgram, field: str) -> None:
    fresh = await program.mint_to_register()
    await program.chain.accepted(call(fresh.create, program.keys.admin.keypair, fresh.key))

    def registering(text: str) -> Instruction:
        name, symbol, uri = (text if field == each else "A b" for each in ("name", "symbol", "uri"))
        return program.registration(fresh.mint, name=name, symbol=symbol, uri=uri)

    bad = {"control": ("A\x07", ErrorCode.MetadataControl)}
    if field != "uri":
        bad |= {"blank": ("\u3000", ErrorCode.MetadataBlank), "empty": ("", ErrorCode.MetadataInvalid)}
    for text, error in bad.values():
        await program.refused(program.by("admin", registering(text)), error)
    await program.accepted(program.by("admin", registering("A b")))


async def test_nothing_is_no_change(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(program.by("admin", setting(program, asset, [])), ErrorCode.NothingToChange)
    await program.accepted(program.by("admin", setting(program, asset, [("uri", "https://example.test/y.json")])))


async def test_the_mint_is_the_assets(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    good = setting(program, asset, [("uri", "https://example.test/y.json")])
    await program.refused(program.by("admin", with_account(good, MINT, other.mint)), ErrorCode.WrongMint)
    await program.accepted(program.by("admin", good))


async def test_fields_are_utf8(program: DeployedProgram, asset: Asset) -> None:
    good = setting(program, asset, [("name", "Ä")])
    assert bytes(good.data).endswith("Ä".encode())
    cut = with_data(good, patched(bytes(good.data), len(good.data) - 1, b"A"))
    await program.refused(program.by("admin", cut), ErrorCode.InstructionDidNotDeserialize)
    await program.accepted(program.by("admin", good))


async def test_registration_knows_the_base_fields_by_their_keys_too(program: DeployedProgram) -> None:
    """Else a mint could carry a second "symbol", which wallets might show."""
    fresh = await program.mint_to_register()
    admin = program.keys.admin
    await program.chain.accepted(call(fresh.create, admin.keypair, fresh.key))
    empty = program.registration(fresh.mint, additional_metadata=[("symbol", "")])
    await program.refused(program.by("admin", empty), ErrorCode.MetadataInvalid)
    registration = program.registration(fresh.mint, additional_metadata=[("symbol", "OTHERx"), ("isin", "")])
    await program.accepted(program.by("admin", registration))
    asset = Asset(program, fresh.mint, 0)
    assert [pair for pair in await fields_of(asset) if pair[0] in ("symbol", "isin")] == [
        ("symbol", "OTHERx"),
        ("isin", ""),
    ]
