"""How much of recorded runs could be read: told before any result, since a result is only as good as what it saw."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ladder_graph.replay.traces import Run


@dataclass(slots=True)
class Coverage:
    """Counts of what the calls of recorded runs bring with them."""

    runs: int = 0
    """Runs seen."""
    calls: int = 0
    """Calls seen."""
    arguments: int = 0
    """Calls with arguments."""
    results: int = 0
    """Calls with a result, or its hash."""
    matched: int = 0
    """Results that the call's id names; the others were found by their place."""
    words: int = 0
    """Calls of runs in which the user's own words are known."""
    outputs: int = 0
    """Calls with the text of their result."""
    times: int = 0
    """Calls with the moment at which they were made."""
    models: int = 0
    """Calls with the model that proposed them."""
    fates: int = 0
    """Calls of which it is known what became of them."""
    decided: int = 0
    """Calls with a decision on record."""
    labelled: int = 0
    """Calls that somebody judged afterwards."""

    def add(self, run: Run) -> None:
        """Count a run."""
        self.runs += 1
        self.calls += len(run.calls)
        self.words += len(run.calls) if run.said is not None else 0
        for call in run.calls:
            self.arguments += call.arguments is not None
            self.results += bool(call.result)
            self.matched += call.matched == "id"
            self.outputs += call.output is not None
            self.times += call.at is not None
            self.models += bool(call.model)
            self.fates += call.fate is not None
            self.decided += call.decided is not None
            self.labelled += call.labels is not None

    def shares(self) -> dict[str, float | None]:
        """Each count of calls as a share of all calls, by its name; None where there is no call."""
        counted = [field.name for field in fields(self) if field.name not in {"runs", "calls"}]
        return {name: getattr(self, name) / self.calls if self.calls else None for name in counted}
