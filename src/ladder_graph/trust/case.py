"""What bears on whether a cell may go up, and what came of weighing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ladder_graph.calls import digest_of
from ladder_graph.policy import Rule
from ladder_graph.policy.trusting import Trust
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.cost import Figure, Price
from ladder_graph.trust.evidence import Weighed
from ladder_graph.trust.held import Held
from ladder_graph.trust.standing import ANYWHERE, Standing


@dataclass(frozen=True, slots=True)
class Attested:
    """What was carried out, and not only ticked, by the moment of a certificate."""

    drills: int = 0
    """Undos of this very version of the tool that were tried in the last 30 days, and worked."""
    bounds_us: int | None = None
    """When a call outside its bounds was last seen to be stopped."""
    audit_us: int | None = None
    """When the ledger was last written, read back and found whole."""
    reports: int = 0
    """The last reports, up to twenty."""
    reports_read: int = 0
    """Those of them that were read in time."""
    unread: int = 0
    """Reports that were due and that nobody has read to this day."""
    open_incidents: int = 0
    """Incidents of the tool that nobody has closed."""
    stamped: tuple[str, ...] = ()
    """Reviewers who catch less than half of what is wrong, by probes: their approvals are no evidence."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One of the conditions, all of which must hold."""

    code: str
    """Stable, for programs."""
    met: bool
    text: str
    """What is the case, in words."""
    when_us: int | None = None
    """When it can be met at this pace; None where that can't be told, or it is met."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a cell at a moment, and whether it may go up."""

    cell: CellKey
    rung: Rung
    """Where it stands."""
    to: Rung
    """Where it would go."""
    at_us: int
    mode: str
    """Which rule: `certificate`, `pooled` or `expected_loss`."""
    evidence: Weighed
    price: Price
    alpha: float
    limit: float
    """p*: the mean loss below which the next rung is cheaper."""
    e: float
    """The e-value that was reached."""
    needed: float
    """Effective runs that are needed at this loss; infinite where there is nothing to gain."""
    upper: float
    """The bound that the mean loss stays below."""
    gates: tuple[Gate, ...] = ()

    @property
    def granted(self) -> bool:
        """Whether every condition holds."""
        return all(gate.met for gate in self.gates)

    @property
    def missing(self) -> tuple[Gate, ...]:
        """The conditions that don't hold."""
        return tuple(gate for gate in self.gates if not gate.met)

    @property
    def when_us(self) -> int | None:
        """When all of it can be met at this pace; None where that can't be told."""
        moments = [gate.when_us for gate in self.missing]
        return None if None in moments else max((at for at in moments if at is not None), default=self.at_us)

    @property
    def mark(self) -> str:
        """A digest of what it rests on: the loss, each condition, and the runs by two digits of their number.

        It stays the same while time passes and a busy tool goes on without a mistake.
        """
        found, cell = self.evidence, list(self.cell)
        runs = f"{found.runs:.1e}" if found.runs >= 100 else str(found.runs)  # noqa: PLR2004  # three digits
        held = [[gate.code, gate.met] for gate in self.gates]
        counted = [runs, round(found.k, 6), found.first_us]
        return digest_of("certificate", cell, int(self.rung), int(self.to), self.mode, counted, held)

    @property
    def share(self) -> float:
        """How much of the evidence that is needed for the next rung is there, from 0 to 1."""
        return min(1.0, self.evidence.n_eff / self.needed) if self.needed else 1.0

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, for the ledger's entry."""
        return {**asdict(self), "cell": list(self.cell), "rung": int(self.rung), "to": int(self.to)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Certificate:
        """Read what `plain` wrote."""
        cost = plain["price"]
        figures = {name: None if cost[name] is None else Figure(**cost[name]) for name in _FIGURES}
        return cls(**{
            **plain, "cell": CellKey(*plain["cell"]), "rung": Rung(plain["rung"]), "to": Rung(plain["to"]),
            "evidence": Weighed(**plain["evidence"]), "price": Price(**{**cost, **figures}),
            "gates": tuple(Gate(**gate) for gate in plain["gates"]),
        })  # fmt: skip


_FIGURES = ("before", "after", "mistake", "rollback")


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that bears on whether one cell may go up, at one moment."""

    cell: CellKey
    rung: Rung
    """Where it stands, below the highest."""
    rule: Rule
    trust: Trust
    price: Price
    evidence: Weighed
    """What it has shown itself."""
    now_us: int
    held: Held = field(default_factory=Held)
    attested: Attested = Attested()
    earlier: Weighed | None = None
    """What sibling scopes, or the environment before, have shown: it shapes the bet and counts for nothing."""
    pooled: Weighed | None = None
    """What all scopes of its risk class have shown together, where the policy lets them share a certificate."""
    known: Standing = ANYWHERE
    """The highest rung that it may stand on with what is known of what proposes its calls."""

    @property
    def to(self) -> Rung:
        """The next rung."""
        return Rung(self.rung + 1)


def agrees(one: object, other: object) -> bool:
    """Whether two certificates say the same; a float may differ in its last digits from one machine to another."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(agrees(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(agrees, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    return one == other
