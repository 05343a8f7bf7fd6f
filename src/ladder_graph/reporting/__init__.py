"""Reports: when a digest ends, by when it must be read, and what it shows first. Pure."""
