"""The parts of `docs/benchmarks.md`: which figures each holds, and what one has to know to read them."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A part of the page."""

    title: str
    prefixes: tuple[str, ...]
    """What the names of its figures begin with."""
    text: str
    """What one has to know to read them."""


PARTS = (
    Part(
        "Deciding only", ("peers.decision.",),
        "From a tool's name and its arguments to allow, ask or refuse; nothing is kept. Twenty tools, 36 "
        "calls, the same policy everywhere: reading is allowed, eight tools are allowed up to an amount and "
        "to some recipients and ask otherwise, two always ask, two are refused. Each gate is set up in the "
        "way that favours it most (`benchmarks/peers`), and one that gives another verdict is not measured. "
        "Some decide by a policy of their own; others call a function that their user writes, and then that "
        "function is nearly all of it, and nobody can list, explain or replay what it decides.",
    ),
    Part(
        "Deciding, with a record in memory", ("peers.audit.",),
        "The eight allowed calls that move something. What is kept differs, and the last column says how: the "
        "ladder counts a limit, claims the call before its effect, settles it afterwards, and chains both "
        "entries by their hashes.",
    ),
    Part(
        "A durable commit before the effect, with a limit", ("peers.durable.",),
        "The same calls, with a record that is flushed to the disk before anything runs, and a limit that "
        "holds across processes. No other gate has that, so what it is held against is written by hand.",
    ),
    Part(
        "In a whole LangGraph agent", ("gate.",),
        "A scripted agent of twenty calls, on the same checkpointer. `plain` has no gate; `read` and `write` "
        "run under `wrap` without a question; `hitl` is LangChain's `HumanInTheLoopMiddleware`, batched, and "
        "`per_call` the same by call; `limited` is its `ToolCallLimitMiddleware`. `async` runs the same by "
        "`ainvoke`, on the async checkpointer. Asked, each call stops the "
        "graph, is answered, and goes on.",
    ),
    Part(
        "One decision with ten bounds", ("routing.",),
        "Under a policy of fifty globs, with ten kinds of bounds.",
    ),
    Part(
        "Flushes, commits, threads, processes", ("fsync.", "sqlite.", "postgres."),
        "What the ledger costs on a disk.",
    ),
    Part(
        "As the ledger grows", ("growth.", "look.", "quota.", "verify.", "ledger."),
        "Entries in the ledger, and what one call costs.",
    ),
    Part(
        "A fleet of workers", ("fleet.",),
        "Several processes on one PostgreSQL.",
    ),
    Part(
        "Moving a ledger", ("move", "moving"),
        "From SQLite to PostgreSQL.",
    ),
    Part(
        "Waiting questions", ("waiting.",),
        "What a question that waits costs.",
    ),
    Part(
        "Watching", ("watch.", "watching."),
        "Actions that are seen through after the reply.",
    ),
    Part(
        "Trust", ("trust.", "standings."),
        "What a standing costs to look up and to work out anew.",
    ),
    Part(
        "The console", ("console.",),
        "Pages over a ledger of 1,000,000 entries and 100,000 waiting questions.",
    ),
    Part(
        "Replay", ("replay",),
        "Policies held against recorded runs.",
    ),
)  # fmt: skip
