"""The worked calculation: expressions, the record, its derivation and its verification."""
