"""What the Settings page draws: the switch of the theme."""
