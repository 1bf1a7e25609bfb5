"""A run executed from start to end."""
