"""How a certificate looks: where a cell stands, what speaks for it, what it costs to be wrong, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ladder_graph.cli.aftermath import instant
from ladder_graph.cli.screen import QUIET, styled
from ladder_graph.policy.units import spell_dollars

if TYPE_CHECKING:
    from rich.text import Text

    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.ladder.assessing import Assessment
    from ladder_graph.trust.case import Certificate, Gate
    from ladder_graph.trust.cost import Figure


def card(out: Screen, of: Assessment, now_us: int) -> None:
    """All that is known of one cell."""
    made = of.certificate
    out.heading(name_of(of), of.cell.agent)
    out.fields([("stands on", f"{of.standing.rung}"), *_made_of(of)])
    if of.standing.reasons:
        out.fields([("held back", reason.text) for reason in of.standing.reasons])
    if of.held.cooldown_us > now_us:
        out.fields([("waits until", day(of.held.cooldown_us))])
    if made is None:
        out.gap()
        out.note("There is no rung above report.")
        return
    out.gap()
    out.fields(_evidence(made))
    out.gap()
    out.fields(_money(made))
    out.gap()
    gates(out, made.gates)
    out.gap()
    out.line(verdict(out, of))


def name_of(of: Assessment) -> str:
    """A cell's tool, with its scope."""
    return f"{of.cell.tool} [{of.cell.scope}]" if of.cell.scope else of.cell.tool


def _made_of(of: Assessment) -> list[tuple[str, Cell]]:
    said = "nobody knows what" if of.environment is None else str(of.environment)
    seen = "it proposed the last call" if of.current else "another one proposed the last call"
    return [("made of", f"{said} ({seen})"), ("environment", of.cell.env[:12] or "unknown")]


def _evidence(made: Certificate) -> list[tuple[str, Cell]]:
    found = made.evidence
    needed = f"{made.needed:.0f}" if made.needed < float("inf") else "more than can ever be"
    counted = f"{found.runs}, which count as {found.n_eff:.1f}; {needed} are needed at this loss"
    facts: list[tuple[str, Cell]] = [
        ("runs", counted if found.runs else "none yet"),
        ("loss", f"{found.k:.3g} mistakes; at most {made.upper:.2%} a run, however often somebody looks"),
        ("e", f"{made.e:.1f} of {1 / made.alpha:.0f}, for a chance of {made.alpha:.0%} of a wrong promotion"),
    ]
    if found.first_us is not None and found.last_us is not None:
        facts += [
            ("pending", f"in {found.pending:.0%} of the runs a mistake may still come out"),
            ("active", f"on {found.active_days} days, from {day(found.first_us)} to {day(found.last_us)}"),
        ]
    return facts


def _money(made: Certificate) -> list[tuple[str, Cell]]:
    cost = made.price
    mistake: Cell = "nobody says what one costs: the rule needs `mistake`"
    caught = "0 %: no undo was tried yet"
    if cost.mistake is not None:
        mistake = _figure(cost.mistake)
    if cost.drills:
        caught = f"{cost.caught:.0%} at least, of {cost.drills} undos that were tried"
    limit = f"p* = {made.limit:.4g}: {made.to.word} is cheaper below {made.limit:.2%} of a mistake a run"
    return [
        (f"on {made.rung.word}", _figure(cost.before, " of people's time an action")),
        (f"on {made.to.word}", _figure(cost.after, " of people's time an action")),
        ("a mistake", mistake), ("an undo", _figure(cost.rollback)), ("caught", caught),
        ("limit", limit if made.limit else "none: the next rung saves nobody any time"),
    ]  # fmt: skip


def _figure(of: Figure, unit: str = "") -> Text:
    mark = styled(f"{spell_dollars(of.micro)}{unit}, ", "")
    return mark.append(of.source, "yellow" if of.source == "assumed" else QUIET)


def gates(out: Screen, found: Sequence[Gate]) -> None:
    """Conditions, met or missing, with the day on which a missing one can be met."""
    rows: list[list[Cell]] = []
    for one in found:
        sign = styled(out.glyphs.good, "green") if one.met else styled(out.glyphs.bad, "red")
        when = "" if one.when_us is None else by(one.code, day(one.when_us))
        rows.append([sign, styled(one.code, "" if one.met else "bold"), f"{one.text}{when}"])
    out.columns(rows, between=2)


def by(code: str, day: str) -> str:
    """When a condition can be met: time alone brings some of them, the others are a matter of pace."""
    return f", until {day}" if code in {"cooldown", "days"} else f", {day} at this pace"


def verdict(out: Screen, of: Assessment) -> Text:
    """Whether a cell may go up, or when."""
    made = of.certificate
    if made is None:
        return styled("it stands on the highest rung", QUIET)
    if made.granted:
        found = styled(f"{out.glyphs.good} may go up to {made.to.word}: ", "green")
        return found.append(command(of), "default")
    if made.when_us is None:
        missing = ", ".join(gate.code for gate in made.missing if gate.when_us is None)
        return styled(f"may not go up to {made.to.word} before somebody sees to: {missing}", "")
    return styled(f"may go up to {made.to.word} on {day(made.when_us)} at this pace", "")


def command(of: Assessment) -> str:
    """The command by which a cell goes up."""
    cell = of.cell
    scope = f" --scope {cell.scope!r}" if cell.scope else ""
    env = "" if of.current else f" --env {cell.env[:12]}"
    inside = f" --agent {cell.agent}" if "/" in cell.agent else ""
    return f"ladder promote {cell.tool}{scope}{env}{inside}"


def day(us: int) -> str:
    """A day in this machine's own time."""
    return f"{instant(us).astimezone():%Y-%m-%d}"
