"""Tests. A folder for each part; `support` is shared."""
