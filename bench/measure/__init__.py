"""What bench/program_cu.py measures, and how."""
