"""The repository itself: references into the design, retired names, sizes, circles, what a newcomer expects to find."""
