"""Whether an agent has changed silently: by the mix of tools it calls, and by what it answers to fixed prompts.

| what is seen | what follows |
|---|---|
| it calls other tools than it did | every fifth call asks for a week |
| it answers fixed prompts otherwise | the same |
| both | all of its tools ask, as under another model (class A), and what is usual is learnt anew |

A week that was sampled, looked at and went well begins anew what calls are sampled against, for the sign that it was
sampled for. What is moved step by step is so looked at at each step. Both signs are counted from when the agent came to
be what it is, whichever came first and whatever was looked at since, so that neither of them is forgotten by waiting.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from ladder_graph.fingerprint import Environment
from ladder_graph.trust.deeds import Deed
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

LOOKED = 10
"""Calls that people must have looked at, until what was sampled is what is usual."""

Sign = Literal["mix", "answers"]
"""What is otherwise than it was, and the code of the event by which calls are sampled for it."""

CHANGED = "D3"
"""The code of a demotion by both signs."""

_WRONG = frozenset({"D1", "D2", "D4"})
"""Demotions for mistakes."""

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


def another(found: Findings, current: Environment | None) -> bool:
    """Whether an agent has changed by both signs since it came to be what it is, so that it is another one.

    Args:
        found: What its chain comes to.
        current: What it is made of now.
    """
    began = begun(found.fold)
    return changed(found.fold.replays, began) and mixed(found, current, began)


def signs(found: Findings, current: Environment | None) -> list[Sign]:
    """What is otherwise than it was when people last looked into it.

    Args:
        found: What its chain comes to.
        current: What it is made of now.
    """
    seen: dict[Sign, bool] = {
        "mix": mixed(found, current, settled(found, current, "mix")),
        "answers": changed(found.fold.replays, settled(found, current, "answers")),
    }
    return [sign for sign in seen if seen[sign]]


def settled(found: Findings, current: Environment | None, sign: Sign) -> int:
    """From when on an agent teaches what is usual of it, in microseconds; 0 where that is its beginning.

    That is where the last week began that was sampled for this sign and went well: it is over, people have looked at
    ten calls since it began, and no mistake in its calls is on record: whatever is a loss is one, a no as well as an
    incident. One that is told later takes it back. What was sampled by a release that didn't say for which sign begins
    nothing.

    Args:
        found: What its chain comes to.
        current: What it is made of now; only calls of it count.
        sign: Which.
    """
    events, began = found.fold.events, begun(found.fold)
    weeks = {
        (one.at_us, one.at_us + one.cooldown * DAY) for one in events
        if (one.kind, one.code) == ("sampled", sign) and one.at_us > began
    }  # fmt: skip
    over = sorted((week for week in weeks if week[1] <= found.now_us), reverse=True)
    deeds = _deeds(found, current) if over else []
    looks = sorted(deed.at_us for deed in deeds if found.looked(deed))
    told = [deed.at_us for deed in deeds if _erred(found, deed)]
    wrong = sorted([*told, *(one.at_us for one in events if one.kind == "demoted" and one.code in _WRONG)])
    for start, until in over:
        enough = len(looks) - bisect_right(looks, start) >= LOOKED
        if enough and bisect_right(wrong, start) == bisect_right(wrong, until):
            return start
    return began


def _erred(found: Findings, deed: Deed) -> bool:
    """Whether a call was a mistake of the agent, by what is known now."""
    if deed.cell is None or deed.clean or not deed.counts:
        return False
    return deed.loss(frozenset(found.policy.rule(deed.cell.tool).trust.cosmetic)) > 0


def _deeds(found: Findings, current: Environment | None) -> list[Deed]:
    """What an agent did as it is made now."""
    if current is None:
        return []
    mine = [cell for cell in found.cells if current.key(cell.tool) == cell.env]
    return [deed for cell in mine for deed in found.deeds(cell)]


def mixed(found: Findings, current: Environment | None, since_us: int = 0) -> bool:
    """Whether an agent calls other tools than it did in its first 500 calls.

    Args:
        found: What its chain comes to.
        current: What it is made of now.
        since_us: Only what it called after this moment.
    """
    deeds = [deed for deed in _deeds(found, current) if deed.ends and deed.at_us > since_us]
    calls = sorted((deed.at_us, deed.cell.tool) for deed in deeds if deed.cell is not None)
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
