"""`ladder demo`: calls on all six rungs, in a folder that is thrown away. A script plays the model and the person."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ladder_graph.cli.stage import FILES, RULES, tools

Scene = tuple[str, dict[str, Any], Callable[[], str]]
"""A tool, its arguments, and what is to be seen of the call past the ladder."""


def demo() -> None:
    """Watch an agent on all six rungs.

    It needs no network and no key, and keeps nothing.
    """
    from ladder_graph.cli.screen import Screen

    log, out = logging.getLogger("ladder_graph"), Screen()
    silent, log.disabled = log.disabled, True
    try:
        with tempfile.TemporaryDirectory(prefix="ladder-demo-") as folder:
            play = _Play(Path(folder))
            out.heading("One agent, six rungs", "a script plays the model, another one plays you")
            out.columns([play.row(*scene) for scene in play.scenes()], ("rung", "the agent calls", "what became of it"))
            out.heading("The model behind the same name changes")
            play.model.reported = "scripted-2"
            out.columns([play.row("read_page", {}, lambda: "you were asked, since another model had earned the rung")])
            verified = play.ladder.verify()
            play.ladder.close()
    finally:
        log.disabled = silent
    out.gap()
    out.note(
        f"{verified.entries} entries in the ledger, {'every chain is whole' if verified.ok else 'a chain is BROKEN'}."
    )
    out.note(
        "Your own agent: ladder init --app module:graph. A longer story, on a real service: make demo in a checkout."
    )
    out.gap()


class _Play:
    """The agent, its small world, and the person who answers."""

    def __init__(self, here: Path) -> None:
        from ladder_graph.ladder import Ladder
        from ladder_graph.policy import policy_of

        rules = {"agent": "demo", "drafts": str(here / "drafts"), "tools": RULES, "reports": {"reader": "you"}}
        self.ladder = Ladder(policy=policy_of(rules, "demo"), ledger=here / "ladder.db")
        self.here, self.turn = here, 0
        for name, text in FILES.items():
            (here / name).write_text(text, encoding="utf-8")
        self.model, self.graph = self._agent()

    def _agent(self) -> tuple[Any, Any]:
        """An ordinary graph with a tool node, and the one line that puts it on the ladder."""
        from langgraph.checkpoint.memory import InMemorySaver
        from langgraph.graph import MessagesState, StateGraph
        from langgraph.prebuilt import ToolNode, tools_condition

        from ladder_graph.testing import ScriptedModel

        hands, model = tools(self.here), ScriptedModel(answers=[])
        # An undo counts once it was tried on the real thing; for a tool of yours: ladder rehearse.
        page = next(one for one in hands if one.name == "write_page")
        self.ladder.rehearse(page, {"file": str(self.here / "page"), "text": "tried"}, by="you")
        bound = model.bind_tools(hands)
        graph: Any = StateGraph(MessagesState)
        graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
        graph.add_node("tools", ToolNode(hands))
        graph.set_entry_point("model")
        graph.add_conditional_edges("model", tools_condition)
        graph.add_edge("tools", "model")
        return model, self.ladder.wrap(graph, checkpointer=InMemorySaver())

    def scenes(self) -> list[Scene]:
        """One call after another, up the ladder."""
        page, orders, mails, drafts = (self.here / name for name in ("page", "orders", "mails", "drafts"))
        return [
            ("restart", {}, lambda: "nothing ran"),
            ("write_letter", {"to": "ana"}, lambda: f"{len([*drafts.iterdir()])} letter waits, none was sent"),
            ("drop_table", {"table": "orders"}, lambda: f"you typed its name; it is {orders.exists() or 'gone'}"),
            ("send_mail", {"to": "ana"}, lambda: f"without asking; {len(mails.read_text())} is out"),
            ("send_mail", {"to": "bo"}, lambda: f"outside its bound, and you said no; {len(mails.read_text())} is out"),
            ("write_page", {"file": str(page), "text": ""}, lambda: f"unhealthy; it says '{page.read_text()}' again"),
            ("read_page", {}, lambda: f"{len(self.ladder.reports())} report waits for you"),
        ]  # fmt: skip

    def row(self, tool: str, arguments: dict[str, Any], seen: Callable[[], str]) -> list[Any]:
        """Let the agent make one call, answer what it asks, and look."""
        from ladder_graph.cli.screen import QUIET, styled
        from ladder_graph.testing import calls

        self.turn += 1
        self.model.answers = [*self.model.answers, calls(tool, arguments), "Done."]
        config = {"configurable": {"thread_id": str(self.turn)}}
        self.graph.invoke({"messages": [("user", "Go on.")]}, config)
        for question in self.ladder.pending():
            if question.typed is not None:
                self.ladder.approve(question.id, by="you", typed="orders", digest=question.digest)
            else:
                self.ladder.decline(question.id, by="you", reason="not today")
            self.graph.invoke(None, config)
        action = self.ladder.actions(limit=1)[0]
        rung = styled(f"{action.rung.value} ", QUIET).append(action.rung.word, "bold not dim")
        said = ", ".join(repr(value) for name, value in arguments.items() if name != "file")
        return [rung, f"{tool}({said})", f"{action.state}: {seen()}"]
