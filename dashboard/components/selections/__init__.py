"""What the Selections page draws: which points two to four selections share, their balance and their scores."""
