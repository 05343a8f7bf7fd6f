"""What trust lacks, so that nothing can be earned: what a mistake costs, who signs, whether anybody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ladder_graph.cli.findings import Finding, Point
from ladder_graph.policy import Policy
from ladder_graph.scale import Rung

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


def examine(ladder: Ladder) -> Iterator[Finding]:
    """Look at what earning a rung needs, where anything may go up at all."""
    policy = ladder.policy
    able = sorted(name for name, rule in policy.tools.items() if rule.ceiling > rule.rung)
    if able:
        points = tuple(_lacks(policy, able))
        count = f"{len(able)} tool{'s' * (len(able) != 1)} may go up, by the policy"
        yield Finding("trust", "note" if points else "good", count, points)
    worries = [Point(f"{one.name}: {text}") for one in ladder.reviewers() for text in one.worries]
    if worries:
        advice = Point("", "ask about less: bounds and an undo do more than more questions")
        yield Finding("approvals", "note", "not all of them are evidence", (*worries, advice))


def _lacks(policy: Policy, able: list[str]) -> Iterator[Point]:
    """What no call may run unasked on trust without."""
    unasked = [name for name in able if policy.tools[name].ceiling >= Rung.BOUNDED and not policy.tools[name].read_only]
    dear = [name for name in unasked if policy.tools[name].mistake is None]
    vague = [name for name in unasked if not policy.tools[name].trust.mistakes]
    if not policy.able(policy.trust.promoters):
        advice = '[people.NAME] roles = ["promoter"], or promoters = ["NAME"] under [trust]'
        yield Point(f"nobody may sign a promotion: {', '.join(policy.trust.promoters)}", advice)
    if dear:
        yield Point(f"nobody says what a mistake costs: {', '.join(dear)}", 'mistake = "$5" in the rule')
    if vague:
        advice = 'trust = { mistakes = ["wrong_recipient"] } in the rule; any other one weighs heavier'
        yield Point(f"no mistake is expected by name: {', '.join(vague)}", advice)
    if policy.trust.wage is None and unasked:
        yield Point("what people's time costs is assumed", 'wage = "$60" under [trust], for an hour')
