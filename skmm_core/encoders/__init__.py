"""Image encoders: one interface for the built-in feature map and for networks of three libraries."""
