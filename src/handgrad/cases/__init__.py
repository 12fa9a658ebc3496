"""The case file: an example that is worked out, its schema and its arrays."""
