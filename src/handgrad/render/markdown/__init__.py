"""The document as Markdown, and as a notebook."""
