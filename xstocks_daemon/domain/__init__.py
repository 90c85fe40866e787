"""Pure rules: units, statements, snapshots, the plan, the intent life cycle, limits. Standard library only."""
