"""The conditions for going up one rung, all of which must hold: what each asks, and when it can be met at this pace."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Rate, Volume
from ladder_graph.policy.trusting import OTHER
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Case, Certificate, Gate
from ladder_graph.trust.evalue import evalue, needed
from ladder_graph.trust.evidence import DAY

DRILLS = 10
"""Undos that must have been tried and have worked before a tool may stand on the rung that relies on them."""

FRESH = 30
"""Days after which a drill, a test of the bounds or an audit is too old to rely on."""

READ = 0.95
"""The share of the last twenty reports that must have been read in time."""

REPORTS = 20

SOME = 3.0
"""The e-value that a scope needs of its own, where it shares a certificate with others of its risk class."""

PENDING = 0.5
"""The share of runs in which a mistake may still come out, at which it is too early to tell."""

AGAIN = 10
"""Runs without a mistake that it takes after a long silence, before a cell comes back up."""

FARTHEST = 36_500
"""Days ahead from which on nobody can tell when a condition will be met."""

PRIOR = (1.0, 20.0)
"""Shape and rate of the gamma distribution that `expected_loss` begins with: one mistake in twenty runs."""


def gates(case: Case, made: Certificate) -> Iterator[Gate]:
    """Every condition, met or not.

    Args:
        case: The case.
        made: Its numbers.
    """
    if case.held.code == "D8" and case.to is Rung.REPORT:
        yield from _read_after_all(case)
        return
    yield from _numbers(case, made)
    yield from _time(case)
    yield from _conduct(case)
    yield from _price(case)
    yield from _infrastructure(case)


def _read_after_all(case: Case) -> Iterator[Gate]:
    """It lost its rung since a report lay unread, and no evidence: what it had shown still holds once that is read."""
    left = case.attested.unread
    text = f"{left} of the reports on it were due and are unread" if left else "every report on it that was due is read"
    yield Gate("reports_read", not left, text)
    yield from (gate for gate in _conduct(case) if gate.code in {"incidents", "environment", "ceiling", "scope"})


def _numbers(case: Case, made: Certificate) -> Iterator[Gate]:
    """What the statistic says."""
    found, limit = case.evidence, made.limit
    if not limit:
        yield Gate("gain", met=False, text="the next rung saves no time of anybody's, so there is nothing to gain")
        return
    yield Gate("gain", met=True, text=f"the next rung saves {spell_dollars(case.price.saved)} an action")
    if case.to >= Rung.BOUNDED and case.price.mistake is None and not case.rule.read_only:
        text = "nobody says what a mistake costs, so it can't be told how many runs are needed"
        yield Gate("certificate", met=False, text=text)
        return
    match made.mode:
        case "expected_loss":
            mean = (PRIOR[0] + found.k) / (PRIOR[1] + found.n_eff)
            text = f"the expected loss is {mean:.4f} of a mistake a run, and {limit:.4f} is the limit"
            short = (PRIOR[0] + found.k) / limit - PRIOR[1] - found.n_eff
            yield _reached("expected_loss", mean <= limit, text, short, case)
        case "pooled":
            assert case.pooled is not None  # noqa: S101  # that is what the mode says
            together = evalue(case.pooled.k, limit * case.pooled.n_eff)
            text = (
                f"e = {together:.1f} of its risk class, of {1 / made.alpha:.0f} needed; {made.e:.1f} of its own, of 3"
            )
            short = needed(case.pooled.k, made.alpha) / limit - case.pooled.n_eff
            yield _reached("certificate", together >= 1 / made.alpha and made.e >= SOME, text, short, case)
        case _:
            text = (
                f"e = {made.e:.1f} of {1 / made.alpha:.0f} needed: {found.n_eff:.0f} effective runs of "
                f"{made.needed:.0f}, with a loss of {found.k:g} mistakes"
            )
            yield _reached("certificate", made.e >= 1 / made.alpha, text, made.needed - found.n_eff, case)


def _reached(code: str, met: bool, text: str, short: float, case: Case) -> Gate:  # noqa: FBT001  # what it is about
    """A condition that more runs would meet, with the day on which they will have come."""
    found = case.evidence
    if met or found.first_us is None or not found.n_eff:
        return Gate(code, met, text)
    a_day = found.n_eff / max(1.0, (case.now_us - found.first_us) / DAY)
    days = max(1.0, short / a_day) if short < a_day * FARTHEST else math.inf
    return Gate(code, met, text, None if days == math.inf else case.now_us + int(days * DAY))


def _time(case: Case) -> Iterator[Gate]:
    """Weeks, and not days."""
    trust, found, held = case.trust, case.evidence, case.held
    since = max(held.counted_us, found.first_us or case.now_us)
    days = (case.now_us - since) / DAY
    until = since + trust.least_days * DAY
    met = days >= trust.least_days
    text = f"{int(days)} days on this rung, of {trust.least_days}"
    yield Gate("days", met, text, None if met or found.first_us is None else until)
    missing = trust.active_days - found.active_days
    when = case.now_us + int(missing * max(1.0, days / max(1, found.active_days)) * DAY) if found.active_days else None
    text = f"acted on {found.active_days} days, of {trust.active_days}"
    yield Gate("active_days", missing <= 0, text, None if missing <= 0 else when)
    late = case.held.cooldown_us <= case.now_us
    yield Gate(
        "cooldown", late, "no demotion to wait for" if late else "it was demoted, and must wait",
        None if late else case.held.cooldown_us,
    )  # fmt: skip
    if held.code == "D6":
        text = f"{found.again} runs without a mistake since it fell silent, of {AGAIN}"
        yield Gate("judged_again", found.again >= AGAIN, text)


def _conduct(case: Case) -> Iterator[Gate]:
    """What is open, or can't be told."""
    found, told = case.evidence, case.attested
    text = f"in {found.pending:.0%} of its runs a mistake may still come out"
    met = found.runs > 0 and found.pending < PENDING
    yield Gate("pending", met, text if found.runs else "it has no judged run")
    text = f"{told.open_incidents or 'no'} incident{'s are' if told.open_incidents > 1 else ' is'} open"
    yield Gate("incidents", not told.open_incidents, text)
    text = (
        f"approvals by {', '.join(told.stamped)} are no evidence: less than half of the probes were caught; bounds and "
        "an undo would do more than more questions"
    )
    yield Gate("reviewers", not told.stamped, text if told.stamped else "whoever approves looks, as far as is known")
    if not case.rule.trust.single_pattern:
        text = f"{found.forms} forms of calls, the most frequent {found.top_form:.0%} of them"
        yield Gate("variety", found.n_eff > 0 or not found.runs, text)
    yield _environment(case)
    if case.cell.scope == OTHER and case.to > Rung.CONFIRM:
        yield Gate("scope", met=False, text="its calls are in no declared scope")
    text = f"the policy allows {case.rule.ceiling} at most"
    yield Gate("ceiling", case.to <= case.rule.ceiling, text)


def _environment(case: Case) -> Gate:
    """What proposes its calls must be known, and for the rungs above bounded all of it."""
    if not case.cell.env:
        return Gate("environment", met=False, text="nobody knows what proposes its calls")
    if case.to > case.known.rung:
        (why, *_) = case.known.reasons
        return Gate("environment", met=False, text=f"it may go up to {case.known.rung} at most: {why.text}")
    return Gate("environment", met=True, text="it is known what proposes its calls")


def _price(case: Case) -> Iterator[Gate]:
    """From rung 3 up a mistake is capped, and which ones are expected is written down."""
    if case.to < Rung.BOUNDED or case.rule.read_only:
        return
    cap = case.rule.mistake
    text = (
        "its loss is not bounded: the rule needs `mistake`" if cap is None else f"a mistake costs {spell_dollars(cap)}"
    )
    yield Gate("bounded_loss", cap is not None, text)
    named = case.rule.trust.mistakes
    text = "expected: " + ", ".join(named) if named else "no mistake is expected by name: the rule needs trust.mistakes"
    yield Gate("mistakes_named", bool(named), text)
    if case.trust.loss_budget is None or cap is None:
        return
    calls = calls_a_day(case.rule)
    worst = None if calls is None else calls * cap
    met = worst is not None and worst <= case.trust.loss_budget
    said = "no bound says how many calls a day it may make" if worst is None else f"a day costs {spell_dollars(worst)}"
    yield Gate("budget", met, f"{said} at worst, of {spell_dollars(case.trust.loss_budget)}")


def calls_a_day(rule: Rule) -> int | None:
    """How many calls a day the bounds of a rule let run unasked at most; None where none says.

    Only what is counted for the tool or the agent as a whole bounds it: so many a thread are no bound on a day.
    """
    found = [calls for bound in rule.bounds if (calls := _calls(bound)) is not None]
    return min(found, default=None)


_A_DAY = 86400.0
_WINDOWS = {"minute": 1440, "hour": 24, "day": 1, "month": 1, "ever": 1}
"""Windows of the calendar to how many of them a day touches."""


def _calls(bound: object) -> int | None:
    if not isinstance(bound, Volume | Rate) or bound.by not in {"tool", "agent"} or bound.each_value_of is not None:
        return None
    if isinstance(bound, Rate):
        return math.ceil(bound.limit * _A_DAY / bound.within) + bound.burst
    if bound.within is not None:
        return bound.limit * math.ceil(_A_DAY / bound.within)
    return bound.limit * _WINDOWS[bound.per]


def _infrastructure(case: Case) -> Iterator[Gate]:
    """What was carried out, and not only ticked."""
    told, free = case.attested, case.rule.read_only
    if case.to >= Rung.BOUNDED:
        if not free:
            yield _done("bounds_tested", told.bounds_us, "a call outside its bounds was stopped", case.now_us)
        yield _done("audit", told.audit_us, "the ledger was read back and is whole", case.now_us)
    if case.to >= Rung.ROLLBACK and not free:
        text = f"{told.drills} undos of this version worked in the last {FRESH} days, of {DRILLS}"
        yield Gate("undo_drilled", told.drills >= DRILLS, text)
    if case.to is Rung.REPORT:
        share = told.reports_read / told.reports if told.reports else 1.0
        text = f"{told.reports_read} of the last {told.reports} reports were read in time"
        yield Gate("reports_read", share >= READ, text if told.reports else "no report was due yet")


def _done(code: str, at_us: int | None, text: str, now_us: int) -> Gate:
    if at_us is None:
        return Gate(code, met=False, text=f"it was never seen that {text}; `ladder attest` does it")
    days = (now_us - at_us) / DAY
    if days > FRESH:
        return Gate(code, met=False, text=f"{text}, but {int(days)} days ago; `ladder attest` does it anew")
    return Gate(code, met=True, text=f"{text}, {int(days)} days ago" if days >= 1 else f"{text}, today")
