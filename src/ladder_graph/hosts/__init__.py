"""Where the ladder meets LangGraph: the wrapped graph, the middleware, the seal, and how each is read there."""
