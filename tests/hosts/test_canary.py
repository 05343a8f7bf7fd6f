"""A tool that acts on a part first, in real graphs under every mount: part, measurements, rest, one reply."""

from __future__ import annotations

from contextlib import closing

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from ladder_graph import Declaration, DefiniteFailure, Ladder, reversible, spent
from ladder_graph.states import State
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS
from tests.hosts.mounts import MOUNTS

SICK: set[str] = set()
"""The hosts whose health check is bad."""
CHECKS = [{"kind": "python", "function": "tests.hosts.test_canary:healthy"}]
VOLUME = [{"kind": "volume", "limit": 3}]
CONFIG = {"configurable": {"thread_id": "t"}}


def healthy(arguments):
    """Whether all hosts of a call are well."""
    return not SICK & set(arguments["hosts"])


def one_first(arguments):
    """One host first; a single one has no part."""
    hosts = arguments["hosts"]
    return ({"hosts": hosts[:1]}, {"hosts": hosts[1:]}) if len(hosts) > 1 else None


class Fleet:
    """Hosts that a tool deploys to, in the order of what was done."""

    def __init__(self):
        self.deployed, self.did = [], []

    def tool(self, canary=one_first, acts=None, **options):
        """The tool, sync and async alike."""

        def undo(kept):
            self.did.append(("undo", *[one for one in self.deployed if one not in kept]))
            self.deployed[:] = kept

        @reversible(
            prepare=lambda _: list(self.deployed), undo=undo, fingerprint=lambda _: str(self.deployed), canary=canary
        )
        def deploy(hosts: list[str]) -> str:
            """Deploy."""
            self.did.append(("deploy", *hosts))
            if acts is not None:
                acts(hosts)
            self.deployed.extend(hosts)
            return f"deployed to {', '.join(hosts)}"

        async def adeploy(hosts: list[str]) -> str:
            return deploy(hosts)

        return StructuredTool.from_function(deploy, adeploy, **options)


class Paid(BaseModel):
    """A deployment that costs something."""

    hosts: list[str]
    dollars: float


@pytest.fixture
def fleet():
    """Hosts, all of them well."""
    SICK.clear()
    return Fleet()


def ladder_with(rung="rollback", **rule):
    """A ladder whose one tool is watched by a check before the reply."""
    given = {"rung": rung, "bounds": VOLUME, "checks": CHECKS, **rule}
    return Ladder(agent="ops", rungs={"deploy": given}, ledger=":memory:")


def last(result):
    """The only answer to the call."""
    (found,) = [one for one in result["messages"] if isinstance(one, ToolMessage)]
    return found


def run(ladder, tool, hosts, *, mount="wrap", way=WAYS[0]):
    """One call in an agent: what the model reads."""
    graph = MOUNTS[mount](ladder, [calls("deploy", {"hosts": hosts}), "Done."], [tool])
    return graph, way.invoke(graph, GO, CONFIG)


def states(ladder):
    """The states of all actions, in the order of their beginning."""
    return [str(one.state) for one in ladder.actions()]


def used(ladder):
    """What each quota has used and holds."""
    return ladder.store.read(lambda cursor: [tuple(r) for r in cursor.execute("SELECT used, reserved FROM quota")])


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS)
def test_the_part_goes_first_and_the_rest_follows(fleet, mount, way):
    """Both run once, in this order; the model reads both in one message, and one call is counted."""
    with closing(ladder_with()) as ladder:
        _, result = run(ladder, fleet.tool(), ["a", "b", "c"], mount=mount, way=way)
        assert fleet.did == [("deploy", "a"), ("deploy", "b", "c")]
        said = last(result).text
        assert said == (
            'A part of it ran first, with {"hosts": ["a"]}, and was good: deployed to a\n\n'
            'Then the rest ran, with {"hosts": ["b", "c"]}:\n\ndeployed to b, c'
        )
        assert states(ladder) == ["done", "done", "done"]
        assert used(ladder) == [(1, 0)]
        assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_bad_part_is_undone_and_the_rest_never_runs(fleet, mount, way):
    """A bad part costs one host for a moment; the model reads that the rest did not run."""
    SICK.add("a")
    with closing(ladder_with()) as ladder:
        _, result = run(ladder, fleet.tool(), ["a", "b", "c"], mount=mount, way=way)
        assert fleet.did == [("deploy", "a"), ("undo", "a")]
        assert last(result).status == "error"
        assert "ROLLED BACK" in last(result).text
        assert last(result).text.endswith("It was a part of your call that went first; the rest of it did not run.")
        assert states(ladder) == ["undone", "undone"]
        assert used(ladder) == [(1, 0)]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_bad_rest_takes_the_part_with_it(fleet, mount, way):
    """The rest is undone first, then the part: nothing of the call stays."""
    SICK.add("c")
    with closing(ladder_with()) as ladder:
        _, result = run(ladder, fleet.tool(), ["a", "b", "c"], mount=mount, way=way)
        assert fleet.did[2:] == [("undo", "b", "c"), ("undo", "a")]
        assert fleet.deployed == []
        assert last(result).text.endswith("The part of it that had gone first was undone as well.")
        assert states(ladder) == ["undone", "undone", "undone"]


def test_a_rest_that_fails_for_certain_takes_the_part_with_it(fleet):
    """A call is whole or nothing: where its rest changed nothing, its part is undone."""

    def acts(hosts):
        if len(hosts) > 1:
            raise DefiniteFailure("no room")

    with closing(ladder_with()) as ladder:
        _, result = run(ladder, fleet.tool(acts=acts), ["a", "b", "c"])
        assert fleet.did == [("deploy", "a"), ("deploy", "b", "c"), ("undo", "a")]
        assert "no room" in last(result).text
        assert states(ladder) == ["undone", "undone", "failed"]


def test_a_part_that_fails_for_certain_is_all_that_was_tried(fleet):
    """Nothing happened, so that nothing is held, and the model may try differently."""

    def acts(hosts):
        raise DefiniteFailure("no room")

    with closing(ladder_with()) as ladder:
        run(ladder, fleet.tool(acts=acts), ["a", "b", "c"])
        assert fleet.did == [("deploy", "a")]
        assert states(ladder) == ["failed", "failed"]
        assert used(ladder) == [(0, 0)]


def test_a_call_without_a_part_runs_whole(fleet):
    """The tool's author finds nothing worth trying: it is a call like any other."""
    with closing(ladder_with()) as ladder:
        _, result = run(ladder, fleet.tool(), ["a"])
        assert (fleet.did, last(result).text) == ([("deploy", "a")], "deployed to a")
        assert states(ladder) == ["done"]


def broken(arguments):
    """It raises."""
    raise KeyError("hosts")


NONSENSE = {
    "raises": (broken, "KeyError"),
    "no-pair": (lambda arguments: {"hosts": ["a"]}, "it gave neither None nor the arguments of a part and of the rest"),
    "no-mapping": (lambda arguments: (["a"], ["b"]), "its part: list is no mapping of arguments"),
    "whole": (lambda arguments: (dict(arguments), {"hosts": []}), "its part: it is the whole call, and no part of it"),
    "rest-whole": (lambda arguments: ({"hosts": []}, dict(arguments)), "its rest: it is the whole call"),
    "misfit": (lambda arguments: ({"hosts": "a"}, {"hosts": []}), "its part: "),
    "strange": (lambda arguments: ({"host": "a"}, {"hosts": []}), "its part: deploy has no argument host"),
    "no-json": (lambda arguments: ({"hosts": [object()]}, {"hosts": []}), "its part: "),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_asks(fleet, name):
    """Where the part can't be told nothing ran, and a person is asked; a yes lets the call run whole."""
    canary, said = NONSENSE[name]
    with closing(ladder_with()) as ladder:
        graph, result = run(ladder, fleet.tool(canary=canary), ["a", "b"])
        (question,) = ladder.pending()
        assert fleet.did == []
        assert f"the part that goes first could not be told: {said}" in question.reasons
        assert not question.part_first
        result = graph.invoke(Command(resume={"type": "approve", "by": "ana"}), CONFIG)
        assert (fleet.did, last(result).text) == ([("deploy", "a", "b")], "deployed to a, b")


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS)
def test_what_is_asked_is_the_whole_and_who_is_asked_reads_of_the_part(fleet, mount, way):
    """One question about the whole call; after the yes the part still goes first."""
    SICK.add("a")
    with closing(ladder_with("confirm")) as ladder:
        graph, result = run(ladder, fleet.tool(), ["a", "b"], mount=mount, way=way)
        said = str(result["__interrupt__"][0].value)
        assert "A part of it runs first, and the rest only once the health checks have found that part good." in said
        (question,) = ladder.pending()
        assert question.call.arguments == {"hosts": ["a", "b"]}
        result = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), CONFIG)
        assert fleet.did == [("deploy", "a"), ("undo", "a")]
        assert states(ladder) == ["undone", "undone"]


def test_a_yes_to_a_part_first_is_no_yes_to_the_whole_at_once(fleet):
    """Where no part would go first any more, it is asked anew; where the part's undo can't be made, nothing runs."""
    with closing(ladder_with("confirm")) as ladder:
        graph, _ = run(ladder, fleet.tool(), ["a", "b"])
        ladder.declare("deploy", Declaration(canary=lambda _: None))
        ladder.approve(ladder.pending()[0].id, by="ana")
        graph.invoke(Command(resume="go on"), CONFIG)
        (question,) = ladder.pending()
        assert (fleet.did, question.part_first) == ([], False)
        graph.invoke(Command(resume={"type": "approve", "by": "ana"}), CONFIG)
        assert fleet.did == [("deploy", "a", "b")]
    fleet.did.clear()
    with closing(ladder_with("confirm")) as ladder:
        graph, _ = run(ladder, fleet.tool(), ["a", "b"])
        fleet.deployed = None  # Its present state can't be told.
        result = graph.invoke(Command(resume={"type": "approve", "by": "ana"}), CONFIG)
        assert fleet.did == []
        assert "a part of it was to go first, and the undo of that can't be made" in last(result).text


def test_the_undo_of_the_part_is_made_before_anything_runs(fleet):
    """Where it can't be made, a person is asked, as for any undo."""
    tool = fleet.tool()
    ladder = ladder_with()
    ladder.declare("deploy", Declaration(prepare=lambda arguments: 1 / 0, undo=lambda kept: None, canary=one_first))
    with closing(ladder):
        run(ladder, tool, ["a", "b"])
        (question,) = ladder.pending()
        assert "its undo could not be made: ZeroDivisionError" in question.reasons
        assert fleet.did == []


def test_part_and_rest_are_each_inside_the_bounds(fleet):
    """A call that is inside as a whole asks where its part or its rest isn't."""
    bounds = [{"kind": "count", "argument": "hosts", "least": 2, "most": 9}]
    with closing(ladder_with(bounds=bounds)) as ladder:
        run(ladder, fleet.tool(), ["a", "b", "c"])
        (question,) = ladder.pending()
        assert "of its part alone: " in question.reasons
        assert fleet.did == []


def test_no_quota_is_passed_by_splitting(fleet):
    """A part that names somebody whom the whole doesn't would draw on a quota that nothing was held of: it asks."""
    bounds = [{"kind": "volume", "limit": 5, "each_value_of": "hosts"}]
    with closing(ladder_with(bounds=bounds)) as ladder:
        run(ladder, fleet.tool(canary=lambda _: ({"hosts": ["z"]}, {"hosts": ["b"]})), ["a", "b"])
        (question,) = ladder.pending()
        assert "counts where the whole call doesn't" in question.reasons


def test_a_price_for_each_call_is_held_twice(fleet):
    """Two calls of the tool cost two prices; the quota knows it before, and asks where that is too much."""
    with closing(ladder_with(bounds=[{"kind": "cost", "limit": "$1", "each": "$0.30"}])) as ladder:
        run(ladder, fleet.tool(), ["a", "b"])
        assert used(ladder) == [(600_000, 0)]
    with closing(ladder_with(bounds=[{"kind": "cost", "limit": "$1", "each": "$0.60"}])) as ladder:
        run(ladder, fleet.tool(), ["a", "b"])
        (question,) = ladder.pending()
        assert "it costs $1.20" in question.reasons


def test_without_a_check_that_measures_the_part_it_asks(fleet):
    """Silence is no health: where only a later watch would measure it, a person is asked."""
    later = {**CHECKS[0], "count": 0}
    with closing(ladder_with(checks=[later], watch={"window": "10m"})) as ladder:
        run(ladder, fleet.tool(), ["a", "b"])
        (question,) = ladder.pending()
        assert "no health check would measure that part" in question.reasons


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_tool_that_asks_by_itself_asks_for_each(fleet, mount):
    """Part and rest may each stop at an interrupt of their own; each gets its own answer, and runs once."""
    answers = []

    def acts(hosts):
        answers.append((tuple(hosts), interrupt(f"really {hosts[0]}?")))

    with closing(ladder_with()) as ladder:
        graph, result = run(ladder, fleet.tool(acts=acts), ["a", "b", "c"], mount=mount)
        assert result["__interrupt__"][0].value == "really a?"
        result = graph.invoke(Command(resume="yes, a"), CONFIG)
        assert result["__interrupt__"][0].value == "really b?"
        result = graph.invoke(Command(resume="yes, b"), CONFIG)
        assert answers == [(("a",), "yes, a"), (("b", "c"), "yes, b")]
        assert fleet.deployed == ["a", "b", "c"]
        assert last(result).text.endswith("deployed to b, c")
        assert states(ladder) == ["done", "done", "done"]


def test_the_same_arguments_twice_are_two_actions(fleet):
    """Half and half is a split like any other: each half runs once, under a key of its own."""
    half = {"hosts": ["a"]}
    with closing(ladder_with()) as ladder:
        run(ladder, fleet.tool(canary=lambda _: (half, half)), ["a", "a"])
        assert fleet.did == [("deploy", "a"), ("deploy", "a")]
        assert len({one.key for one in ladder.actions()}) == 3


def test_a_person_undoes_the_whole(fleet):
    """By the key of the call, of its part or of its rest: the rest is undone first, and then the part."""
    for place in (0, 1, 2):
        fleet.did.clear()
        fleet.deployed.clear()
        with closing(ladder_with()) as ladder:
            run(ladder, fleet.tool(), ["a", "b"])
            assert ladder.undo(ladder.actions()[place].key, by="ana") is State.UNDONE
            assert fleet.did[2:] == [("undo", "b"), ("undo", "a")]
            assert states(ladder) == ["undone", "undone", "undone"]
            assert ladder.verify().ok


COSTS = {"both-say": ((), "$0.01", 30_000), "rest-undone": (("b",), "$0.01", 30_000), "one-says": ((), "", 500_000)}


@pytest.mark.parametrize("name", COSTS)
def test_what_both_cost_is_settled_once(fleet, name):
    """Their sums are added up, also where both are undone; where one of them says nothing, what was held stands."""
    sick, first, came_to = COSTS[name]
    SICK.update(sick)

    def acts(hosts):
        if amount := first if hosts == ["a"] else "$0.02":
            spent(amount)

    with closing(ladder_with(bounds=[{"kind": "cost", "limit": "$1", "argument": "dollars"}])) as ladder:
        tool = fleet.tool(acts=acts)
        undoable = reversible(
            prepare=lambda _: list(fleet.deployed), undo=lambda kept: fleet.deployed.__setitem__(slice(None), kept),
            canary=lambda _: ({"hosts": ["a"], "dollars": 0.1}, {"hosts": ["b"], "dollars": 0.4}),
        )  # fmt: skip
        pay = StructuredTool.from_function(
            undoable(lambda hosts, dollars: tool.func(hosts)), name="deploy", description="Deploy.", args_schema=Paid
        )
        by_hand = [calls("deploy", {"hosts": ["a", "b"], "dollars": 0.5}), "Done."]
        MOUNTS["wrap"](ladder, by_hand, [pay]).invoke(GO, CONFIG)
        assert used(ladder) == [(came_to, 0)]


def test_what_is_kept_of_it_is_told_and_can_be_erased_with_it(fleet):
    """The claim, the part, its good measurement and the rest are entries; two actions stand for the one call."""
    with closing(ladder_with()) as ladder:
        run(ladder, fleet.tool(), ["a", "b"])
        whole, part, rest = ladder.actions()
        assert [one.key for one in ladder.parts(whole.key)] == [part.key, rest.key]
        assert [one.kind for one in ladder.log(action=whole.key)] == ["started", "split", "part_good", "done"]
        assert ladder.parts(part.key) == []
        (cell,) = ladder.status()
        assert cell.part_first
        assert ladder.explain("deploy", {"hosts": ["a", "b"]}).part_first


# --- in a scope, and back ---------------------------------------------------------------------------------------------


def test_in_a_scope(fleet):
    """Its part and its rest are members of the scope, each with one outcome, and the call is no point of no return."""
    with closing(ladder_with()) as ladder:
        graph = MOUNTS["wrap"](ladder, [calls("deploy", {"hosts": ["a", "b"]}), "Done."], [fleet.tool()])
        with ladder.saga("roll out") as saga:
            graph.invoke(GO, CONFIG)
        assert [one.tool for one in saga.members] == ["deploy", "deploy"]
        saga.undo("a test")
        assert ([one.came for one in saga.members], fleet.deployed) == (["undone", "undone"], [])


def test_a_part_that_is_ill_undoes_the_scope(fleet):
    """What ran before it goes with it, and the rest never runs."""
    script = [calls("deploy", {"hosts": ["a"]}), calls("deploy", {"hosts": ["b", "c"]}), "Done."]
    SICK.add("b")
    with closing(ladder_with()) as ladder:
        graph = MOUNTS["wrap"](ladder, script, [fleet.tool()])
        with ladder.saga("roll out") as saga:
            out = graph.invoke(GO, CONFIG)
        assert (saga.phase, fleet.deployed) == ("undone", [])
        assert "ROLLED BACK: the scope roll out is undone" in out["messages"][-2].text


def test_in_a_scope_the_part_stays_until_its_rest_is_undone(fleet):
    """The one lies on the other, so a rest that can't be undone keeps its part; the others are undone all the same."""
    script = [calls("deploy", {"hosts": ["a", "b"]}), "Done."]
    with closing(ladder_with()) as ladder:
        graph = MOUNTS["wrap"](ladder, script, [fleet.tool()])
        with ladder.saga("roll out") as saga:
            graph.invoke(GO, CONFIG)
        fleet.deployed.append("somebody else's")
        assert ladder.undo_saga(saga.id, by="ana").phase == "held"
        part, rest = saga.members
        assert (part.state, part.came, rest.came) == ("done", "failed", "conflict")
        assert part.text == "the rest of its call lies on it, and isn't undone"
        fleet.deployed.remove("somebody else's")
        assert ladder.undo(rest.action, by="ana") is State.UNDONE
        assert ([one.came for one in saga.members], saga.phase) == (["undone", "undone"], "undone")
        assert fleet.did[2:] == [("undo", "b"), ("undo", "a")]


def test_a_person_who_undoes_the_part_reads_what_came_of_its_rest(fleet):
    """The rest was tried, and nothing came to the part."""
    with closing(ladder_with()) as ladder:
        run(ladder, fleet.tool(), ["a", "b"])
        _, part, rest = ladder.actions()
        fleet.deployed.append("somebody else's")
        assert ladder.undone_first(part.key) == rest.key
        assert ladder.undo(part.key, by="ana") is State.UNDO_CONFLICT
        assert states(ladder)[1:] == ["done", "undo_conflict"]


def test_a_thread_keeps_a_part_whose_rest_stays(fleet):
    """A rollback goes by the same order as a scope."""
    with closing(ladder_with()) as ladder:
        graph = MOUNTS["wrap"](ladder, [calls("deploy", {"hosts": ["a", "b"]}), "Done."], [fleet.tool()])
        graph.invoke(GO, CONFIG)
        fleet.deployed.append("somebody else's")
        done = ladder.rollback("t", to=ladder.actions()[0].key, by="ana", graph=graph)
        assert [(one.state, one.came) for one in done.members] == [("done", "failed"), ("undo_conflict", "conflict")]


def test_a_thread_is_rolled_back_to_before_it(fleet):
    """Both are undone, in reverse; the call itself had no effect of its own."""
    with closing(ladder_with()) as ladder:
        graph = MOUNTS["wrap"](ladder, [calls("deploy", {"hosts": ["a", "b"]}), "Done."], [fleet.tool()])
        graph.invoke(GO, CONFIG)
        whole = ladder.actions()[0].key
        done = ladder.rollback("t", to=whole, by="ana", graph=graph)
        assert (done.whole, len(done.members), fleet.deployed) == (True, 2, [])
