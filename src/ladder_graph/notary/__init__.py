"""Who signs checkpoints of the ledger, and where they are exported to."""
