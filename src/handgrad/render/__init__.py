"""A record becomes a document, and each writer writes the document in one medium."""
