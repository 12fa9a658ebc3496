"""The document as Typst, and by it as PDF and pictures."""
