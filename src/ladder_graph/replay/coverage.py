"""How much of recorded runs could be read: told before any result, since a result is only as good as what it saw."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from ladder_graph.replay.formats import Format
from ladder_graph.replay.traces import Run

SAID = {
    "arguments": "arguments",
    "results": "results",
    "matched": "results found by an id",
    "words": "the user's own words",
    "outputs": "texts of results",
    "times": "times",
    "models": "models",
    "fates": "what became of it",
    "decided": "decisions",
    "labelled": "labels",
}
"""What the calls of a recorded run may bring with them, by the name of the count, in words."""


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

    def include(self, other: Coverage) -> None:
        """Count what another one has counted."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def shares(self) -> dict[str, float | None]:
        """Each count as a share of all calls, but those matched of all results, by its name; None where none is."""
        wholes = {name: self.results if name == "matched" else self.calls for name in SAID}
        return {name: getattr(self, name) / whole if whole else None for name, whole in wholes.items()}

    def meanings(self, at: dt.datetime | None = None) -> Iterator[str]:
        """What isn't there, and what that means for everything that is worked out from the runs: a sentence each.

        Args:
            at: The moment, aware, at which calls without a time are taken to come, where one was given.
        """
        if lost := self.calls - self.arguments:
            yield f"{_calls(lost)} no arguments: what a bound would have to read there is undecidable."
        if loose := self.results - self.matched:
            yield f"{loose:,} results were found by their place and not by an id, so some may be another call's."
        if silent := self.calls - self.words:
            yield f"{_calls(silent)} no words of a user: a bound on where a value comes from is undecidable there."
        if unread := self.calls - self.outputs:
            yield f"{_calls(unread)} no text of a result: a value that would have come from there has no known origin."
        if timeless := self.calls - self.times:
            yield f"{_calls(timeless)} no time: {_at(at)}."
        if unknown := self.calls - self.fates:
            yield f"Of {unknown:,} it isn't known what became of them; they are taken to have run."
        if not self.decided and self.calls:
            yield "No decision is on record: what is asked is taken to be approved, unless it is labelled critical."
        if not self.labelled and self.calls:
            yield "Nothing is labelled: attacks, recall and precision can't be counted."


@dataclass(slots=True)
class Part:
    """What was read from one of the places that were named."""

    path: str
    """A file, a folder, or a database."""
    coverage: Coverage = field(default_factory=Coverage)
    formats: Counter[str] = field(default_factory=Counter)
    """The formats that its files are in, with how many are."""

    def opened(self, found: Format) -> None:
        """Count a file by its format."""
        self.formats[found.name] += 1


def _calls(count: int) -> str:
    return f"{count:,} {'call has' if count == 1 else 'calls have'}"


def _at(at: dt.datetime | None) -> str:
    if at is None:
        return "what depends on the hour or on a quota is undecidable, unless `--at` says a moment"
    return f"all of them are taken to come at {at.isoformat()}, so that they share every window"
