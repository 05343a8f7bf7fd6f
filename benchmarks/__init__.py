"""Benchmarks: ratios, counts and CPU time, never a wall time to be compared between machines."""
