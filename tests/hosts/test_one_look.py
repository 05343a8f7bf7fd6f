"""How often a mount looks at what a program is made of, whatever number of tools it has: by counts."""

from __future__ import annotations

import contextvars
import tracemalloc
import types

from ladder_graph.hosts import leading
from ladder_graph.hosts.contents import MOST, entries_of
from ladder_graph.hosts.nested import holds_ungated_agents
from ladder_graph.hosts.reaching import one_look
from tests.hosts.graphs import READ, agent_of, ladder_of
from tests.hosts.test_hidden_agents import CLERK, tool_of


def program(functions, entries=0):
    """A module whose functions name each other, all of them a cache, and one an agent."""
    made = types.ModuleType("shopping")
    lines = [
        f"def f{n}(x):\n    return f{(n + 1) % functions}(cache.get(x).attr) + f{n // 2}(x)" for n in range(functions)
    ]
    exec("\n".join(lines), vars(made))  # noqa: S102  # as above
    made.cache = {number: types.SimpleNamespace(attr=number, other=str(number)) for number in range(entries)}
    return made


def tools_of(made, number):
    """Tools of one program."""
    return [tool_of(vars(made)[f"f{n}"]) for n in range(number)]


def looked(tools):
    """How many things a mount of tools looks into."""
    named = [tool.model_copy(update={"name": f"ask{n}"}) for n, tool in enumerate(tools)]
    with one_look() as look:
        ladder_of({tool.name: READ for tool in named}).wrap(agent_of([], named))
        return look.visited


def test_each_thing_is_looked_at_once():
    """Twenty tools of one program take one look at it, as one does, and a tool that was looked at takes none."""
    tools = tools_of(program(40, 500), 20)
    assert looked(tools) <= looked(tools[:1]) + 19 * 8
    with one_look() as look:
        assert not holds_ungated_agents(tools[0])
        before = look.visited
        assert not holds_ungated_agents(tools[0])
        assert look.visited == before > 10


def test_the_entries_of_a_program_are_gone_through_once(monkeypatch):
    """A container that every function names is listed once for all tools."""
    made, listed = program(40, 500), []
    monkeypatch.setattr(leading, "entries_of", lambda thing: listed.append(id(thing)) or entries_of(thing))
    assert looked(tools_of(made, 20))
    assert listed.count(id(made.cache)) == 1


def test_what_was_looked_at_is_looked_at_anew_in_the_next_mount():
    """Nothing of one mount is believed in the next one, nor in a task that was started meanwhile."""
    made = program(5)
    (tool,) = tools_of(made, 1)
    with one_look():
        assert not holds_ungated_agents(tool)
        context = contextvars.copy_context()
    made.cache = {"a": types.SimpleNamespace(attr=CLERK)}
    assert holds_ungated_agents(tool)
    assert context.run(holds_ungated_agents, tool)


def test_how_far_nothing_is_there_is_known_of_each_step():
    """What one tool reaches too far away for it is found for another one that is nearer, in the same look."""
    made = program(9)
    for n in range(9):
        exec(f"def f{n}(x):\n    return f{n + 1}(x)", vars(made))  # noqa: S102  # as above
    made.f9 = CLERK.invoke
    far, near = (tool_of(vars(made)[f"f{n}"]) for n in (0, 7))
    with one_look():
        assert not holds_ungated_agents(far)
        assert holds_ungated_agents(near)
        assert not holds_ungated_agents(far)
    with one_look():
        assert holds_ungated_agents(near)
        assert not holds_ungated_agents(far)


def test_a_program_with_more_entries_than_anybody_names(monkeypatch, caplog):
    """Of large containers beyond a number in all, the first entries are looked at, and it is logged."""
    monkeypatch.setattr(leading, "ENTRIES", 600)
    made = program(1)
    vars(made).update(first={n: n for n in range(500)}, other={n: (CLERK if n == 3 else n) for n in range(500)})
    exec("def f0(x):\n    return first[x], other[x]", vars(made))  # noqa: S102  # as above
    with caplog.at_level("DEBUG", "ladder_graph"):
        assert holds_ungated_agents(tools_of(made, 1)[0])
    assert "not looked at: all but 64 of 500 entries of a dict" in caplog.text


def test_a_large_cache_is_not_copied():
    """Only as many entries are taken from a container as are looked at."""
    large = dict.fromkeys(range(300_000))
    tracemalloc.start()
    try:
        assert len(entries_of(large)) == MOST
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
