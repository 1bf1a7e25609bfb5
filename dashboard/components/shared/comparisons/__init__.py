"""What a comparison says on several pages: its scores read, learning curves, words for scores and savings."""
