"""The workbench of a pool: one line that picks, filters, a map beside a gallery or table, and a point in full."""
