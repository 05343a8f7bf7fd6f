"""Undoing more than one action: the scopes that are undone as a whole, and what a thread did since a point."""
