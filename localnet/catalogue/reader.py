"""The catalogue: every xStock of localnet/catalogue with the shares that its custodian reports.

The files and their sources are described in localnet/catalogue/README.md. Nothing here is live data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xstocks_daemon.domain.units import capacity_raw, multiplier_bits_of, shares_nano_of

CATALOGUE_DIR = Path(__file__).resolve().parent
DECIMALS = 8

# Reserve rows that hold nothing name no provider. Every row that names one follows the listing country:
# US is held by Alpaca, everything else by Gtn; the empty rows are given the same custodian.
_CUSTODIAN_OF_COUNTRY = {"US": "Alpaca"}
_CUSTODIAN_ELSEWHERE = "Gtn"


class CatalogueError(Exception):
    """A catalogue file that is missing or does not hold what its README says."""


class TooManyAssets(Exception):
    """More assets are asked for than the catalogue has."""


@dataclass(frozen=True, slots=True)
class CatalogueAsset:
    """One xStock: its real names and the multiplier in force on the catalogue's day.

    `shares_nano` is None where the reserves have no row; `custodian` is the name of who holds them, None likewise.
    """

    symbol: str
    name: str
    token_isin: str
    underlying_isin: str
    uri: str
    multiplier: str
    custodian: str | None
    shares_nano: int | None

    @property
    def multiplier_bits(self) -> int:
        """The multiplier as the 64 bits that the mint stores."""
        return multiplier_bits_of(self.multiplier)

    @property
    def capacity_raw(self) -> int:
        """What the reported shares can back, in base units."""
        return 0 if self.shares_nano is None else capacity_raw(self.shares_nano, self.multiplier_bits, DECIMALS)


def load_catalogue(directory: Path = CATALOGUE_DIR) -> tuple[CatalogueAsset, ...]:
    """All assets of the catalogue, ordered by symbol. CatalogueError names the file that is wrong."""
    registry = _load(directory / "assets.json")
    reserves = {row["symbol"]: row for row in _load(directory / "proof_of_reserves.json")["reserves"]}
    multipliers = _multipliers_in_force(
        _load(directory / "corporate_actions.json")["multiplier_history"], registry["as_of"]
    )
    assets = []
    for row in registry["assets"]:
        symbol = row["symbol"]
        reserve = reserves.get(symbol)
        assets.append(
            CatalogueAsset(
                symbol=symbol,
                name=row["name"],
                token_isin=row["token_isin"],
                underlying_isin=row["underlying"]["isin"],
                uri=f"https://xstocks-metadata.backed.fi/tokens/Solana/{symbol}/metadata.json",
                multiplier=multipliers.get(symbol, "1"),
                custodian=_custodian(reserve, row["underlying"]["listing_country"]) if reserve else None,
                shares_nano=shares_nano_of(reserve["shares_held"]) if reserve else None,
            )
        )
    return tuple(sorted(assets, key=lambda asset: asset.symbol))


def choose(assets: tuple[CatalogueAsset, ...], count: int | None) -> tuple[CatalogueAsset, ...]:
    """`count` assets that show every kind (both custodians, empty, without a row, multiplier not 1), or all of them.

    Raises TooManyAssets.
    """
    if count is None:
        return assets
    if count > len(assets):
        raise TooManyAssets(f"--assets {count}: the catalogue has {len(assets)}; leave --assets away for all of them")

    def kind(asset: CatalogueAsset) -> tuple[str | None, bool, bool]:
        return asset.custodian, bool(asset.shares_nano), asset.multiplier == "1"

    first_of_kind: dict[tuple[str | None, bool, bool], CatalogueAsset] = {}
    for asset in assets:
        first_of_kind.setdefault(kind(asset), asset)
    chosen = list(first_of_kind.values())[:count]
    chosen += [asset for asset in assets if asset not in chosen][: count - len(chosen)]
    return tuple(sorted(chosen, key=lambda asset: asset.symbol))


def _multipliers_in_force(history: Iterable[dict[str, Any]], as_of: str) -> dict[str, str]:
    """Per symbol the multiplier of the last change that was active at `as_of` (both are UTC, ISO 8601)."""
    in_force: dict[str, str] = {}
    for change in sorted(history, key=lambda change: str(change["activation_utc"])):
        if change["activation_utc"] <= as_of:
            in_force[change["symbol"]] = change["multiplier_new"]
    return in_force


def _custodian(reserve: dict[str, Any], listing_country: str) -> str:
    if reserve["holdings"]:
        return str(reserve["holdings"][0]["provider"])
    return _CUSTODIAN_OF_COUNTRY.get(listing_country, _CUSTODIAN_ELSEWHERE)


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path}: cannot be read ({error}); restore it from the repository") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{path}: is not a JSON object; restore it from the repository")
    return content
