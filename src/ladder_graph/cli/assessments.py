"""The JSON of trust: what is known of a cell, why it stands there, promotions, incidents, sweeps. As in `documents`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from ladder_graph.cli.aftermath import instant, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ladder_graph.cli.documents import ReasonDocument
    from ladder_graph.facts import Reason
    from ladder_graph.ladder.assessing import Assessment
    from ladder_graph.ledger import Action
    from ladder_graph.trust.case import Certificate, Gate
    from ladder_graph.trust.cells import CellKey
    from ladder_graph.trust.cost import Figure
    from ladder_graph.trust.demotion import Demotion
    from ladder_graph.trust.held import Event


class FigureDocument(TypedDict):
    """An amount of money, with where it comes from."""

    micro_usd: int
    source: str
    """measured, declared or assumed."""


class GateDocument(TypedDict):
    """One of the conditions for going up."""

    code: str
    """Stable."""
    met: bool
    text: str
    when: str | None
    """When it can be met at this pace; null where that can't be told, or it is met."""


class CertificateDocument(TypedDict):
    """Whether a cell may go up one rung, and all that this rests on."""

    to: str
    """The next rung."""
    mode: str
    """certificate, pooled or expected_loss."""
    runs: int
    effective_runs: float
    """Runs, each by the chance that a mistake in it would be known by now."""
    effective_runs_needed: float | None
    """Null where there is nothing to gain."""
    loss: float
    """In whole mistakes."""
    e: float
    """The e-value that was reached."""
    e_needed: float
    pending: float
    """The share of the runs in which a mistake may still come out."""
    active_days: int
    first_run_at: str | None
    last_run_at: str | None
    upper: float
    """The bound that the mean loss stays below, at all times at once."""
    limit: float
    """p*: the mean loss below which the next rung is cheaper; 0 where there is nothing to gain."""
    friction_before: FigureDocument
    """What people's time costs for one action on this rung."""
    friction_after: FigureDocument
    """The same on the next one."""
    mistake: FigureDocument | None
    """What one wrong call costs at most; null where nobody says."""
    rollback: FigureDocument
    """What it costs to undo one."""
    caught: float
    """The share of mistakes that is caught and undone in time, a lower bound."""
    gates: list[GateDocument]
    granted: bool
    """Every condition holds: `ladder promote` may be signed."""
    when: str | None
    """When that may be so at this pace; null where that can't be told."""


class AssessmentDocument(TypedDict):
    """What is known of one cell: `ladder trust --json`."""

    agent: str
    tool: str
    scope: str
    """Empty where the tool has none."""
    env: str
    """The environment key of what proposed its calls."""
    environment: str
    """The same in words; empty where the ledger doesn't describe it."""
    current: bool
    """It proposed the agent's last call."""
    stands: str
    """Where it stands by what it was granted, given and lost, whatever is in place for it."""
    reasons: list[ReasonDocument]
    """What holds it below its start rung."""
    cooldown_until: str | None
    """Until when it must wait after a demotion."""
    certificate: CertificateDocument | None
    """Null on the highest rung."""


class StepDocument(TypedDict):
    """A promotion or a demotion."""

    at: str
    kind: str
    """promoted or demoted."""
    rung: str
    scope: str
    """`*` for all."""
    env: str
    """`*` for all."""
    by: str
    """Empty where a rule did it."""
    code: str
    """Which rule of the table: D1 to D6, manual, or signed."""
    reason: str
    cooldown_days: int


class WhyDocument(TypedDict):
    """Why a tool stands where it does: `ladder why --json`."""

    agent: str
    tool: str
    scope: str
    claimed: str
    """The rung that the policy gives it."""
    ceiling: str
    effective: str
    """The rung that it really stands on."""
    reasons: list[ReasonDocument]
    granted_to: str
    """What the start rung was granted for; empty before the first call."""
    proposed_by: str
    """What proposed the last call."""
    changes: list[str]
    """What is another since the grant."""
    history: list[StepDocument]
    to: str | None
    """The next rung; null where there is none, or nothing is known of it."""
    missing: list[GateDocument]
    """What it takes to go up."""


class PromotionDocument(AssessmentDocument):
    """What was signed: `ladder promote --json`. All but `by` is as it was before."""

    by: str


class IncidentDocument(TypedDict):
    """What came of a report: `ladder incident --json`."""

    action: str
    agent: str
    tool: str
    new: bool
    """Nobody had said that before."""
    demoted_to: str | None
    """The highest rung that the tool is left with; null where it stays."""
    code: str | None
    reason: str
    evidence: str | None
    """What becomes of its evidence: keep, half or wipe."""


class SweepDocument(TypedDict):
    """Something that was put down: `ladder sweep --json`."""

    agent: str
    tool: str
    scope: str
    env: str
    demoted_to: str
    code: str
    reason: str
    evidence: str


class RecomputationDocument(TypedDict):
    """What came of working everything out anew: `ladder trust --recompute --json`."""

    ok: bool
    problems: list[str]


def assessment(of: Assessment, now_us: int) -> AssessmentDocument:
    """What is known of a cell as JSON."""
    cell, waits = of.cell, of.held.cooldown_us
    return {
        "agent": cell.agent, "tool": cell.tool, "scope": cell.scope, "env": cell.env,
        "environment": "" if of.environment is None else str(of.environment), "current": of.current,
        "stands": of.standing.rung.word, "reasons": _reasons(of.standing.reasons),
        "cooldown_until": at(waits if waits > now_us else None),
        "certificate": None if of.certificate is None else certificate(of.certificate),
    }  # fmt: skip


def certificate(of: Certificate) -> CertificateDocument:
    """A certificate as JSON."""
    found, cost = of.evidence, of.price
    return {
        "to": of.to.word, "mode": of.mode, "runs": found.runs, "effective_runs": found.n_eff,
        "effective_runs_needed": finite(of.needed), "loss": found.k, "e": of.e, "e_needed": 1 / of.alpha,
        "pending": found.pending, "active_days": found.active_days, "first_run_at": at(found.first_us),
        "last_run_at": at(found.last_us), "upper": of.upper, "limit": of.limit,
        "friction_before": _figure(cost.before), "friction_after": _figure(cost.after),
        "mistake": None if cost.mistake is None else _figure(cost.mistake), "rollback": _figure(cost.rollback),
        "caught": cost.caught, "gates": [gate(one) for one in of.gates], "granted": of.granted, "when": at(of.when_us),
    }  # fmt: skip


def gate(of: Gate) -> GateDocument:
    """A condition as JSON."""
    return {"code": of.code, "met": of.met, "text": of.text, "when": at(of.when_us)}


def step(of: Event, by: str) -> StepDocument:
    """A promotion or a demotion as JSON."""
    return {
        "at": moment(instant(of.at_us)), "kind": of.kind, "rung": of.rung.word, "scope": of.cell.scope,
        "env": of.cell.env, "by": by, "code": of.code, "reason": of.reason, "cooldown_days": of.cooldown,
    }  # fmt: skip


def incident(of: Action, down: Demotion | None, *, new: bool) -> IncidentDocument:
    """What came of a report as JSON."""
    return {
        "action": of.key, "agent": of.agent, "tool": of.tool, "new": new,
        "demoted_to": None if down is None else down.rung.word, "code": None if down is None else down.code,
        "reason": "" if down is None else down.reason, "evidence": None if down is None else down.evidence,
    }  # fmt: skip


def swept(of: CellKey, down: Demotion) -> SweepDocument:
    """Something that was put down as JSON."""
    return {
        "agent": of.agent, "tool": of.tool, "scope": of.scope, "env": of.env, "demoted_to": down.rung.word,
        "code": down.code, "reason": down.reason, "evidence": down.evidence,
    }  # fmt: skip


def missing(of: Certificate | None) -> list[GateDocument]:
    """What it takes to go up."""
    return [] if of is None else [gate(one) for one in of.missing]


def at(us: int | None) -> str | None:
    """A moment from microseconds since the epoch, where there is one."""
    return None if us is None else moment(instant(us))


def finite(value: float) -> float | None:
    """A number as JSON knows them."""
    return value if abs(value) < float("inf") else None


def _figure(of: Figure) -> FigureDocument:
    return {"micro_usd": of.micro, "source": of.source}


def _reasons(of: Sequence[Reason]) -> list[ReasonDocument]:
    return [{"code": reason.code, "text": reason.text} for reason in of]
