"""Handgrad against its peers: `python -m benchmarks.run` runs it, docs/benchmarks.md explains it."""
