"""Whether the name and symbol that an instruction would give a mint, or take with it, are ones that people can read.

The program refuses control characters and blank names for ever; what is refused here somebody may want all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xstocks_daemon.app.role_instructions import Request
from xstocks_daemon.app.runtime import ChainConnection, registered_mints
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.mint_layout import read_mint
from xstocks_daemon.domain.names import is_plain_symbol, look_alike, unseen_in
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import user_error

NAMING = frozenset({"register_asset", "set_metadata", "begin_adopt", "finish_adopt"})
"""The instructions that give a mint its name or symbol, or take a mint with those it has."""
ANY_NAME = "--any-name"
"""The option that takes them as they are."""

Texts = Sequence[tuple[str, str, str]]
"""Option, key ("name", "symbol" or another) and text."""


async def check_names(chain: ChainConnection, request: Request) -> None:
    """Refuse by UserError what cannot be seen in a text, a symbol that is not of plain characters, and one that could
    be read for that of another registered asset. Other instructions than `NAMING` pass."""
    if request.instruction not in NAMING:
        return
    mint = request.named.get("mint")
    texts = await _texts(chain, request, mint)
    for option, _, text in texts:
        if unseen := unseen_in(text):
            remedy = f"U+{ord(unseen):04X} in it is not seen, or turns the text round; leave it out, or give {ANY_NAME}"
            raise user_error(option, text, remedy)
    symbols = [(option, text) for option, key, text in texts if key == "symbol"]
    for option, symbol in symbols:
        if not is_plain_symbol(symbol):
            remedy = (
                f"a symbol of other than visible ASCII characters may look like another; change it, or give {ANY_NAME}"
            )
            raise user_error(option, symbol, remedy)
    if symbols:
        mints = [each for each in await registered_mints(chain.pool, chain.client) if each != mint]
        assets = (await chain.reader.snapshot(mints)).assets
        others = {each: view.mint.symbol for each, view in assets.items()}
        for option, symbol in symbols:
            if (found := look_alike(symbol, others)) is not None:
                remedy = f"looks like {found[1]}, the symbol of {base58(found[0])}; change it, or give {ANY_NAME}"
                raise user_error(option, symbol, remedy)


async def _texts(chain: ChainConnection, request: Request, mint: object) -> Texts:
    """What the request would write; of an adoption what the mint has. A mint that cannot be read has nothing: the
    program refuses it by name."""
    args = request.args
    match request.instruction:
        case "register_asset":
            base = [(f"--{key}", key, args[key]) for key in ("name", "symbol", "uri")]
            return [*base, *_pairs("--additional-metadata", args["additional_metadata"])]
        case "set_metadata":
            return _pairs("--updates", args["updates"])
    if not isinstance(mint, bytes):
        return []
    reads = await chain.reader.read_groups([(Address(mint),)])
    account = reads[0][0].accounts[0]
    try:
        found = None if account is None else read_mint(Address(mint), account.data, account.owner)
    except MalformedAccount:
        found = None
    return [] if found is None else [("--mint", "name", found.name), ("--mint", "symbol", found.symbol)]


def _pairs(option: str, fields: Iterable[Mapping[str, str]]) -> Texts:
    """Keys and values: a key is a text that wallets show, too."""
    return [text for each in fields for text in ((option, "", each["key"]), (option, each["key"], each["value"]))]
