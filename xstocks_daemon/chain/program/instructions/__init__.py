"""The program's instructions, by subject."""

from xstocks_daemon.chain.program.instructions.assets import AssetInstructions
from xstocks_daemon.chain.program.instructions.governance import GovernanceInstructions
from xstocks_daemon.chain.program.instructions.supply import SupplyInstructions

__all__ = ["AssetInstructions", "GovernanceInstructions", "SupplyInstructions"]
