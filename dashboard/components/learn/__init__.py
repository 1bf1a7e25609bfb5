"""What the Learn page draws: five scenes with their questions, and the playground."""
