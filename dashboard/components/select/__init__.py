"""What the Select page draws: the form of a selection, the finished selection, and points decided by hand."""
