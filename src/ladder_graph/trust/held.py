"""What a cell holds beyond its start rung: what promotions gave it and demotions took, one event after the other.

The gate keeps the result of these steps in one row a cell; the same steps over the ledger's entries must give the same
row, which is how a standing is recomputed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import LONGEST, RECENT, Effect
from ladder_graph.trust.evidence import DAY

Kind = Literal["promoted", "demoted", "sampled", "carried"]
"""Up, down, that some of its calls ask for a while, or that it keeps what it had earned as something else."""


RAISING: frozenset[Kind] = frozenset({"promoted", "carried"})
"""What is signed by a person, for one cell."""


@dataclass(frozen=True, slots=True)
class Event:
    """A step up or down."""

    at_us: int
    kind: Kind
    cell: CellKey
    """Whose; a demotion may be for all scopes and environments of a tool."""
    rung: Rung
    reason: str
    code: str = "manual"
    evidence: Effect = "keep"
    cooldown: int = 0
    """Days before it may go up again."""

    @property
    def body(self) -> dict[str, Any]:
        """What the ledger's entry says."""
        return {
            "tool": self.cell.tool, "scope": self.cell.scope, "env": self.cell.env, "rung": int(self.rung),
            "reason": self.reason, "code": self.code, "evidence": self.evidence, "cooldown": self.cooldown,
        }  # fmt: skip

    @classmethod
    def of(cls, agent: str, at_us: int, kind: Kind, body: Mapping[str, Any]) -> Event:
        """Read what `body` wrote.

        Of a demotion whose entry can't be read whole, what is missing is taken at its worst.

        Raises:
            ValueError: It says of no tool, or it raises and can't be read or isn't for one cell.
        """
        tool, rung = body.get("tool"), body.get("rung")
        scope, env = (said if isinstance(said := body.get(key), str) else EVERY for key in ("scope", "env"))
        told = Rung(rung) if type(rung) is int and rung in set(Rung) else None
        if not (isinstance(tool, str) and tool) or (kind in RAISING and (EVERY in {scope, env} or told is None)):
            raise ValueError(f"{kind} at {at_us}: the entry can't be read")
        evidence, cooldown, code = body.get("evidence", "keep"), body.get("cooldown", 0), body.get("code", "manual")
        return cls(
            at_us, kind, CellKey(agent, tool, scope, env), Rung.SUGGEST if told is None else told,
            str(body.get("reason", "")), str(code), evidence if evidence in {"keep", "half"} else "wipe",
            cooldown if type(cooldown) is int and 0 <= cooldown <= LONGEST else LONGEST,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """What a cell holds at a moment."""

    earned: Rung | None = None
    """The rung that it was promoted to; None where its start rung stands."""
    cap: Rung | None = None
    """The rung that it may not stand above; None where it was never demoted."""
    reason: str = ""
    """Why it may not."""
    code: str = ""
    since_us: int = 0
    """When it came to where it is; 0 for its start rung."""
    cooldown_us: int = 0
    """When it may go up again."""
    wiped_us: int = 0
    """What happened up to this moment doesn't count."""
    stale_us: int = 0
    """What happened up to this moment counts half."""
    sampled_us: int = 0
    """Until when one of five calls asks, since a silent change is suspected."""
    demotions: tuple[int, ...] = ()
    """When it was demoted, the latest last; those within 90 days of the latest."""

    def after(self, event: Event) -> Held:
        """What is held after a step.

        Demotions may come in any order. A promotion that isn't later than the last of them is void: it was signed
        without knowing of it.
        """
        if event.kind == "sampled":
            return replace(self, sampled_us=max(self.sampled_us, event.at_us + event.cooldown * DAY))
        if event.kind in RAISING and self.demotions and event.at_us <= self.demotions[-1]:
            return self
        if event.kind == "carried":
            # What it was put down for in this very environment still holds: nothing was shown since.
            kept = event.rung if self.earned is None else max(self.earned, event.rung)
            waits = max(self.cooldown_us, event.at_us + event.cooldown * DAY) if event.cooldown else self.cooldown_us
            return replace(self, earned=kept, since_us=event.at_us, cooldown_us=waits)
        if event.kind == "promoted":
            cap = None if self.cap is None else event.rung
            return replace(self, earned=event.rung, cap=cap, reason="", code="", since_us=event.at_us)
        lower = self.cap is None or event.rung < self.cap
        earned = None if self.earned is None else min(self.earned, event.rung)
        return Held(
            earned=earned,
            cap=event.rung if self.cap is None else min(self.cap, event.rung),
            reason=event.reason if lower else self.reason,
            code=event.code if lower else self.code,
            since_us=max(self.since_us, event.at_us),
            cooldown_us=max(self.cooldown_us, event.at_us + event.cooldown * DAY),
            wiped_us=max(self.wiped_us, event.at_us if event.evidence == "wipe" else 0),
            stale_us=max(self.stale_us, event.at_us if event.evidence == "half" else 0),
            sampled_us=self.sampled_us,
            demotions=_recent((*self.demotions, event.at_us)),
        )

    def beside(self, other: Held) -> Held:
        """What is held under two rows at once, as of all scopes and of all environments: the lower of both."""
        if NOTHING in (self, other):
            return self if other == NOTHING else other
        lower, higher = sorted((self, other), key=lambda one: Rung.REPORT + 1 if one.cap is None else one.cap)
        earned = None if self.earned is None or other.earned is None else min(self.earned, other.earned)
        return replace(
            lower, earned=earned, since_us=max(lower.since_us, higher.since_us),
            cooldown_us=max(lower.cooldown_us, higher.cooldown_us), wiped_us=max(lower.wiped_us, higher.wiped_us),
            stale_us=max(lower.stale_us, higher.stale_us), sampled_us=max(lower.sampled_us, higher.sampled_us),
            demotions=_recent((*lower.demotions, *higher.demotions)),
        )  # fmt: skip

    @property
    def counted_us(self) -> int:
        """From when on the days count that it must spend on its rung.

        After a demotion that kept its evidence it only waits its time: a certificate that still holds is enough.
        """
        return 0 if self.code in BACK else self.since_us

    @property
    def text(self) -> str:
        """All of it as JSON, for the row that the gate reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    @functools.lru_cache(maxsize=4096)
    def read(text: str) -> Held:
        """Read what `text` wrote; the same text is read once."""
        plain = json.loads(text)
        rungs = {name: None if plain[name] is None else Rung(plain[name]) for name in ("earned", "cap")}
        return Held(**{**plain, **rungs, "demotions": tuple(plain["demotions"])})

    def rung(self, start: Rung) -> Rung:
        """Where the cell stands, by what it holds.

        Args:
            start: Where it would stand without it.
        """
        rung = start if self.earned is None else max(start, self.earned)
        return rung if self.cap is None else min(rung, self.cap)

    def recent(self, now_us: int) -> int:
        """Demotions in the 90 days before a moment."""
        return sum(now_us - RECENT * DAY < at for at in self.demotions)


def _recent(demotions: Iterable[int]) -> tuple[int, ...]:
    """Those within 90 days of the latest, in their order, each once."""
    rising = sorted(set(demotions))
    return tuple(at for at in rising if at > rising[-1] - RECENT * DAY)


BACK = frozenset({"D1", "D5", "D6", "D8"})
"""Demotions after which a cell comes back without spending its days on the lower rung."""

NOTHING = Held()
"""A cell that was neither promoted nor demoted."""


def rows(events: Iterable[Event]) -> dict[CellKey, Held]:
    """What each cell holds after events, in the order of the chain: the rows that the gate looks up.

    A step for all scopes or environments of a tool is taken by each cell that has a row, and has a row of its own, from
    which a cell begins that gets one later.
    """
    found: dict[CellKey, Held] = {}
    for event in events:
        took = step(found, event)
        found.update(took)
    return found


def step(found: Mapping[CellKey, Held], event: Event) -> dict[CellKey, Held]:
    """The rows that change by one event.

    Where it is for one scope, and another row for one environment, what lies in both gets a row of its own, so that the
    gate reads only one.

    Args:
        found: All rows of the event's tool.
        event: The step.
    """
    return {cell: nearest(found, cell).after(event) for cell in _touched(found, event.cell)}


def earlier(found: Mapping[CellKey, Held], cell: CellKey, now_us: int) -> int:
    """Demotions in the 90 days before a moment, of the cell that was put down most often among those it stands for.

    They aren't added up over scopes and environments: one silence or one report puts down several of them at once.

    Args:
        found: All rows of the cell's tool.
        cell: Whose; it may stand for all scopes and environments.
        now_us: The moment.
    """
    return max(nearest(found, one).recent(now_us) for one in _touched(found, cell))


def _touched(found: Mapping[CellKey, Held], cell: CellKey) -> set[CellKey]:
    """The cells whose rows change by a step of a cell."""
    return {cell} | {both for one in found if (both := one.meet(cell)) is not None}


def nearest(found: Mapping[CellKey, Held], cell: CellKey) -> Held:
    """What a cell holds: its own row, or what the rows of all scopes or environments leave it; the lowest rung wins."""
    if (own := found.get(cell)) is not None:
        return own
    wide = (cell._replace(env=EVERY), cell._replace(scope=EVERY), cell._replace(scope=EVERY, env=EVERY))
    held = NOTHING
    # The row of everything is part of the two others, where they are there.
    for one in [found[row] for row in wide[:2] if row in found] or [found.get(wide[2], NOTHING)]:
        held = held.beside(one)
    return held
