"""A ladder of autonomy for LangGraph agents: six rungs, earned on evidence, lost at once.

    from ladder_graph import Ladder

    agent = Ladder(agent="ops", rungs={"read_status": "report", "send_email": "confirm"}).wrap(agent)

Names are loaded at their first use, so that `ladder --help` and `import ladder_graph` cost next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ladder_graph.envelopes import answer_to, sign
    from ladder_graph.errors import (
        AnswerRefused,
        ArgumentsError,
        DefiniteFailure,
        ForkRefused,
        LadderError,
        LedgerError,
        LedgerUnwritable,
        MountError,
        NoCheckpointer,
        NotALedger,
        NotPermitted,
        NotRegistered,
        PolicyError,
        ProviderToolsRefused,
        UndoConflict,
        UnknownQuestion,
    )
    from ladder_graph.facts import Person, Question
    from ladder_graph.hosts.permit import spent
    from ladder_graph.inventory.starter import starter
    from ladder_graph.ladder import Ladder
    from ladder_graph.policy import Policy, Rule, load_policy
    from ladder_graph.scale import Rung
    from ladder_graph.states import State
    from ladder_graph.telling import Change, Reach
    from ladder_graph.tools import Declaration, drafted_by, presented_by, probed_by, reversible

__all__ = [
    "AnswerRefused",
    "ArgumentsError",
    "Change",
    "Declaration",
    "DefiniteFailure",
    "ForkRefused",
    "Ladder",
    "LadderError",
    "LedgerError",
    "LedgerUnwritable",
    "MountError",
    "NoCheckpointer",
    "NotALedger",
    "NotPermitted",
    "NotRegistered",
    "Person",
    "Policy",
    "PolicyError",
    "ProviderToolsRefused",
    "Question",
    "Reach",
    "Rule",
    "Rung",
    "State",
    "UndoConflict",
    "UnknownQuestion",
    "answer_to",
    "drafted_by",
    "load_policy",
    "presented_by",
    "probed_by",
    "reversible",
    "sign",
    "spent",
    "starter",
]

_HOMES = {
    "Change": "telling", "Declaration": "tools", "Ladder": "ladder", "Person": "facts", "Policy": "policy",
    "Question": "facts", "Reach": "telling", "Rule": "policy", "Rung": "scale", "State": "states",
    "answer_to": "envelopes", "drafted_by": "tools", "load_policy": "policy", "presented_by": "tools",
    "probed_by": "tools", "reversible": "tools", "sign": "envelopes", "spent": "hosts.permit",
    "starter": "inventory.starter",
}  # fmt: skip
"""The module of each public name; what isn't listed is an error and stands in `errors`."""

# Out of the type checker's sight, to which every wrong name would otherwise be a right one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a public name at its first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        thing = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
        globals()[name] = thing
        return thing

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


def load_ipython_extension(shell: object) -> None:
    """`%load_ext ladder_graph`: what ladders and replays give shows itself in a notebook (`ladder_graph.notebook`)."""
    from ladder_graph.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """`%unload_ext ladder_graph`: take it back."""
    from ladder_graph.notebook.extension import unload

    unload(shell)
