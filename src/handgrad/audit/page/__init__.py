"""Claims off a page: its lines, the numbers in them, and which quantity each of them is."""
