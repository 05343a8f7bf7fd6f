"""Who comes in from outside: people signing in to the console, and requests from Slack."""
