"""Solana: the program's client, nodes, agreed reading, transactions, sender and resolver. Gives domain types."""
