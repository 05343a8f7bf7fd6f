"""One call on its way: how each step that `ladder_graph.flow` yields is performed, and by whom people are asked."""
