"""Calls and their results, put together by id, and by their place where there is none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from ladder_graph.hosts.scenery import users_own
from ladder_graph.replay import Decided
from ladder_graph.replay.conversations.contents import arguments_of, moment_of, text_of, tokens_of, words_of
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation
from ladder_graph.replay.traces import hashed


def paired(*turns, words=True):
    """The calls of turns, each a list of calls and a list of results; and what was told."""
    told = []
    run = Conversation(told.append, words=words)
    for asked, answered in turns:
        run.model(asked)
        for one in answered:
            run.result(one)
    return run.calls(), told


def test_results_in_any_order_find_their_calls_by_id():
    """The id alone says whose a result is."""
    (first, second), told = paired(
        ([Asked("read", {}, "a"), Asked("send", {}, "b")], [Answered("sent", "b", failed=True), Answered("red", "a")])
    )
    assert (first.output, first.matched, first.fate) == ("red", "id", None)
    assert (second.output, second.matched, second.fate) == ("sent", "id", "failed")
    assert first.result == hashed("red")
    assert told == []


def test_calls_without_ids_are_matched_by_their_order_and_it_is_said():
    """Without ids the first call of the turn that waits, and that the tool's name fits, gets the result."""
    calls, told = paired(
        ([Asked("read", {}), Asked("send", {})], [Answered("sent", tool="send"), Answered("red")]),
        ([Asked("read", {})], [Answered("again")]),
    )
    assert [(call.output, call.matched) for call in calls] == [("red", "order"), ("sent", "order"), ("again", "order")]
    assert told == ["3 calls (read, send) have no id; results are found by their order"]


def test_a_result_without_an_id_is_matched_by_its_order_and_it_is_said():
    """A call's own id is no help where the result has none."""
    (call,), told = paired(([Asked("read", {}, "a")], [Answered("red")]))
    assert (call.output, call.matched) == ("red", "order")
    assert told == ["1 call (read) has a result without an id, which was found by its order"]


def test_no_order_reaches_into_an_earlier_turn():
    """A call that was left unanswered doesn't get what came back to a later one."""
    (first, second), told = paired(([Asked("read", {})], []), ([Asked("read", {})], [Answered("red")]))
    assert (first.output, first.result, first.matched) == (None, "", "")
    assert second.output == "red"
    assert told[-1] == "1 call (read) has no result"


def test_an_unknown_id_is_nobodys_even_if_a_call_waits():
    """Where both have ids, and other ones, they don't belong together."""
    (call,), told = paired(([Asked("read", {}, "a")], [Answered("red", "z")]))
    assert call.output is None
    assert told == ["1 call (read) has no result", "1 result without a call: z"]


def test_an_id_that_stands_for_two_calls_is_told():
    """Of two open calls with one id the order decides, or the tool's name; of two in turn the id still tells."""
    (first, second), told = paired(
        (
            [Asked("read", {}, "a"), Asked("send", {}, "a")],
            [Answered("sent", "a", "send"), Answered("red", "a", "read")],
        )
    )
    assert (first.output, first.matched, second.output, second.matched) == ("red", "id", "sent", "order")
    assert told == ["the id 'a' stands for 2 calls"]
    (first, second), told = paired(
        ([Asked("read", {}, "a")], [Answered("1", "a")]), ([Asked("read", {}, "a")], [Answered("2", "a")])
    )
    assert (first.output, first.matched, second.output, second.matched) == ("1", "id", "2", "id")
    assert told == ["the id 'a' stands for 2 calls"]


@pytest.mark.parametrize("ids", [("a", "a", "a"), ("", "", "")])
def test_a_result_that_several_calls_wait_for_is_no_calls_word(ids):
    """Which of them it answers isn't known, so no value is known to come from one of them."""
    first, second, answered = ids
    calls, _ = paired(
        (
            [Asked("contacts", {}, first), Asked("search", {}, second)],
            [Answered("eve@x.org", answered), Answered("ana@x.org", answered)],
        ),
    )
    assert [(call.output, bool(call.result), call.matched) for call in calls] == [
        (None, True, "order"), (None, True, "id" if first else "order"),
    ]  # fmt: skip


def test_a_result_that_comes_late_was_not_heard_before():
    """A turn that began before it was there has not heard it; the next one has."""
    run = Conversation(lambda _: None)
    run.model([Asked("contacts", {}, "a")])
    run.model([Asked("send", {}, "b")])
    run.result(Answered("ana@x.org", "a"))
    run.model([Asked("send", {}, "c")])
    contacts, before, after = run.calls()
    assert [before.heard_of(contacts), after.heard_of(contacts)] == [False, True]


def test_what_ended_after_a_call_was_not_heard_by_it():
    """Whatever turn it was begun in: two agents may work beside each other."""
    at = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    run = Conversation(lambda _: None)
    run.model([Asked("contacts", {}, "a")], at=at)
    run.result(Answered("ana@x.org", "a", at=at + dt.timedelta(seconds=9)))
    for seconds in (5, 9):
        run.model([Asked("send", {}, str(seconds))], at=at + dt.timedelta(seconds=seconds))
    contacts, before, after = run.calls()
    assert [before.heard_of(contacts), after.heard_of(contacts)] == [False, True]


def test_what_stands_there_again_is_not_the_calls():
    """The first result of a call counts, and the other is told."""
    (call,), told = paired(([Asked("read", {}, "a")], [Answered("red", "a"), Answered("other", "a")]))
    assert call.output == "red"
    assert told == ["the call 'a' has 2 results; the first one counts"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (None, "its arguments aren't recorded"),
        ("", "its arguments are no JSON: EOF"),
        ('{"to": "an', "its arguments are no JSON: EOF"),
        ('{"to": NaN}', "its arguments are no JSON: expected value"),
        ('{"to": "\\ud800"}', "its arguments are no JSON: "),
        ("[1]", "its arguments are no JSON object, but [1]"),
        ('"{}"', 'its arguments are no JSON object, but "{}"'),
        ("{" * 10_000, "its arguments are no JSON: "),
        (7, "its arguments are no JSON object, but 7"),
    ],
)
def test_arguments_that_cant_be_read_are_none_and_told(arguments, why):
    """Nothing is put in their place, and the line names the call."""
    (call,), told = paired(([Asked("send", arguments, "a")], [Answered("sent", "a")]))
    assert call.arguments is None
    assert told[0].startswith(f"call 1, send: {why}")


def test_a_persons_no_and_edit_are_known_by_the_answers_of_langchains_middleware():
    """A refusal is only one where it is an error: a tool could write the same words into its answer."""
    no = "User rejected the tool call for `send` with reason: too late"
    edit = "Note: a human reviewer replaced this tool call before it ran. The call recorded … Executed instead: send."
    calls, _ = paired(
        (
            [Asked("send", {}, "a"), Asked("send", {}, "b"), Asked("send", {}, "c")],
            [Answered(no, "a", failed=True), Answered(no, "b", failed=False), Answered(edit, "c", failed=False)],
        )
    )
    assert [call.fate for call in calls] == ["declined", "done", "edited"]
    assert [call.decided for call in calls] == [Decided(answer="decline"), None, Decided(answer="edit")]


MESSAGES = st.lists(
    st.one_of(
        st.builds(HumanMessage, st.sampled_from(["a", "b"]), name=st.sampled_from([None, "agent"])),
        st.builds(HumanMessage, st.just("sum"), additional_kwargs=st.just({"lc_source": "summary"})),
        st.just(SystemMessage("be kind")),
        st.just(AIMessage("well")),
        st.just(AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": "a", "type": "tool_call"}])),
        st.just(ToolMessage("red", tool_call_id="a")),
    ),
    max_size=12,
)


@given(MESSAGES)
def test_the_users_own_words_are_those_of_the_live_gate(messages):
    """Who is taken for the user is decided by one rule, whether it runs or is replayed."""
    run = Conversation(lambda _: None)
    for message in messages:
        match message:
            case HumanMessage() if message.additional_kwargs:
                pass
            case HumanMessage() if message.name:
                run.other()
            case HumanMessage():
                run.user(message.text)
            case AIMessage():
                run.model([Asked("read", {}, "a")] * len(message.tool_calls))
            case ToolMessage():
                run.result(Answered("red", "a"))
    assert run.said == tuple(users_own(messages))


def test_a_call_has_heard_what_was_said_before_it():
    """What the user says later is no source of an earlier call; without recorded words nobody knows what was said."""
    run = Conversation(print)
    run.user("one")
    run.model([Asked("read", {}, "a")])
    run.result(Answered("red", "a"))
    run.model([])
    run.user("two")
    run.model([Asked("read", {}, "b")])
    run.result(Answered("red", "b"))
    assert run.said == ("one", "two")
    assert [(call.heard, call.turn) for call in run.calls()] == [(1, 0), (2, 2)]
    assert Conversation(print, words=False).said is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, None),
        ("a", "a"),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, "b"], "ab"),
        ([{"type": "output_text", "text": "a"}], "a"),
        ([{"type": "text", "content": "a"}], "a"),
        ([{"type": "image", "url": "https://x.org"}], ""),
        ([{"type": "invoice", "of": 1}], '[{"of": 1, "type": "invoice"}]'),
        ([{"id": 1}], '[{"id": 1}]'),
        ([], "[]"),
        ({"b": "ä"}, '{"b": "ä"}'),
    ],
)
def test_the_text_of_an_answer(content, text):
    """Blocks of text are one text, and what is none is its JSON."""
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a", "a"),
        ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x.org"}}, "b"], "ab"),
        ([{"type": "file", "file": {"file_data": "eve@x.org"}}], ""),
        ({"a": 1}, ""),
        (None, ""),
    ],
)
def test_only_text_is_the_users_word(content, words):
    """As under the live gate: where a picture lies, or what stands in a file, nobody wrote into the message."""
    assert words_of(content) == words
    if isinstance(content, str | list):
        assert HumanMessage(content).text == words


def test_what_is_no_moment_is_none():
    """A time that can't be told isn't guessed: not without a zone, and not from what knows none."""
    assert moment_of("2026-11-23T10:00:00") is None
    assert moment_of("2026-11-23T10:00:00", zone=dt.UTC) == moment_of("2026-11-23T10:00:00Z")
    assert moment_of(1795428000.5) == moment_of(1795428000500) == moment_of(1795428000500000)
    assert [moment_of(one) for one in (None, True, 0, -1, 3.5, "86400", "", "soon", 1e300, float("nan"), [1])] == [
        None
    ] * 11


def test_tokens_are_known_in_and_out_or_not_at_all():
    """Half of it is no measure."""
    assert tokens_of(3, "4") == (3, 4)
    assert [tokens_of(3, None), tokens_of(True, 4), tokens_of(-1, 4), tokens_of(1.5, 2)] == [None] * 4


def test_arguments_are_a_copy():
    """Whoever changes them changes no recorded value."""
    given_ = {"to": "ana"}
    arguments_of(given_)["to"] = "bob"
    assert given_ == {"to": "ana"}
