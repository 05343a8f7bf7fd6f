"""Each action's life: its row and its entries, its question, its part and rest, and the counters it draws on."""
