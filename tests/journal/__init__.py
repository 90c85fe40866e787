"""The journal on a file of its own."""
