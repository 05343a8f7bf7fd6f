"""Agents under the ladder that can be run as they are."""
