"""What a rule says beside its rung: the price of a mistake, access labels, and the stream of its reports."""

from __future__ import annotations

import pytest

from ladder_graph import Ladder, Policy
from ladder_graph.errors import AnswerRefused, PolicyError
from ladder_graph.facts import Person
from ladder_graph.policy import load_policy
from ladder_graph.scale import Rung
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, on, questions

PEOPLE = {"ana": {"labels": ["customer-data", "pay"]}, "bo": {"labels": ["pay"]}}


def ladder_of(rule, **policy):
    """A ladder whose one tool has this rule."""
    return Ladder(policy=Policy(agent="ops", tools={"a": rule}, **policy), ledger=":memory:")


def asked(rule, x="1", way=WAYS[0], **policy):
    """A ladder with a call of its tool under way, its graph, and what comes out of that."""
    ladder, world = ladder_of(rule, **policy), World()
    graph = ladder.wrap(agent_of([calls("a", {"x": x}), "Done."], [world.tool("a")]))
    return ladder, graph, way.invoke(graph, GO, on())


# --- mistake ---------------------------------------------------------------------------------------------------------

DEAR = {"rung": "bounded", "bounds": [{"kind": "cost", "each": "$3", "limit": "$9"}]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("mistake", "asks"), [("$2.99", True), ("$3", False), (None, False)])
def test_a_call_that_costs_more_than_a_mistake_may_asks(way, mistake, asks):
    """Although the window would hold it; `explain` says the same before."""
    rule = {**DEAR, **({"mistake": mistake} if mistake else {})}
    ladder, _, _ = asked(rule, way=way)
    assert len(ladder.pending()) == asks
    told = ladder_of(rule).explain("a", {"x": "1"})
    assert (told.route.rung is Rung.CONFIRM) is asks
    if asks:
        assert ladder.pending()[0].reasons == "it costs $3.00, and a mistake may cost $2.99"
        assert told.route.reasons[0].code == "outside_mistake"


def test_whoever_is_asked_is_told_what_a_mistake_costs():
    """In the interrupt, in the question, and in `explain` and `status`."""
    ladder, _, out = asked({"rung": "confirm", "mistake": "$200"})
    assert questions(out)[0]["mistake"] == "$200.00"
    assert ladder.pending()[0].mistake == 200_000_000
    assert ladder.explain("a", {}).mistake == ladder.status()[0].mistake == 200_000_000
    _, _, out = asked({"rung": "confirm"})
    assert questions(out)[0]["mistake"] is None


# --- labels ----------------------------------------------------------------------------------------------------------

LABELLED = {"rung": "confirm", "labels": ["customer-data"]}


def test_only_who_holds_the_labels_may_answer():
    """Anybody may say no; approving, editing, answering and revoking take the label, and a name that is checked."""
    ladder, graph, _ = asked(LABELLED, people=PEOPLE)
    (question,) = ladder.pending()
    for answer in (
        lambda by: ladder.approve(question.id, by=by),
        lambda by: ladder.edit(question.id, {"x": "2"}, by=by),
        lambda by: ladder.respond(question.id, "Well.", by=by),
    ):
        for by, why in (("bo", "bo may not decide about a: it touches customer-data"), ("cy", "cy may not decide"),
                        (Person("ana"), "nobody checked that this is ana")):  # fmt: skip
            with pytest.raises(AnswerRefused, match=why):
                answer(by)
    ladder.approve(question.id, by="ana")
    with pytest.raises(AnswerRefused, match="bo may not decide"):
        ladder.revoke(question.id, by="bo", reason="no")
    assert WAYS[0].invoke(graph, None, on())["messages"][-1].content == "Done."
    other, _, _ = asked(LABELLED, people=PEOPLE)
    other.decline(other.pending()[0].id, by="bo", reason="no")


def test_only_who_holds_the_labels_may_decide_about_drafts():
    """Whether accepting or rejecting."""
    ladder, _, _ = asked({"rung": "draft", "labels": ["customer-data"]}, people=PEOPLE)
    (draft,) = ladder.drafts()
    with pytest.raises(AnswerRefused, match="bo may not decide"):
        ladder.accept(draft.action.key, by="bo")
    with pytest.raises(AnswerRefused, match="bo may not decide"):
        ladder.reject(draft.action.key, by="bo", reason="no")
    assert ladder.accept(draft.action.key, by="ana") is not None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[tools.a]\nrung = "confirm"\nlabels = ["hr"]\n', 3, "1 must answer and hold hr, and nobody may"),
        (
            '[people.bo]\nlabels = ["hr"]\n[tools.a]\nlabels = ["hr"]\nconfirm = { by = ["ana"] }\n', 4, "nobody may",
        ),
        (
            '[people.bo]\nlabels = ["hr"]\n[tools.a]\nlabels = ["hr"]\nconfirm = { quorum = 2 }\n', 4, "only bo may",
        ),
        (
            '[tools.a]\nchannel = "paymets"\n[reports.channels.payments]\nreader = "bob"\n', 2,
            "there is no report channel 'paymets'; did you mean 'payments'?",
        ),
        ('[tools.a]\nchannel = "pay"\n', 2, "add one, as in [reports.channels.pay]"),
    ],
)  # fmt: skip
def test_what_nobody_could_do_is_a_mistake_on_its_line(tmp_path, text, line, said):
    """A label that nobody holds, and a stream that isn't there."""
    path = tmp_path / "ladder.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as wrong:
        load_policy(path)
    (problem,) = wrong.value.problems
    assert problem.startswith(f"{path}:{line}: tools.a.")
    assert said in problem


# --- channel ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_channel_has_its_own_reader_and_time(way):
    """Its reports go there, whoever reads the others, and nobody else is needed for rung 5."""
    reads = {"rung": "report", "read_only": True, "channel": "payments"}
    for others in ({}, {"reader": "ana", "sla": "1h"}):
        reports = {**others, "channels": {"payments": {"reader": "bob", "sla": "4h", "digest": "action"}}}
        ladder, _, _ = asked(reads, way=way, reports=reports)
        (report,) = ladder.reports()
        assert (report.reader, (report.due - report.filed).total_seconds()) == ("bob", 4 * 3600)
        assert ladder.status()[0].route.rung is Rung.REPORT
    ladder = ladder_of({**reads, "channel": None}, reports={"channels": {"payments": {"reader": "bob"}}})
    assert "no_reader" in [reason.code for reason in ladder.status()[0].route.reasons]
