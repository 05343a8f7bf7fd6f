"""Run the ops agent: `python -m examples.ops_agent [--world DIR] [--answers script|terminal]`.

With `LADDER_MODEL=openai:gpt-5-mini` (any name that `init_chat_model` knows) a real model plays the agent; a second
name after a comma is the model that it becomes at the end. Exits with 1 where the world and the ledger disagree.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from examples.ops_agent.people import Script, Terminal
from examples.ops_agent.play import Play
from examples.ops_agent.world import World
from ladder_graph import Ladder

POLICY = Path(__file__).with_name("ladder.toml")


def main() -> int:
    """Tell the story in a world of its own."""
    options = argparse.ArgumentParser(prog="python -m examples.ops_agent", description="One agent on all six rungs.")
    options.add_argument("--world", type=Path, metavar="DIR", help="a new directory for the world, which is kept")
    options.add_argument("--answers", choices=["script", "terminal"], help="who answers; by default a terminal's user")
    said = options.parse_args()
    terminal = sys.stdin.isatty() if said.answers is None else said.answers == "terminal"
    for ending in ("SIGTERM", "SIGHUP"):  # a closed terminal leaves nothing behind either
        if hasattr(signal, ending):
            signal.signal(getattr(signal, ending), lambda number, _: sys.exit(128 + number))
    try:
        world = World(said.world)
    except FileExistsError as taken:
        options.error(str(taken))
    with world:
        ladder = Ladder(policy=policy_of(world))
        try:
            return Play(world, ladder, Terminal() if terminal else Script()).run()
        finally:
            ladder.close()


def policy_of(world: World) -> Path:
    """Write the world's own copy of `ladder.toml`, in which the health check asks the service that was started."""
    path = world.root / POLICY.name
    path.write_text(POLICY.read_text().replace("http://service.invalid", world.url))
    return path


if __name__ == "__main__":
    sys.exit(main())
