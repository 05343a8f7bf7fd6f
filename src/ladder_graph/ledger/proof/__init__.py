"""The hash chain and its signed checkpoints, for whoever checks them: files named `alone` need only Python."""
