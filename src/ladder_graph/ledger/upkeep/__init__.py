"""Keeping a ledger: erasing, retention, signed checkpoints and their keys, copies that were put back."""
