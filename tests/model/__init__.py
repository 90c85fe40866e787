"""A model of the money rules, small enough to explore state by state. See docs/money-rules-model.md."""
