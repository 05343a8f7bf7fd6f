"""The tables. They define the schema, the migrations, and every statement; they hold no logic."""
