"""What the rules of trust read: what happened, what was wrong, what stood behind it, what is left once it is erased."""
