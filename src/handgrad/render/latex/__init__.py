"""The document as a LaTeX article."""
