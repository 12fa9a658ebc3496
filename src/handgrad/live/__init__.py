"""The sheet that computes itself in the browser."""
