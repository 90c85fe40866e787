"""The journal over SQL, split by subject; which database it is, `journal/sqlite.py` says."""
