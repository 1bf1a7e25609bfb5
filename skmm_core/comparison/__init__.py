"""Methods by budgets by seeds, their statistics and plans."""
