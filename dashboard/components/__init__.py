"""Pure functions from results to figures, tables and forms."""
