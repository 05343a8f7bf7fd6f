"""What an agent has earned, as pure functions of what is recorded: no database, no graph, no clock."""
