"""What a person looks at, and the maps."""
