"""One short program for each kind of graph that a ladder goes around: `python -m examples.integrations.swarm`."""
