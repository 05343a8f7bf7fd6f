"""The six rungs: what each does with a call, one file a rung. The scale itself stands in `ladder_graph.scale`."""
