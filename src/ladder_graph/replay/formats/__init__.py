"""What recorded runs come in: one importer a format, found by the content of a file and not by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import islice
from typing import Any

from pydantic_core import from_json

from ladder_graph.errors import LadderError
from ladder_graph.replay.documents import ITEM, Cutter, value_of, whole
from ladder_graph.replay.paths import files, shown
from ladder_graph.replay.sources import Progress, Source
from ladder_graph.replay.traces import Run, Trouble

NAMES = (
    "checkpoints",
    "ledger",
    "agentdojo",
    "agentdojo_runs",
    "inspect_logs",
    "tau_bench",
    "otel",
    "langsmith",
    "messages",
)
"""The formats, each the name of a module here, in the order in which they are tried."""
_TOLD = 80
"""Characters of an unknown object's keys that are told."""
_SAMPLES = 20
"""Values of a file by which its format is recognised: the first one may be damaged."""


@dataclass(frozen=True)
class Sample:
    """What an importer may look at to recognise its own."""

    source: Source
    nth: int = 0
    """Which of the values it shows, where the first one is damaged."""

    @cached_property
    def first(self) -> Any:
        """The first JSON value: of a line, of an array, or as much of a document as was looked at; None without one."""
        return next(islice(_values(self.source), self.nth, None), None)

    def has(self, *keys: str) -> bool:
        """Whether the first value is an object with all of these keys."""
        return isinstance(self.first, dict) and all(key in self.first for key in keys)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables of a database; none of anything else.

        Raises:
            LadderError: The database can't be reached.
        """
        from ladder_graph.replay.stores.databases import tables

        return tables(self.source)


def _values(source: Source) -> Iterator[Any]:
    """The values with which a file begins, as far as it was looked at; what is damaged is passed over."""
    opening = source.opening.lstrip()
    if source.is_array:
        entries = Cutter((ITEM,)).feed(opening.encode())
        found: Iterator[Any] = (value_of(text) for text in entries if text is not None)
    else:
        found = (value for _, value in whole(enumerate(opening.splitlines())))
    yield from (_entry(value) for value in found if isinstance(value, dict | list) and value)
    with suppress(ValueError):
        yield _entry(from_json(opening, allow_partial=True))


def _entry(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Format:
    """One form in which runs are recorded."""

    name: str
    """As it is named on the command line."""
    about: str
    """What writes it, in a few words."""
    fits: Callable[[Sample], bool]
    """Whether a file looks like it."""
    read: Callable[[Source], Iterator[Run]]
    """Reads the runs, one after the other; what can't be used is told."""


def formats() -> tuple[Format, ...]:
    """All formats, in the order in which they are tried."""
    return tuple(import_module(f"{__name__}.{name}").FORMAT for name in NAMES)


def recognised(source: Source) -> Format:
    """The format of a file, by its content.

    Args:
        source: The file.

    Raises:
        LadderError: It can't be opened, or it is none of the formats.
    """
    for nth in range(_SAMPLES):
        sample = Sample(source, nth)
        for one in formats():
            if one.fits(sample):
                return one
        if sample.first is None:
            break
    raise LadderError(f"{shown(source.path)}: {_unlike(source)}")


def _unlike(source: Source) -> str:
    """Why a file is taken for none of the formats, and what to do."""
    if source.is_url or source.is_sqlite:
        return "holds neither the tables of a LangGraph checkpointer nor those of a ladder's ledger"
    sample, opening = Sample(source), source.opening.strip()
    if not opening:
        return source.blank or "is empty"
    if sample.first is None and not opening.startswith(("[", "{")):
        return "holds no JSON; recorded runs are JSON, a value a line or one document, or a database"
    known = ", ".join(NAMES)
    keys = ", ".join(map(repr, sample.first)) if isinstance(sample.first, dict) else ""
    begins = f"; it begins with an object of {keys[:_TOLD]}" if keys else ""
    return f"is in none of the formats that are known ({known}); name one with --format{begins}"


def read(
    path: str,
    trouble: Trouble,
    *,
    form: str = "",
    progress: Progress | None = None,
    opened: Callable[[Format], None] | None = None,
) -> Iterator[Run]:
    """Read the runs of a file, of a database, or of all files of a folder.

    Args:
        path: The file or folder; `-` for standard input, or the URL of a database.
        trouble: Is told what can't be used.
        form: The format's name, where it isn't to be recognised.
        progress: Is told how far the reading of a file has come.
        opened: Is told of each file which format it is in.

    Raises:
        LadderError: It can't be opened, or it is in no format that is known.
    """
    named = {one.name: one for one in formats()}
    if form and form not in named:
        raise LadderError(f"there is no format {form!r}; those known are {', '.join(named)}")
    for name in files(path):
        source = Source(name, trouble, progress) if progress else Source(name, trouble)
        with closing(source):
            try:
                found = named[form] if form else recognised(source)
            except LadderError as wrong:
                if name == path:
                    raise
                trouble(str(wrong))  # One of a folder: the others go on.
                continue
            if opened is not None:
                opened(found)
            yield from found.read(source)
