"""`ladder.lock`: the environments that a policy's start rungs are granted for, by agent, as a file to commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ladder_graph.errors import PolicyError
from ladder_graph.fingerprint import Environment

DIGEST = "sha256"
"""Beside an agent's components: their digest, so that a person who reads them knows that they were seen so."""


def read(path: Path | None) -> dict[str, Environment]:
    """The environments in a `ladder.lock`, by agent; none where there is no such file.

    Raises:
        PolicyError: It is no lock file, or was changed by hand: a grant is for what proposed calls, not for a text.
    """
    if path is None or not path.exists():
        return {}
    try:
        agents: Mapping[str, Any] = json.loads(path.read_text())["agents"]
        return {agent: _locked(path, agent, dict(components)) for agent, components in agents.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise PolicyError([f"{path}: no lock file of ours ({type(wrong).__name__}: {wrong})"], str(path)) from wrong


def _locked(path: Path, agent: str, components: dict[str, Any]) -> Environment:
    digest = components.pop(DIGEST, None)
    environment = Environment.from_json(components, str(path))
    if digest != _digest(environment):
        said = "has no digest" if digest is None else "is not what was seen"
        text = (
            f"agents.{agent}: {said}; the file was edited by hand or cut. Bring the committed one back, or take it "
            "away and let `ladder lock` write it anew"
        )
        raise PolicyError([text], str(path))
    return environment


def write(path: Path, agent: str, environment: Environment) -> None:
    """Put one agent's environment into the file, beside those of others."""
    agents = {name: _entry(env) for name, env in read(path).items()} | {agent: _entry(environment)}
    path.write_text(json.dumps({"version": 1, "agents": agents}, indent=2, sort_keys=True) + "\n")


def _entry(environment: Environment) -> dict[str, Any]:
    return {**environment.to_json(), DIGEST: _digest(environment)}


def _digest(environment: Environment) -> str:
    return hashlib.sha256(environment.text.encode()).hexdigest()
