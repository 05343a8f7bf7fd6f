"""What the chain of one agent comes to, under a policy and at a moment: where each cell stands, and what is missing."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cached_property

from ladder_graph.fingerprint import Environment
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Attested, Case, Certificate
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.cost import Measured, Price, price
from ladder_graph.trust.deeds import LOOK, Deed
from ladder_graph.trust.delay import Delays, Report, known_by, observed
from ladder_graph.trust.demotion import Demotion, after_alarm, after_silence, after_stamping
from ladder_graph.trust.evalue import ALARM, ecusum, evalue
from ladder_graph.trust.evidence import DAY, Unit, Weighed, units, weigh
from ladder_graph.trust.fold import Digested, Drill, Fold
from ladder_graph.trust.gates import FRESH, REPORTS
from ladder_graph.trust.held import Held, nearest, rows
from ladder_graph.trust.looking import Reviewer
from ladder_graph.trust.looks import Look
from ladder_graph.trust.promotion import certify, most_a_day
from ladder_graph.trust.reviewers import Probes, Sensitivity, sensitivity
from ladder_graph.trust.standing import Standing, as_known, reached, standing

MINUTE = 60_000_000
"""Microseconds in a minute."""


class Findings:
    """What a fold comes to under a policy, at a moment.

    Args:
        fold: One agent's.
        policy: The policy in force.
        now_us: The moment, in microseconds since the epoch.
        locked: The environment of `ladder.lock`, which wins over the pinned one.
        versions: Tool to its present version, where it is known in this process.
        standings: The rows that the gate reads; None works them out from the events.
    """

    def __init__(
        self, fold: Fold, policy: Policy, now_us: int, *, locked: Environment | None = None,
        versions: dict[str, str] | None = None, standings: dict[CellKey, Held] | None = None,
    ) -> None:  # fmt: skip
        self.fold, self.policy, self.now_us = fold, policy, now_us
        self._pinned = locked or fold.pinned
        self.versions = versions or {}
        self.standings = rows(fold.events) if standings is None else standings
        self._losses: dict[tuple[str, int], float] = {}

    # --- cells -----------------------------------------------------------------------------------------------

    @cached_property
    def cells(self) -> list[CellKey]:
        """Every cell that acted, or holds anything."""
        acted = {deed.cell for deed in self.fold.deeds.values() if deed.cell is not None}
        return sorted(acted | {cell for cell in self.standings if "*" not in cell})

    @cached_property
    def _of_cell(self) -> dict[CellKey, list[Deed]]:
        found: defaultdict[CellKey, list[Deed]] = defaultdict(list)
        for deed in self.fold.deeds.values():
            if deed.cell is not None:
                found[deed.cell].append(deed)
        return found

    def deeds(self, cell: CellKey) -> list[Deed]:
        """What became of each action of a cell."""
        return self._of_cell.get(cell, [])

    @cached_property
    def _cells_of(self) -> dict[str, list[CellKey]]:
        found: defaultdict[str, list[CellKey]] = defaultdict(list)
        for cell in self._of_cell:
            found[cell.tool].append(cell)
        return found

    @cached_property
    def _of_tool(self) -> dict[str, list[Deed]]:
        found: defaultdict[str, list[Deed]] = defaultdict(list)
        for cell, deeds in self._of_cell.items():
            found[cell.tool] += deeds
        return found

    def held(self, cell: CellKey) -> Held:
        """What a cell holds."""
        return nearest(self.standings, cell)

    def environment(self, cell: CellKey) -> Environment | None:
        """What a cell's environment key stands for; None where the chain doesn't describe it."""
        known = (*reversed(self.fold.environments), *([self._pinned] if self._pinned else []))
        return next((one for one in known if one.key(cell.tool) == cell.env), None)

    def stands(self, cell: CellKey) -> Standing:
        """Where a cell stands by what it was granted, given and lost, whatever is in place for it."""
        rule, held = self.policy.rule(cell.tool), self.held(cell)
        found = self.environment(cell)
        same = found is None and self._pinned is None  # Before the first pin there is nothing to compare.
        granted = Standing(rule.rung) if same else standing(rule.rung, self._pinned, found, cell.tool)
        return reached(
            granted, held.earned, held.cap, held.reason, current=found, tool=cell.tool, undeclared=cell.scope == "?"
        )

    # --- evidence --------------------------------------------------------------------------------------------

    @cached_property
    def _delays(self) -> dict[str, Delays]:
        found: defaultdict[str, list[Report]] = defaultdict(list)
        for deed in self.fold.deeds.values():
            told = [one for klass, one in deed.incidents.items() if klass != LOOK and not one.reversed]
            reported = [one.first_us or one.at_us for one in told]
            if deed.cell is not None and reported:
                age = (self.now_us - deed.at_us) / DAY
                found[deed.cell.tool].append(Report((min(reported) - deed.at_us) / DAY, age))
        return {tool: observed(reports) for tool, reports in found.items()}

    def _known(self, tool: str, age: float, sight: float) -> float:
        return known_by(age, sight, self._delays.get(tool, Delays()))

    def reviewer(self, name: str) -> Sensitivity:
        """How many mistakes a person is known to catch."""
        return sensitivity(name, self.fold.probes)

    def _sight(self, look: Look) -> float:
        found = self.reviewer(look.by)
        return found.of(float("inf") if look.seconds is None else look.seconds, look.characters)

    def looked(self, deed: Deed) -> bool:
        """Whether anybody looked at an action who might have seen a mistake in it."""
        return not deed.by_person and any(self._sight(look) > 0 for look in deed.looks)

    def units(self, cell: CellKey) -> list[Unit]:
        """The runs of a cell that weren't wiped."""
        wiped, cosmetic = self.held(cell).wiped_us, frozenset(self.policy.rule(cell.tool).trust.cosmetic)
        deeds = (deed for deed in self._of_cell.get(cell, ()) if deed.at_us > wiped)
        return units(deeds, self._sight, cosmetic)

    def weighed(self, cell: CellKey, most: float, found: list[Unit] | None = None) -> Weighed:
        """What the evidence of a cell comes to.

        Args:
            cell: The cell.
            most: Effective runs that one day may give.
            found: Other runs than its own, as those of a whole risk class.
        """
        held = self.held(cell)
        return weigh(
            self.units(cell) if found is None else found, self.now_us,
            lambda age, sight: self._known(cell.tool, age, sight), most_a_day=most, since_us=held.counted_us,
            stale_us=held.stale_us, single_pattern=self.policy.rule(cell.tool).trust.single_pattern,
        )  # fmt: skip

    # --- verdicts --------------------------------------------------------------------------------------------

    def price(self, cell: CellKey, rung: Rung) -> Price:
        """What going up from a rung is worth to a cell."""
        return price(rung, self.policy.rule(cell.tool), self.policy.trust, self._measured(cell.tool))

    def certificate(self, cell: CellKey) -> Certificate | None:
        """What is known of a cell, and whether it may go up; None on the highest rung."""
        rung = self.stands(cell).rung
        if rung is Rung.REPORT:
            return None
        rule, cost = self.policy.rule(cell.tool), self.price(cell, rung)
        most = most_a_day(cost, self.policy.trust.alpha_to(Rung(rung + 1)))
        return certify(
            Case(
                cell, rung, rule, self.policy.trust, cost, self.weighed(cell, most), self.now_us, self.held(cell),
                self._attested(cell), self._earlier(cell, most), self._pooled(cell, rule, most),
                as_known(Rung.REPORT, self.environment(cell), cell.tool),
            )
        )  # fmt: skip

    def _earlier(self, cell: CellKey, most: float) -> Weighed | None:
        """What the same tool has shown elsewhere: in sibling scopes, else in the environment that acted before."""
        others = [one for one in self._cells_of.get(cell.tool, ()) if one != cell]
        siblings = [one for one in others if one.env == cell.env]
        found = [unit for one in siblings or others for unit in self.units(one)]
        return self.weighed(cell, most, sorted(found)) if found else None

    def _pooled(self, cell: CellKey, rule: Rule, most: float) -> Weighed | None:
        """What its risk class has shown in the same environment, where the policy lets scopes share a certificate."""
        if rule.scope is None or rule.scope.pooling != "floor" or cell.scope not in rule.scope.risks:
            return None
        alike = [cell._replace(scope=scope) for scope in (cell.scope, *rule.scope.alike(cell.scope))]
        return self.weighed(cell, most, sorted(unit for one in alike for unit in self.units(one)))

    def demotion(self, cell: CellKey) -> Demotion | None:
        """What the numbers say against a cell (D4, D6); None where they say nothing."""
        rung = self.stands(cell).rung
        if rung <= Rung.CONFIRM:
            return None
        found = self.units(cell)
        limit, alarm = self.price(cell, Rung(rung - 1)).limit, 0.0
        for one in found:
            age = ((one.known_us or self.now_us) - one.at_us) / DAY
            alarm = ecusum(alarm, one.loss, limit * self._known(cell.tool, age, one.sight))
        if alarm >= ALARM:
            return after_alarm(rung, f"it errs far more often than the {limit:.2%} of its runs that it may")
        if self._stamped(cell, rung):
            return after_stamping(rung, "what held it here were approvals of people who didn't look, as probes show")
        if (spent := self._spent(cell)) is not None:
            return after_alarm(rung, spent)
        last = self._last_judged(cell)
        if not last:
            return None
        return after_silence(rung, (self.now_us - last) / DAY, lowered=self.held(cell).stale_us > last)

    def _last_judged(self, cell: CellKey) -> int:
        """When the last action of a cell was judged, though it may count no more; since when none was, where none is.

        0 for a cell that never did anything, on its start rung.
        """
        deeds, held = self._of_cell.get(cell, ()), self.held(cell)
        began = min((deed.at_us for deed in deeds), default=held.since_us)
        last = max((deed.at_us for deed in deeds if deed.counts), default=began)
        return last if held.code else max(last, held.since_us)  # Whoever raised it by hand knew of the silence.

    def _stamped(self, cell: CellKey, rung: Rung) -> bool:
        """Whether a rung that was earned wouldn't be earned on what its approvals turned out to be worth."""
        if self.held(cell).earned is None or not self._attested(cell).stamped:
            return False
        cost, alpha = self.price(cell, Rung(rung - 1)), self.policy.trust.alpha_to(rung)
        found = self.weighed(cell, most_a_day(cost, alpha))
        return evalue(found.k, cost.limit * found.n_eff) < 1 / alpha

    @cached_property
    def _faulty(self) -> dict[str, dict[int, list[list[tuple[int, float]]]]]:
        """Tool to days of which something came out in the last 24 hours, to what went wrong in each deed of that day.

        Only what had an effect is of it; what a person made of one is that person's.
        """
        found: dict[str, dict[int, list[list[tuple[int, float]]]]] = {}
        for tool, deeds in self._of_tool.items():
            days: defaultdict[int, list[list[tuple[int, float]]]] = defaultdict(list)
            for deed in deeds:
                if deed.ends and not (deed.clean or deed.by_person) and (faults := deed.faults):
                    days[deed.at_us // DAY].append(faults)
            found[tool] = {day: done for day, done in days.items() if _after(self.now_us - DAY, done)}
        return found

    def _spent(self, cell: CellKey) -> str | None:
        """Why a cell's tool has lost more than it may; None where it hasn't, or was put down for it."""
        budget, cap = self.policy.trust.loss_budget, self.policy.rule(cell.tool).mistake
        if budget is None or cap is None:
            return None
        lost = round(cap * self._lost(cell.tool, self.held(cell).wiped_us))  # Tenths of mistakes don't sum up exactly.
        return None if lost <= budget else f"it lost {spell_dollars(lost)} in a day, of {spell_dollars(budget)}"

    def _lost(self, tool: str, since_us: int) -> float:
        """What a tool lost in a day, in whole mistakes, by what became known after a moment.

        That is what became known in the day up to now; or what was done on one day, where some of that did, whichever
        is more: what is lost at once may come out bit by bit.
        """
        if (known := self._losses.get((tool, since_us))) is not None:
            return known
        day_us = max(since_us, self.now_us - DAY)
        days = self._faulty.get(tool, {}).values()
        sums = [_after(since_us, done) for done in days if _after(day_us, done)]
        told = [loss for done in days for loss in _after(day_us, done)]
        lost = self._losses[tool, since_us] = max(math.fsum(one) for one in (told, *sums))
        return lost

    def reviewers(self) -> list[Reviewer]:
        """Everybody who answered, with what is known of how they look."""
        looks: defaultdict[str, list[Look]] = defaultdict(list)
        for deed in self.fold.deeds.values():
            for verdict, look in deed.judged.items():
                if verdict in _ANSWERED and look.by:
                    looks[look.by].append(look)
        names = sorted({*looks, *self.fold.probes})
        return [Reviewer.of(name, looks[name], self.fold.probes.get(name, Probes()), self.reviewer(name), self.now_us)
                for name in names]  # fmt: skip

    # --- what was measured, and what was carried out ---------------------------------------------------------

    def _measured(self, tool: str) -> Measured:
        deeds = [deed for deed in self._of_tool.get(tool, ()) if not deed.by_person]
        looks = [(deed, look) for deed in deeds for no, look in deed.judged.items() if no in _ANSWERED]
        unasked = [deed for deed in deeds if deed.rung >= Rung.BOUNDED]
        asked = [deed for deed in deeds if deed.beyond]
        undone = [deed for deed in deeds if deed.ends.keys() & _UNDOES]
        failed = sum("undone" not in deed.ends for deed in undone)
        drills = [drill for drill in self.fold.drills if drill.tool == tool]
        return Measured(
            minutes=tuple(look.seconds / 60 for _, look in looks if look.seconds is not None),
            waited=tuple((look.at_us - deed.at_us) / MINUTE for deed, look in looks),
            asked=len(asked), calls=len(unasked) + len(asked),
            drills=len(undone) + len(drills), drills_failed=failed + sum(not drill.passed for drill in drills),
        )  # fmt: skip

    def _attested(self, cell: CellKey) -> Attested:
        tool, fresh = cell.tool, self.now_us - FRESH * DAY
        version = self.versions.get(tool) or next((d.version for d in reversed(self._drills(tool))), "")
        drills = [d for d in self._drills(tool) if d.at_us >= fresh and d.version == version and d.passed]
        due, read, unread = self._reports(tool)
        stopped = max((deed.at_us for deed in self._of_tool.get(tool, ()) if deed.beyond), default=0)
        bounds = max(stopped, self.fold.attested.get(("bounds", tool), 0)) or None
        open_ = sum(
            not (one.closed or one.reversed) and (one.severity.loss >= 1 or klass == LOOK)
            for deed in self._of_tool.get(tool, ()) for klass, one in deed.incidents.items()
        )  # fmt: skip
        deeds = self._of_cell.get(cell, ())
        approvers = sorted({deed.look.by for deed in deeds if deed.rung <= Rung.CONFIRM and deed.look is not None})
        return Attested(
            drills=len(drills), bounds_us=bounds, audit_us=self.fold.attested.get(("audit", "")),
            reports=due, reports_read=read, unread=unread, open_incidents=open_,
            stamped=tuple(name for name in approvers if not self.reviewer(name).evidence),
        )  # fmt: skip

    def _drills(self, tool: str) -> list[Drill]:
        return [drill for drill in self.fold.drills if drill.tool == tool]

    def _reports(self, tool: str) -> tuple[int, int, int]:
        """The last reports that were due or are read, how many of them were read in time, and how many never were."""
        due: dict[str, int] = {}
        for deed in self._of_tool.get(tool, ()):
            if deed.report:
                made = self.fold.digests.get(deed.report, Digested()).due_us
                due[deed.report] = min(deed.read_by_us, deed.read_by_us if made is None else made)
        found = [(at, self.fold.digests.get(report, Digested())) for report, at in due.items()]
        over = [(at, one) for at, one in found if one.read_us is not None or one.lapsed or at < self.now_us]
        last = sorted(over, key=lambda one: one[0])[-REPORTS:]
        in_time = sum(one.read_us is not None and one.read_us <= at and not one.lapsed for at, one in last)
        return len(last), in_time, sum(one.read_us is None for _, one in over)


_ANSWERED = frozenset({"approved", "declined", "edited", "responded"})
_UNDOES = frozenset({"undone", "undo_conflict", "undo_failed"})


def _after(since_us: int, done: list[list[tuple[int, float]]]) -> list[float]:
    """What each of these deeds lost by what became known after a moment, in whole mistakes; none that lost nothing."""
    late = ([loss for at, loss in faults if at > since_us] for faults in done)
    return [min(1.0, math.fsum(losses)) for losses in late if losses]
