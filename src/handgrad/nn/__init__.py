"""The mathematics: what a network is, what it computes, and how it learns."""
