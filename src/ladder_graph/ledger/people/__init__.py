"""What waits for people, and what they are told: questions, drafts, reports to file, threads to go on with."""
