"""Digests of what was done unasked, and the verdicts by which they are read."""
