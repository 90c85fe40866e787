"""What people type: one file per group of commands, put together in `main.py`."""
