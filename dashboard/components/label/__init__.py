"""The view of Pick that labels points here: one large item or a grid, keys, undo, and what comes after a batch."""
