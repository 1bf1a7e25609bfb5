"""What the Runs page draws: the history as a table, and what can be done with runs."""
