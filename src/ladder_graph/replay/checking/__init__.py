"""A policy's decisions about recorded runs as something that a test can break: by limits, and by a committed file."""
