"""A trained model: fitted to a table, measured, kept in a file."""
