"""The whole ledger at once: moved to another database, brought to a new schema, copied while others write."""
