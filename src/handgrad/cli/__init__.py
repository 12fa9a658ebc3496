"""The command line: one file for each verb, thin over the Python API."""
