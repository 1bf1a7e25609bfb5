"""What the Reproduce page draws: the form that runs a paper's experiment again, and its tables."""
