"""The gate's transactions: look, settle, pose, claim, record; and where each cell stands."""
