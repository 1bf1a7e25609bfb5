"""What comes in: datasets, checked once at the boundary."""
