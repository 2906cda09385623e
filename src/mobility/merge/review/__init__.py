"""What the merge is not certain of, for people to decide."""
