"""Functions from results to figures, tables and forms: a folder a page, and `shared/` for what several pages use."""
