"""The experiments of the SkMM paper, repeated: what they are, how they run, what comes out."""
