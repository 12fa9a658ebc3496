"""A record becomes a document."""
