"""A case or a model becomes a sheet."""
