"""What an agent is made of beside its model: whatever its author wrote counts, and a framework's own code doesn't."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from langgraph.graph import START, MessagesState, StateGraph

from ladder_graph.hosts.making import listed, make_of, tool_code

WRITTEN = '''
from langchain.agents.middleware import AgentMiddleware, before_model, dynamic_prompt, wrap_tool_call
from langchain_core.tools import BaseTool

@wrap_tool_call
def guard(request, handler):
    assert BODY
    return handler(request)

@dynamic_prompt
def prompt(request):
    return BODY

@before_model
def trim(state, runtime):
    assert BODY

class Base(AgentMiddleware):
    def said(self):
        return BODY

class Own(Base):
    pass

def vet(state):
    assert BODY

class Vet:
    def __call__(self, state):
        assert BODY

class Send(BaseTool):
    """Its docstring is told apart."""
    name: str = "send"
    description: str = "Send it."

    def _run(self, to: str) -> str:
        return self.really(to)

    def really(self, to):
        return BODY + to

class Resend(Send):
    pass
'''
"""What somebody wrote, in one version or another."""


def version(folder, body, module):
    """The module with something in it, as the next process would load it."""
    folder.mkdir()
    file = folder / f"{module}.py"
    file.write_text(WRITTEN.replace("BODY", repr(body)), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(module, file)
    made = sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def counts(folder, make, module="app"):
    """Whether what is made of it is the same with the same text, and another with another."""
    found = [make(version(folder / str(n), body, module)) for n, body in enumerate("aab")]
    return found[0] == found[1] != found[2]


@pytest.mark.parametrize("name", ["guard", "prompt", "trim"])
def test_the_code_of_decorated_middleware_counts(tmp_path, name):
    """The class that LangChain makes of a function is the framework's; the function is the author's."""
    assert counts(tmp_path, lambda one: listed([getattr(one, name)]))


def test_a_function_without_a_module_is_somebodys_own(tmp_path):
    """As `exec` makes them; it counts like any other."""
    one = version(tmp_path / "1", "a", "app")
    for function in (one.guard.wrap_tool_call, one.vet):
        getattr(function, "__func__", function).__module__ = None
    assert listed([one.guard])[0].startswith("guard:")
    assert graph_of(one.vet) != graph_of(version(tmp_path / "2", "b", "app").vet)


def test_the_code_of_the_classes_below_middleware_counts(tmp_path):
    """What its author inherits from is its author's, as long as it is no framework's."""
    assert counts(tmp_path, lambda one: listed([one.Own()]))


def graph_of(node):
    """The digest of a graph with this node."""
    graph = StateGraph(MessagesState)
    graph.add_node("vet", node)
    graph.add_edge(START, "vet")
    return make_of(graph).graph


@pytest.mark.parametrize("module", ["app", "langgraph_app", "langchain_tools", "deepagents_of_ours"])
@pytest.mark.parametrize("node", ["vet", "Vet"])
def test_the_code_of_a_node_counts_whatever_its_module_is_called(tmp_path, module, node):
    """Many name their own files after the framework; and a node may be an object that is called."""
    assert counts(tmp_path, lambda one: graph_of(one.vet if node == "vet" else one.Vet()), module)


class Counting:
    """A node that holds what is another thing at each start, or after each call."""

    def __init__(self):
        self.run = object()

    def __call__(self, state):
        """Do nothing that the graph sees."""
        self.run = None


class Slotted:
    """A node that has no table of attributes."""

    __slots__ = ()

    def __call__(self, state):
        """Do nothing."""


def test_what_a_node_holds_does_not_count():
    """Only its code does."""
    node = Counting()
    before = graph_of(node)
    node({})
    assert graph_of(node) == graph_of(Counting()) == before != graph_of(Slotted())


@pytest.mark.parametrize("name", ["Send", "Resend"])
def test_the_code_of_all_of_a_tools_class_counts(tmp_path, name):
    """What it runs it may have in any method, and in a class below it."""
    assert counts(tmp_path, lambda one: tool_code(getattr(one, name)()))


def test_the_docstring_of_a_tools_class_is_told_apart(tmp_path):
    """The model is shown it, and it runs nothing."""
    one, two = version(tmp_path / "1", "a", "app"), version(tmp_path / "2", "a", "app")
    before = tool_code(one.Send())
    file = tmp_path / "2" / "app.py"
    file.write_text(file.read_text(encoding="utf-8").replace("told apart", "something else"), encoding="utf-8")
    assert tool_code(two.Send()) == before
