"""Planted bugs: the program with one check less must fail a test (`python -m tests.mutants`)."""
