"""Bearer tokens: the policy names the variable of the environment that holds one, and never holds it itself."""

from __future__ import annotations

import os

from ladder_graph.errors import LadderError
from ladder_graph.watch.signals import SHORTEST


def token_in(variable: str, purpose: str) -> str:
    """The token that a variable of the environment holds.

    Args:
        variable: Its name.
        purpose: What takes a token only, for the message, as `"alerts are taken"`.

    Raises:
        LadderError: It isn't set, or can be guessed.
    """
    token = os.environ.get(variable, "")
    if len(token) < SHORTEST:
        problem = f"has fewer than {SHORTEST} characters, so it can be guessed" if token else "isn't set"
        raise LadderError(f"{purpose} with a token only, and {variable} {problem}")
    return token
