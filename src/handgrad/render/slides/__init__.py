"""The document as slides: one equation a frame, along the figure forward and back again."""
