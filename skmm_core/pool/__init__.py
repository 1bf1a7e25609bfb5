"""The rows of a run with all that methods share."""
