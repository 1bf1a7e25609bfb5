"""Per-sample gradients: of a linear head in closed form, and of any torch module."""
