"""What sends a tool down, at once, before its next call, and whatever it had earned.

| | what happened | highest rung from then on | its evidence | days to wait |
|---|---|---|---|---|
| D0 | a mistake that was expected, and handled | as before | the mistake counts | |
| D1 | a mistake that was expected, with a consequence | one lower, not below confirm | kept | 14 |
| D1 | the same, and somebody was hurt | confirm | kept | 28 |
| D2 | one that nobody anticipated | two lower, at most confirm; draft where somebody was hurt | wiped | 28 |
| D3 | another model (A), or prompt, parameters, tools (B) | confirm, bounded; see `standing` | another cell's | |
| D4 | it errs three times as often as it may, or has spent its loss budget | one lower | wiped | 14 |
| D5 | whoever approved its calls didn't look, and without that it would not stand here | one lower | weighs less | |
| D6 | no judged action for 30 days; for 90 | one lower; confirm | half | 7 |
| D7 | what the rung needs isn't there any more; see `routing.lacks` | what is left | kept | |
| D8 | a report on what it did on rung 5 was not read in time | rollback | kept | |
| | a person put it down | as they say | kept | |

Nothing but D2 puts a tool below confirm, and that not below draft: there a person judges each call, and nothing runs
unasked. Nobody anticipated an undo that failed or found a conflict, a cost above what was held, a class of mistakes
that the rule doesn't expect, a loss above the cap. Waiting doubles with each demotion in 90 days before, up to 112
days. D8 is no mistake of the agent: nobody looked. It is for the cells that acted in that report, and holds until the
report is read and a person signs for each of them again; no evidence is asked for anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ladder_graph.calls import Call
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.deeds import Severity

Effect = Literal["keep", "half", "wipe"]
"""What becomes of the evidence so far."""

LONGEST = 112
"""Days of waiting at most."""

RECENT = 90
"""Days in which earlier demotions make the wait longer, and after which a silent cell starts anew."""

SILENT = 30
"""Days without a judged action after which a cell stands one rung lower."""

SOON, LATER = 14, 28
"""Days to wait after a mistake that was expected, and after one that hurt or that nobody anticipated."""


@dataclass(frozen=True, slots=True)
class Demotion:
    """The highest rung that a tool is left with, and why."""

    rung: Rung
    reason: str
    code: str = "manual"
    """Which rule of the table: `D1` to `D8`, or `manual` where a person did it."""
    evidence: Effect = "keep"
    cooldown: int = 0
    """Days before it may go up again."""
    wide: bool = False
    """It holds in every scope and environment of the tool, since what failed is the same in all of them."""


def after_undo(call: Call, state: State, rung: Rung = Rung.ROLLBACK) -> Demotion | None:
    """A failure that nobody anticipated: the undo left a mess. None where it didn't, or none was made.

    Args:
        call: The call.
        state: What came of the undo.
        rung: The rung on which it was made.
    """
    if state not in {State.UNDO_CONFLICT, State.UNDO_FAILED}:
        return None
    return unanticipated(rung, f"the undo of action {call.short} left a mess: {state}")


def after_overrun(call: Call, cost: int, held: int, rung: Rung = Rung.ROLLBACK) -> Demotion:
    """It cost more than was held for it: the bound missed it.

    Args:
        call: The call.
        cost: What it cost, in micro-dollars.
        held: What was held for it, in micro-dollars.
        rung: The rung on which it ran.
    """
    text = f"action {call.short} cost {spell_dollars(cost)}, and {spell_dollars(held)} was held for it"
    return unanticipated(rung, text)


def unanticipated(rung: Rung, reason: str, *, hurt: bool = False) -> Demotion:
    """D2: it wasn't among what was expected to go wrong, so nobody knows what else isn't."""
    left = Rung.DRAFT if hurt else max(Rung.DRAFT, min(rung - 2, Rung.CONFIRM))
    return Demotion(Rung(min(rung, left)), reason, "D2", "wipe", LATER, wide=True)


def after_incident(rung: Rung, severity: Severity, reason: str, *, anticipated: bool) -> Demotion | None:
    """What a report about an action does to the cell that acted; None where it only counts as evidence (D0).

    Args:
        rung: Where the cell stands.
        severity: How bad it was.
        reason: What happened, in words.
        anticipated: Its class is one of those that the rule expects.
    """
    hurt = severity >= Severity.SEVERE
    if severity is Severity.BREACH or not anticipated:
        return unanticipated(rung, reason, hurt=hurt) if severity > Severity.COSMETIC else None
    if severity < Severity.REAL:
        return None
    if hurt:
        return Demotion(min(rung, Rung.CONFIRM), reason, "D1", cooldown=LATER)
    return Demotion(_one_lower(rung), reason, "D1", cooldown=SOON)


def after_alarm(rung: Rung, reason: str) -> Demotion:
    """D4: it errs too often, or has spent its loss budget."""
    return Demotion(_one_lower(rung), reason, "D4", "wipe", SOON)


def after_stamping(rung: Rung, reason: str) -> Demotion:
    """D5: what held it here were approvals that nobody looked at."""
    return Demotion(_one_lower(rung), reason, "D5")


def after_silence(rung: Rung, days: float, *, lowered: bool = False) -> Demotion | None:
    """D6: nothing was judged for a while; None below 30 days.

    Args:
        rung: Where the cell stands.
        days: Days since its last judged action.
        lowered: It was put down in this silence already, so that it goes further down after 90 days and not before.
    """
    if not days >= (RECENT if lowered else SILENT) or rung <= Rung.CONFIRM:
        return None
    reason = f"none of its actions was judged for {int(days)} days"
    return Demotion(Rung.CONFIRM if days >= RECENT else _one_lower(rung), reason, "D6", "half", 7)


def after_unread(report: str, seconds: float) -> Demotion:
    """D8: what it did unasked wasn't read in time, so it goes down from report to rollback.

    Args:
        report: What the report is called.
        seconds: For how long it has lain unread.
    """
    return Demotion(Rung.ROLLBACK, f"the report {report} lay unread for {_spell(seconds)}", "D8")


def _spell(seconds: float) -> str:
    """Whole minutes, hours or days, whichever says enough."""
    minutes = int(seconds // 60)
    for name, size in (("days", 2880), ("hours", 120), ("minutes", 2)):
        if minutes >= size:
            return f"{minutes // (size // 2)} {name}"
    return f"{seconds:.0f} seconds"


def _one_lower(rung: Rung) -> Rung:
    """One rung lower, not below confirm; what stands at or below it stays where it is."""
    return rung if rung <= Rung.CONFIRM else Rung(rung - 1)


def repeated(demotion: Demotion, earlier: int) -> Demotion:
    """The same demotion with a longer wait, where others came before it.

    Args:
        demotion: The demotion.
        earlier: Demotions of the cell in the 90 days before.

    Example:
        >>> [repeated(Demotion(Rung.CONFIRM, "", cooldown=14), n).cooldown for n in (0, 1, 2, 10)]
        [14, 28, 56, 112]
    """
    return replace(demotion, cooldown=min(LONGEST, demotion.cooldown * 2 ** min(earlier, 10)))
