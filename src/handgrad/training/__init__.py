"""Training: the loop, its history, and where it stood on the way."""
