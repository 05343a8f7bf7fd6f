"""A small shop's agent, as a LangGraph server runs it."""
