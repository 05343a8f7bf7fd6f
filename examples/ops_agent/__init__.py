"""An agent that operates a small real world on this machine, one tool on each rung.

Run it with `python -m examples.ops_agent`. The world is in `world.py` and `service.py`, the agent's hands are in
`tools.py`, what they may do is in `ladder.toml`, and the story that is told with them is in `script.py`.
"""
