"""Jobs, session state and caches behind the pages."""
