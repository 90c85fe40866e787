"""Makes the golden vectors anew, from the words of the design and nothing else: capacities, what shares lack,
statements and intents.

None of the product's code and no library: plain integers, sha2 of the standard library, base58 and ed25519 (RFC 8032)
written out below. Run `python -m tests.vectors.generate` in the repository to write the files;
tests/domain/test_vectors_made.py holds them to this.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

# ---- who and where -------------------------------------------------------------------------------------------------

GENESIS = "5w1oXkAxo3Aak6Bg2iht1MLGrqnyuXhCGRnHFmvrTGDW"
PROGRAM = "6j83d3tichWN5JqKS1BtX6g9xB7P2tVCBuUUzF1B17vs"
CUSTODIAN = "AH9JA9MrCvLzdoPWvKNLSPFrtuz2z3QTYXkBwPSLkfmF"
MINTS = {
    "AAPLx": "XsbEhLAtcf6HdfpFZ5xEMdqW8nfAvcsP5bdudRLJzJp",
    "NVDAx": "Xsc9qvGR1efVDFGLrVsmkzv3qi45LTBjeUKSPmx9qEh",
    "SPYx": "XsoCS1TfEyfFhfvj8EtZ528L3CaKBDBRqRapnBbDF2W",
    "TSLAx": "XsDoVfqeBukxuZHWhdvWHBhgEHjGNst4MLodqsJHzoB",
}
SEEDS = (bytes([1]) * 32, bytes([2]) * 32)
DESTINATION = "GYVb4hWw8D22pkScWSZZB1QjT7jmuFkPCR1a9DCe1GjY"

U64_MAX = 2**64 - 1
SHARES_NANO = (
    0,
    1,
    999_999_999,
    1_000_000_000,
    2_500_000_000,
    86_784_998_564_140,  # the real reserve of SPYx, 86784.99856414
    123_456_789_012_345,
    U64_MAX,
)
MULTIPLIERS = (
    "1.0",
    "1.008",
    "4.032",
    "0.5",
    "0.1",
    "10.0",
    "1.0032690125398187",
    "0.3333333333333333",
    "2.962962962962963e-12",
    "9.5367431640625e-07",
    "1000000.0",
)
DECIMALS = (0, 6, 8, 9)

STATEMENTS: tuple[tuple[int, int, int, tuple[tuple[str, str, int, int], ...]], ...] = (
    # epoch, observed_ms, expires_ts, entries of symbol, multiplier, shares_nano, redeemed_seen_raw
    (1, 1_700_000_000_000, 1_700_003_600, (("AAPLx", "1.0", 1_000_000_000, 0),)),
    (
        3,
        1_786_149_000_123,
        1_786_150_800,
        (
            ("TSLAx", "1.0", 77_000_000_001, 0),
            ("AAPLx", "1.0032690125398187", 5_248_134_000_000_001, 12_345),
            ("NVDAx", "1.000123456789", 999_999_999, 7),
            ("SPYx", "4.032", 86_784_998_564_140, 0),
        ),
    ),
)
KINDS = {"mint": 0, "burn": 1, "distribute": 2}
INTENTS = (
    # kind, sequence, amount_raw, order id
    (0, 0, 1, bytes(16)),
    (1, 7, 1_000_000_000_000, bytes(16)),
    (2, 2**63, U64_MAX, bytes(range(16))),
)

# ---- capacity ------------------------------------------------------------------------------------------------------


def bits_of(multiplier: str) -> int:
    """The 64 bits of the f64 nearest to a decimal."""
    return int.from_bytes(struct.pack("<d", float(multiplier)), "little")


def capacity_of(shares_nano: int, bits: int, decimals: int) -> int:
    """floor(shares_nano x 10^decimals / (10^9 x multiplier)), the multiplier the fraction that its bits are."""
    significand, exponent = 2**52 + bits % 2**52, bits // 2**52 - 1075
    dividend: int = shares_nano * 10**decimals
    divisor: int = 10**9 * significand
    if exponent < 0:
        dividend <<= -exponent
    else:
        divisor <<= exponent
    return dividend // divisor


def capacities() -> list[dict[str, Any]]:
    """Every number of shares at every multiplier, for several decimals."""
    made = []
    for decimals in DECIMALS:
        for shares_nano in SHARES_NANO:
            for multiplier in MULTIPLIERS:
                vector: dict[str, Any] = {
                    "shares_nano": shares_nano,
                    "multiplier": multiplier,
                    "multiplier_bits": bits_of(multiplier),
                    "decimals": decimals,
                }
                capacity = capacity_of(shares_nano, bits_of(multiplier), decimals)
                fits = capacity <= U64_MAX
                made.append(vector | ({"capacity_raw": capacity} if fits else {"error": "does not fit u64"}))
    return made


# ---- what shares lack ----------------------------------------------------------------------------------------------


def lacks_less_than(claimed_raw: int, shares_nano: int, bits: int, decimals: int) -> int:
    """floor(claimed_raw x multiplier x 10^9 / 10^decimals) - shares_nano + 1, at least 1; the greatest u64 where the
    floor is beyond it."""
    significand, exponent = 2**52 + bits % 2**52, bits // 2**52 - 1075
    product, divisor = claimed_raw * significand * 10**9, 10**decimals
    if exponent < 0:
        divisor <<= -exponent
    else:
        product <<= exponent
    worth: int = product // divisor
    return min(U64_MAX, max(0, worth - shares_nano) + 1) if worth <= U64_MAX else U64_MAX


def lacking() -> list[dict[str, Any]]:
    """What is lacking where one unit more than the shares' capacity is claimed, and twice as much."""
    made = []
    for vector in capacities():
        shares_nano, bits, decimals = vector["shares_nano"], vector["multiplier_bits"], vector["decimals"]
        capacity = vector.get("capacity_raw", U64_MAX)
        for claimed_raw in sorted({min(U64_MAX, capacity + 1), min(U64_MAX, 2 * capacity + 3)}):
            lacks = lacks_less_than(claimed_raw, shares_nano, bits, decimals)
            made.append(
                {
                    "claimed_raw": claimed_raw,
                    "shares_nano": shares_nano,
                    "multiplier_bits": bits,
                    "decimals": decimals,
                    "lacks_less_than_nano": lacks,
                }
            )
    return made


# ---- base58 and ed25519 --------------------------------------------------------------------------------------------

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def unbase58(text: str) -> bytes:
    """The 32 bytes of an address."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    return number.to_bytes(32, "big")


def base58(address: bytes) -> str:
    """An address that does not begin with a zero byte."""
    number, text = int.from_bytes(address, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_BASE_Y = 4 * pow(5, -1, _P) % _P

_Point = tuple[int, int]


def _base_point() -> _Point:
    square = (_BASE_Y**2 - 1) * pow(_D * _BASE_Y**2 + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    return (x if x % 2 == 0 else _P - x), _BASE_Y


def _add(a: _Point, b: _Point) -> _Point:
    (x1, y1), (x2, y2) = a, b
    twist = _D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + twist, -1, _P) % _P
    y = (y1 * y2 + x1 * x2) * pow(1 - twist, -1, _P) % _P
    return x, y


def _times(factor: int, point: _Point) -> _Point:
    product = (0, 1)
    while factor:
        if factor & 1:
            product = _add(product, point)
        point, factor = _add(point, point), factor >> 1
    return product


def _encoded(point: _Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _little(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def signed(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    """The public key of a seed and its signature of a message."""
    expanded = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(expanded[:32], "little") & (2**254 - 8) | 2**254
    base = _base_point()
    public = _encoded(_times(scalar, base))
    nonce = _little(expanded[32:], message) % _ORDER
    commitment = _encoded(_times(nonce, base))
    answer = (nonce + _little(commitment, public, message) * scalar) % _ORDER
    return public, commitment + answer.to_bytes(32, "little")


# ---- statements and intents ----------------------------------------------------------------------------------------


def _u64(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def _statement(
    epoch: int, observed_ms: int, expires_ts: int, rows: tuple[tuple[str, str, int, int], ...]
) -> dict[str, Any]:
    preimage = b"xstocks:statement:v2" + unbase58(GENESIS) + unbase58(PROGRAM) + unbase58(CUSTODIAN)
    preimage += epoch.to_bytes(4, "little") + _u64(observed_ms, expires_ts) + bytes([len(rows)])
    entries = []
    for symbol, multiplier, shares_nano, seen_raw in rows:
        bits = bits_of(multiplier)
        capacity = capacity_of(shares_nano, bits, 8)
        preimage += unbase58(MINTS[symbol]) + _u64(bits, shares_nano, capacity, seen_raw)
        entries.append(
            {
                "symbol": symbol,
                "mint": MINTS[symbol],
                "multiplier_bits": bits,
                "multiplier": multiplier,
                "shares_nano": shares_nano,
                "capacity_raw": capacity,
                "redeemed_seen_raw": seen_raw,
            }
        )
    digest = hashlib.sha256(preimage).digest()
    signatures = []
    for seed in SEEDS:
        public, signature = signed(seed, digest)
        signatures.append(
            {"secret_seed_hex": seed.hex(), "public_key": base58(public), "signature_hex": signature.hex()}
        )
    return {
        "epoch": epoch,
        "observed_ms": observed_ms,
        "expires_ts": expires_ts,
        "entries": entries,
        "preimage_hex": preimage.hex(),
        "digest_hex": digest.hex(),
        "signatures": signatures,
    }


def _intent(kind: int, sequence: int, amount_raw: int, order_id: bytes) -> dict[str, Any]:
    preimage = b"xstocks:intent:v1" + unbase58(GENESIS) + unbase58(PROGRAM) + unbase58(MINTS["AAPLx"])
    preimage += bytes([kind]) + _u64(sequence, amount_raw) + unbase58(DESTINATION) + order_id
    return {
        "kind": kind,
        "sequence": sequence,
        "amount_raw": amount_raw,
        "destination": DESTINATION,
        "order_id_hex": order_id.hex(),
        "preimage_hex": preimage.hex(),
        "intent_hash_hex": hashlib.sha256(preimage).digest()[:16].hex(),
    }


def files() -> dict[str, str]:
    """The text of each file, by its name."""
    where = {
        "genesis_hash": GENESIS,
        "program_id": PROGRAM,
        "custodian": CUSTODIAN,
        "mint_of_intents": MINTS["AAPLx"],
    }
    values: dict[str, Any] = {
        "capacity.json": capacities(),
        "lacking.json": lacking(),
        "statement.json": where | {"statements": [_statement(*one) for one in STATEMENTS]},
        "intent.json": where | {"kinds": KINDS, "intents": [_intent(*one) for one in INTENTS]},
    }
    return {name: json.dumps(value, indent=1) + "\n" for name, value in values.items()}


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        (HERE / name).write_text(text)


if __name__ == "__main__":
    main()
