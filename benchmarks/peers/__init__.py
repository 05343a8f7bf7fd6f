"""Other gates beside this one, side by side: each in an environment of its own, in its most favourable honest set-up.

A module named after a peer runs there as a process, is sent one line of JSON and answers with one, and needs nothing
of this project but `policy` and `answering`, which need nothing but Python. `side_by_side` starts them and asks.
"""
