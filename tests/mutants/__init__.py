"""Planted bugs: with one check less a test must fail (`python -m tests.mutants`, `... --python`)."""
