"""The map of a pool: its figure, its controls and legend, the points marked on it and what is linked to them."""
