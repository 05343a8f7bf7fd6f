"""What is kept in databases, read and never written: checkpointers' histories, a ledger's accounts, shadows' chains."""
