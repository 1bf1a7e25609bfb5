"""Measurements of speed: machine and versions with every figure, both sides of a ratio taking turns in one process."""
