"""Figures for whoever operates agents: what is counted, what the ledger says waits, and the pages that tell of both."""
