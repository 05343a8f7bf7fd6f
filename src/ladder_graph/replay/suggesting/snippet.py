"""Suggested bounds as a piece of a policy file, all of it in comments: somebody reads it, and pastes what they want."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap
from typing import Any

from ladder_graph.policy import policy_of
from ladder_graph.policy.bounds import Bound
from ladder_graph.replay.suggesting import Suggestion
from ladder_graph.replay.suggesting.bounds import spelt_out
from ladder_graph.replay.suggesting.figures import Figures
from ladder_graph.scale import Rung
from ladder_graph.wording import inert

HEAD = """\
## Bounds that recorded runs suggest. None applies by itself: take off the "# " in front of the lines that you want, in
## the place of what the policy says of the tool's rung and bounds. Counted is the half of the tasks on which they
## weren't chosen. A mistake that nobody labelled, declined or edited isn't in the figures.
"""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 117
"""Columns of a remark."""


def snippet(found: Iterable[Suggestion]) -> str:
    """The suggestions that let nothing wrong through, as a policy would have them, each line a comment.

    Args:
        found: What was found, by suite.

    Returns:
        The text; empty where nothing is suggested. Without the `# ` in front, that of one suite is a policy.
    """
    parts: list[str] = []
    for suite, ours in groupby(found, key=lambda one: one.suite):
        entries = [entry for one in ours if suggestible(one) for entry in _entry(one)]
        if entries:
            part = "\n".join([*([f"\n## --- {inert(suite)}"] if suite else []), *entries])
            policy_of(tomllib.loads(uncommented(part)), "the suggested bounds")
            parts.append(part)
    return HEAD + "\n".join(parts) + "\n" if parts else ""


def suggestible(one: Suggestion) -> bool:
    """Whether bounds may be suggested: they let nothing wrong through, and the policy lets the tool stand so high.

    Args:
        one: What was found for a tool.
    """
    return one.clean and one.rule.ceiling >= Rung.BOUNDED


def uncommented(text: str) -> str:
    """What a snippet holds without the `# ` in front; remarks stay comments.

    Args:
        text: The snippet.
    """
    return re.sub(r"^# ", "", text, flags=re.MULTILINE)


def inline(bound: Bound) -> str:
    """A bound as one writes it in a policy file.

    Args:
        bound: The bound.

    Example:
        >>> from ladder_graph.policy.bounds import Volume
        >>> inline(Volume(limit=3, within=86400.0))
        '{ kind = "volume", within = "1d", limit = 3 }'
    """
    return f"{{ {', '.join(f'{name} = {_value(value)}' for name, value in spelt_out(bound).items())} }}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _entry(one: Suggestion) -> Iterator[str]:
    yield ""
    yield from (f"## {line}" for line in wrap(f"{inert(one.tool)}: {_said(one)}", _WIDTH))
    bare = _BARE.fullmatch(one.tool)
    yield f"# [tools.{one.tool if bare else json.dumps(one.tool, ensure_ascii=False)}]"
    yield '# rung = "bounded"'
    yield "# bounds = ["
    yield from (f"#   {inline(bound)}," for bound in one.together.bounds)
    yield "# ]"


def _said(one: Suggestion) -> str:
    missing = "; ".join(one.evidence.missing)
    return (
        f"{counted(one.together.checked, one.alpha)}. "
        + ("No wrong call of it was ever seen, so nobody knows what these would keep out. " if one.untested else "")
        + (f"As evidence for a promotion it lacks: {missing}." if missing else "As evidence it would be enough.")
        + (f" So far its rule is that of {inert(one.entry)}." if one.entry not in {None, one.tool} else "")
    )


def counted(found: Figures, alpha: float) -> str:
    """What bounds would have done, in a sentence.

    Args:
        found: The figures.
        alpha: The chance that the upper bound is ever wrong.
    """
    tasks = f"{found.tasks:,} task{'' if found.tasks == 1 else 's'}"
    unknown = f", and {found.unknown_inside:,} of {found.unknown:,} that nobody judged" if found.unknown else ""
    return (
        f"inside are {found.fine_inside:,} of {found.fine:,} right calls, {found.wrong_inside:,} of {found.wrong:,} "
        f"wrong ones{unknown}; {found.failed:,} of {found.runs:,} runs (in {tasks}) went wrong, at most "
        f"{found.at_most:.0%} of all ({1 - alpha:.0%} sure)"
    )
