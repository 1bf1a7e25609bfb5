"""What the Compare page draws: the form of a comparison, its tables, and the budget planner."""
