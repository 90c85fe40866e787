"""Keeps the supply of tokenised shares on Solana equal to the shares in custody, exactly once, whatever fails."""

__version__ = "0.1.0"
"""Of daemon, program and IDL alike."""
