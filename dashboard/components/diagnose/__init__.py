"""What the Diagnose page draws beside the shared diagnostics: which runs it starts with, and their maps."""
