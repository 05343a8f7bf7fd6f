"""The databases: transactions that hold, on SQLite and on PostgreSQL, who lives, and how a schema comes to be."""
