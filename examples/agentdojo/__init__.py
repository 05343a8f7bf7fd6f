"""Policies for two suites of AgentDojo, and what they make of its recorded runs."""
