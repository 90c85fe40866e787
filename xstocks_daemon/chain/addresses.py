"""Addresses: text to bytes and back, the well-known ones, and those the program derives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from solders.pubkey import Pubkey
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_2022_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.domain.units import Address

PROPOSAL_TAG = b"xstocks:proposal:v1"


def parse_address(text: str, field: str = "address") -> Address:
    """The 32 bytes of a base58 address. AddressError names `field`, the value and the remedy."""
    try:
        return Address(bytes(Pubkey.from_string(text)))
    except ValueError:
        raise AddressError(f"{field}: {text!r} is no address; give the base58 text of 32 bytes") from None


def base58(address: bytes) -> str:
    """The base58 text of 32 bytes."""
    return str(Pubkey.from_bytes(address))


def pubkey(address: bytes) -> Pubkey:
    """The same 32 bytes as solders wants them."""
    return Pubkey.from_bytes(address)


TOKEN_2022 = Address(bytes(TOKEN_2022_PROGRAM_ID))
ASSOCIATED_TOKEN = Address(bytes(ASSOCIATED_TOKEN_PROGRAM_ID))
SYSTEM = Address(bytes(32))
COMPUTE_BUDGET = parse_address("ComputeBudget111111111111111111111111111111")
ED25519 = parse_address("Ed25519SigVerify111111111111111111111111111")
LOOKUP_TABLE_PROGRAM = parse_address("AddressLookupTab1e1111111111111111111111111")
UPGRADEABLE_LOADER = parse_address("BPFLoaderUpgradeab1e11111111111111111111111")
INSTRUCTIONS_SYSVAR = parse_address("Sysvar1nstructions1111111111111111111111111")
CLOCK_SYSVAR = parse_address("SysvarC1ock11111111111111111111111111111111")


@lru_cache(maxsize=16_384)
def _derive(program_id: Address, *seeds: bytes) -> Address:
    return Address(bytes(Pubkey.find_program_address(list(seeds), pubkey(program_id))[0]))


@lru_cache(maxsize=16_384)
def associated_token_address(owner: Address, mint: Address) -> Address:
    """The Token-2022 associated token account of `owner` for `mint`."""
    return Address(bytes(get_associated_token_address(pubkey(owner), pubkey(mint), TOKEN_2022_PROGRAM_ID)))


@dataclass(frozen=True, slots=True)
class ProgramAddresses:
    """The accounts that one deployment of the program owns, by their seeds (design, section 4.2)."""

    program_id: Address

    def derived(self, *seeds: bytes) -> Address:
        """The program's address of these seeds."""
        return _derive(self.program_id, *seeds)

    @property
    def config(self) -> Address:
        """The Config account, by the seeds ["config"]."""
        return _derive(self.program_id, b"config")

    @property
    def program_data(self) -> Address:
        """Where the upgradeable loader keeps this program's code and upgrade authority."""
        return _derive(UPGRADEABLE_LOADER, self.program_id)

    def custodian(self, custodian_id: int) -> Address:
        """A Custodian account, by the seeds ["custodian", id u16 little endian]."""
        return _derive(self.program_id, b"custodian", custodian_id.to_bytes(2, "little"))

    def asset(self, mint: Address) -> Address:
        """The Asset account of a mint, by the seeds ["asset", mint]."""
        return _derive(self.program_id, b"asset", mint)

    def vault(self, mint: Address) -> Address:
        """The inventory: the associated token account of the Asset account."""
        return associated_token_address(self.asset(mint), mint)

    def redemption_authority(self, mint: Address) -> Address:
        """The owner of a mint's redemption vault, by the seeds ["redeem", mint]."""
        return _derive(self.program_id, b"redeem", mint)

    def redemption_vault(self, mint: Address) -> Address:
        """The associated token account of ["redeem", mint]."""
        return associated_token_address(self.redemption_authority(mint), mint)

    def participant(self, wallet: Address) -> Address:
        """A Participant account, by the seeds ["participant", wallet]."""
        return _derive(self.program_id, b"participant", wallet)

    def recovery(self, source: Address) -> Address:
        """The Recovery account of a token account, by the seeds ["recovery", source token account]."""
        return _derive(self.program_id, b"recovery", source)

    def adoption(self, mint: Address) -> Address:
        """The Adoption account of a mint, by the seeds ["adoption", mint]."""
        return _derive(self.program_id, b"adoption", mint)

    def redemption(self, mint: Address, redemption_id: bytes) -> Address:
        """A Redemption account, by the seeds ["redemption", mint, id of 16 bytes]."""
        return _derive(self.program_id, b"redemption", mint, redemption_id)

    def proposal(self, proposal_hash: bytes) -> Address:
        """A Proposal account, by the seeds ["proposal", hash]."""
        return _derive(self.program_id, b"proposal", proposal_hash)


def proposal_hash(instruction_data: bytes, account_keys: list[Address]) -> bytes:
    """What a proposal is of: sha256(tag, instruction data, account keys in order without the proposal's own)."""
    return hashlib.sha256(PROPOSAL_TAG + instruction_data + b"".join(account_keys)).digest()
