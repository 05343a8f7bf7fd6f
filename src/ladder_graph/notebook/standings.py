"""Where an agent stands: the ladder with each tool on its rung, what was earned, and what changed of the agent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ladder_graph.explaining import Explanation
from ladder_graph.fingerprint import Change
from ladder_graph.ladder import Ladder
from ladder_graph.ladder.assessing import Assessment
from ladder_graph.ladder.desk import Cell
from ladder_graph.ladder.pins import Difference
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.notebook.markup import Child, Html, element, joined, page, pairs, table
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Certificate
from ladder_graph.wording import sentence, show


def ladder(shown: Ladder) -> Html:
    """A ladder: each agent's six rungs, and how much waits for people."""
    waiting = len(shown.pending())
    said = "Nothing waits for an answer." if not waiting else f"{waiting} waiting for an answer: ladder.pending()"
    return page(_rungs(shown.status()), element("p", said, class_="soft"))


def cells(found: Sequence[Cell]) -> Html:
    """What `status` tells, as the six rungs of each agent."""
    return page(_rungs(found))


def cell(found: Cell) -> Html:
    """One standing."""
    return page(element("div", element("h3", found.agent, ": ", found.name), _standing(found), class_="card"))


def _rungs(found: Sequence[Cell]) -> Html:
    if not found:
        return element("p", "No tool is under this ladder, and its policy names none.")
    agents = groupby(sorted(found, key=lambda one: one.agent), key=lambda one: one.agent)
    return joined(*(_of_agent(agent, list(theirs)) for agent, theirs in agents))


def _of_agent(agent: str, found: list[Cell]) -> Html:
    rows = [
        element("tr", element("th", f"{int(rung)}  {rung.word}", scope="row"), element("td", *_on(rung, found)))
        for rung in reversed(Rung)
    ]
    made = next((one.environment for one in found if one.environment), "")
    caption = f"{agent}: where each tool stands" + (f", proposed by {made}" if made else "")
    lower = [one for one in found if one.route.rung < one.claimed]
    why = element("ul", *(element("li", element("b", one.name), ": ", _because(one)) for one in lower))
    return joined(
        element("table", element("caption", caption), element("tbody", *rows), class_="rungs"), why if lower else None
    )


def _on(rung: Rung, found: Iterable[Cell]) -> Iterable[Html]:
    """The tools that stand on a rung, and those that are claimed to and don't."""
    for one in found:
        if one.route.rung is rung:
            yield element("span", one.name, class_=f"chip stands{' held' if rung < one.claimed else ''}")
            yield Html(" ")
        elif one.claimed is rung:
            where = "lower" if one.route.rung < rung else "higher"
            yield element("span", f"{one.name}: the policy's; it stands {where}", class_="chip claims")
            yield Html(" ")


def _because(one: Cell) -> str:
    return f"claims {one.claimed}, stands at {one.route.rung}: {one.route.why}"


def _standing(one: Cell) -> Html:
    return pairs([
        ("stands at", str(one.route.rung)),
        ("the policy says", str(one.claimed)),
        ("why", _reasons([reason.text for reason in one.route.reasons]) or one.route.why),
        ("proposed by", one.environment),
        ("a mistake costs", spell_dollars(one.mistake) if one.mistake is not None else None),
        ("let run beyond its bounds today", one.beyond or None),
        ("acts on a part first", "yes" if one.part_first else None),
    ])  # fmt: skip


def _reasons(texts: Sequence[str]) -> Html | None:
    return element("ul", *(element("li", sentence(one)) for one in texts)) if texts else None


def explanation(found: Explanation) -> Html:
    """Where a call would go, bound by bound."""
    bounds: list[tuple[Child, ...]] = [
        (one.bound.kind, "inside" if one.held else "outside", one.text) for one in found.bounds
    ]
    told = pairs([
        ("goes to", str(found.route.rung)),
        ("the policy says", str(found.claimed)),
        ("the tool stands at", str(found.stands)),
        ("why", found.route.why),
    ])  # fmt: skip
    title = element("h3", found.call.tool, " ", element("code", show(found.call.arguments)))
    weighed = table("Its bounds", ("bound", "the call is", "why, or what is left"), bounds) if bounds else None
    return page(element("div", title, told, weighed, class_="card"))


def assessments(found: Sequence[Assessment]) -> Html:
    """What `trust` tells: how much of the next rung each cell has earned."""
    rows: list[tuple[Child, ...]] = [_earned(one) for one in found]
    heads = ("tool", "stands at", "runs", "count as", "needed", "e", "of", "missing")
    return page(table("What each tool has earned", heads, rows, empty="no tool has run yet"))


def _earned(one: Assessment) -> tuple[Child, ...]:
    name = f"{one.cell.tool} [{one.cell.scope}]" if one.cell.scope else one.cell.tool
    if (made := one.certificate) is None:
        return name, str(one.standing.rung), "", "", "", "", "", "it is on the highest rung"
    found = made.evidence
    missing = ", ".join(gate.code for gate in made.missing) or "nothing: a person may sign"
    return (
        name, str(one.standing.rung), f"{found.runs:,}", f"{found.n_eff:.1f}", f"{made.needed:.0f}", f"{made.e:.1f}",
        f"{1 / made.alpha:.0f}", missing,
    )  # fmt: skip


def assessment(found: Assessment) -> Html:
    """What is known of one cell."""
    title = element("h3", found.cell.agent, ": ", found.cell.tool, f" [{found.cell.scope}]" if found.cell.scope else "")
    told = pairs([
        ("stands at", str(found.standing.rung)),
        ("why", "; ".join(one.text for one in found.standing.reasons)),
        ("made of", found.environment),
        ("it proposed the last call", "yes" if found.current else "no"),
    ])  # fmt: skip
    return page(element("div", title, told, _gates(found.certificate) if found.certificate else None, class_="card"))


def certificate(found: Certificate) -> Html:
    """Every number of a certificate, and every condition."""
    return page(_gates(found))


def _gates(made: Certificate) -> Html:
    rows: list[tuple[Child, ...]] = [
        (gate.code, "✓ yes" if gate.met else "✗ no", gate.text,
         "" if gate.when_us is None or gate.met else f"{moment(gate.when_us):%Y-%m-%d}")
        for gate in made.gates
    ]  # fmt: skip
    title = f"From {made.rung} to {made.to}: {'granted' if made.granted else 'not yet'}"
    return table(title, ("condition", "holds", "what is the case", "can be met on"), rows)


def difference(found: Difference) -> Html:
    """What changed between two environments, and where each tool stands by that."""
    changes: list[tuple[Child, ...]] = [
        (one.component, one.klass, one.before, one.after) for one in found.after.changes
    ]
    stands: list[tuple[Child, ...]] = [
        (one.tool, str(one.granted), str(one.standing.rung), "; ".join(why.text for why in one.standing.reasons))
        for one in found.tools
    ]
    return page(
        pairs([("granted to", found.before.environment), ("proposes now", found.after.environment)]),
        table("What changed", ("component", "class", "before", "now"), changes),
        table("Where each tool stands by that", ("tool", "granted", "stands at", "why"), stands),
        element("pre", "\n".join(found.prompt)) if found.prompt else None,
    )


def changes(found: Sequence[Change]) -> Html:
    """Components of an agent that are others now."""
    rows: list[tuple[Child, ...]] = [(one.component, one.klass, one.text) for one in found]
    return page(table("What changed", ("component", "class", "in words"), rows))
