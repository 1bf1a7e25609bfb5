"""What the Learn page draws: five guided steps with their questions, and the playground."""
