"""Selection methods, one file per family, one registry."""
