"""The version of handgrad, which files and sheets carry."""

__version__ = "0.1.0"
