"""Whether an agent has changed silently: by the mix of tools it calls, and by what it answers to fixed prompts.

| what is seen | what follows |
|---|---|
| it calls other tools than it did | every fifth call asks for a week |
| it answers fixed prompts otherwise | the same |
| both | all of its tools ask, as under another model (class A), and what is usual is learnt anew |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ladder_graph.fingerprint import Environment
from ladder_graph.trust.drift import ALARM, BASELINE, mix, replay
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import Fold, Replay

SAMPLED = 5
"""Of so many calls one asks, while a change is suspected."""

DAYS = 7
"""Days for which calls are sampled."""

LEARNT = 10
"""Replays of each prompt by which its usual answer is learnt."""

CHANGED = "D3"
"""The code of a demotion by both signs."""

Answers = Mapping[str, str]
"""Prompt to a digest of the calls that it was answered with."""


def sampled(key: str) -> bool:
    """Whether a call is one of those that ask, the same one in every process.

    Args:
        key: The action's key, in hexadecimal.
    """
    return int(key[:8], 16) % SAMPLED == 0


def begun(fold: Fold) -> int:
    """The last time that all tools of an agent were put down since it had changed, in microseconds; 0 for never.

    From then on it is what it has become, so that the next change is one from that.
    """
    return max((one.at_us for one in fold.events if (one.kind, one.code) == ("demoted", CHANGED)), default=0)


def mixed(found: Findings, current: Environment | None, since_us: int = 0) -> bool:
    """Whether an agent calls other tools than it did in its first 500 calls.

    Args:
        found: What its chain comes to.
        current: What it is made of now.
        since_us: Only what it called after this moment.
    """
    if current is None:
        return False
    mine = [cell for cell in found.cells if current.key(cell.tool) == cell.env]
    calls = sorted(
        (deed.at_us, cell.tool) for cell in mine for deed in found.deeds(cell) if deed.ends and deed.at_us > since_us
    )
    baseline, since = calls[:BASELINE], calls[BASELINE:]
    if not since:
        return False
    weeks: dict[int, Counter[str]] = {}
    for at_us, tool in since:
        weeks.setdefault((at_us - since[0][0]) // (7 * DAY), Counter())[tool] += 1
    counted = Counter(tool for _, tool in baseline)
    return mix(counted, [weeks.get(week, {}) for week in range(max(weeks) + 1)]) >= ALARM


def changed(replays: Sequence[Replay], since_us: int = 0) -> bool:
    """Whether fixed prompts are answered otherwise than in the first ten replays.

    Args:
        replays: Oldest first, since the agent came to be what it is.
        since_us: Only those after this moment.
    """
    given = [one.answers for one in replays if one.at_us > since_us]
    learnt, since = given[:LEARNT], given[LEARNT:]
    usual = {
        prompt: Counter(one[prompt] for one in learnt if prompt in one).most_common(1)[0][0]
        for prompt in {prompt for one in learnt for prompt in one}
    }
    alarm, basis = 0.0, _differing(learnt, usual)
    for one in since:
        different, asked = _differing([one], usual)
        alarm = replay(alarm, different, asked, basis)
        if alarm >= ALARM:
            return True
    return False


def _differing(replays: Sequence[Answers], usual: Mapping[str, str]) -> tuple[int, int]:
    """How many answers weren't the usual one, of how many."""
    given = [(usual[prompt], answer) for one in replays for prompt, answer in one.items() if prompt in usual]
    return sum(before != after for before, after in given), len(given)
