"""How trust is earned and lost, simulated: the rules of `ladder_graph.trust` against rules that people use.

Everything is drawn from fixed seeds. What the product decides is asked of the product's own functions; only the
drawing of random worlds, and the counting of what the same question is asked of thousands of them, is NumPy's.
"""
