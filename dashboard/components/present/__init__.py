"""What the Present page draws: the story of a finished run, its headline, map, curve and saving."""
