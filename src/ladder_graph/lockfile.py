"""`ladder.lock`: the environments that a policy's start rungs are granted for, by agent, as a file to commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ladder_graph.errors import PolicyError
from ladder_graph.fingerprint import Environment


def read(path: Path | None) -> dict[str, Environment]:
    """The environments in a `ladder.lock`, by agent; none where there is no such file."""
    if path is None or not path.exists():
        return {}
    try:
        agents: Mapping[str, Any] = json.loads(path.read_text())["agents"]
        return {agent: Environment.from_json(components, str(path)) for agent, components in agents.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise PolicyError([f"{path}: no lock file of ours ({type(wrong).__name__}: {wrong})"], str(path)) from wrong


def write(path: Path, agent: str, environment: Environment) -> None:
    """Put one agent's environment into the file, beside those of others."""
    agents = {name: env.to_json() for name, env in read(path).items()} | {agent: environment.to_json()}
    path.write_text(json.dumps({"version": 1, "agents": agents}, indent=2, sort_keys=True) + "\n")
