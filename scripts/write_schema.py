"""Writes `docs/ladder.schema.json` from the policy's model, so that editors know what a policy file may hold."""

from __future__ import annotations

import json
from pathlib import Path

from ladder_graph.policy.schema import policy_schema

FILE = Path(__file__).parents[1] / "docs" / "ladder.schema.json"


def text() -> str:
    """The file as it should stand there, as `ladder schema` prints it."""
    return json.dumps(policy_schema(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
