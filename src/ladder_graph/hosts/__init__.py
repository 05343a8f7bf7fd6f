"""Where the ladder meets LangGraph: the wrapped graph, the middleware, and how calls, people and tools are read there."""
