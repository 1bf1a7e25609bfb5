"""What scores a selection."""
