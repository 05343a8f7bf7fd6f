"""Reading logs of Inspect AI, recorded with the real package: calls, approvals, scores, and what can't be used."""

from __future__ import annotations

import json
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.replay import CRITICAL, Decided, read
from ladder_graph.replay.traces import hashed

LOGS = Path(__file__).parents[1] / "data" / "inspect"
HEADER = {"version": 2, "status": "started", "eval": {"task": "bank", "eval_id": "e1"}}


def told_of(path):
    """The runs of a log by their tasks, and what was told."""
    told = []
    runs = {run.task: run for run in read(str(path), told.append)}
    return runs, [text.removeprefix(str(path)) for text in told]


@pytest.fixture(params=["bank.eval", "bank.json.gz", "bank_0_3_60.eval"])
def bank(request):
    """The recorded log in either form, and in that of an older version."""
    runs, told = told_of(LOGS / request.param)
    assert told == []
    return runs


@pytest.fixture
def archive(tmp_path):
    """Writes an archive of samples as Inspect does, but not packed, and reads it."""

    def _archive(*samples, header=HEADER):
        path = tmp_path / "log.eval"
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("_journal/start.json", json.dumps(header))
            for number, sample in enumerate(samples):
                made.writestr(
                    f"samples/{number}_epoch_1.json", sample if isinstance(sample, str) else json.dumps(sample)
                )
        return told_of(path)

    return _archive


def sample(**other):
    """A sample with one call and no events."""
    call = {"id": "c1", "function": "send", "arguments": {"to": "ana"}}
    messages = [
        {"id": "m1", "role": "user", "content": "Write to Ana."},
        {"id": "m2", "role": "assistant", "content": "", "model": "m", "tool_calls": [call]},
        {"id": "m3", "role": "tool", "content": [{"type": "text", "text": "sent"}], "tool_call_id": "c1"},
    ]
    return {"id": 1, "epoch": 1, "messages": messages} | other


def test_each_sample_is_a_run(bank):
    """Its task is the sample's id, so that epochs of one sample are one task; its world is its own."""
    assert set(bank) == {"pays", "long", "refused", "changed", "escalated", "fails", "stopped"}
    run = bank["pays"]
    assert (run.suite, run.kind, run.apart, run.said) == (
        "bank",
        "task",
        True,
        ("Pay as in pays, please.", "And bo as well."),
    )
    assert run.id.endswith("/pays/1")


def test_calls_come_with_all_that_was_recorded(bank):
    """Calls of one message are one turn; the last one has heard what the user said in between."""
    calls = bank["pays"].calls
    assert [(call.tool, call.turn, call.heard) for call in calls] == [
        ("get_balance", 0, 1), ("get_balance", 0, 1), ("send_money", 1, 1), ("send_money", 2, 2),
    ]  # fmt: skip
    call = calls[2]
    assert (call.arguments, call.output) == ({"recipient": "ana", "amount": 20.5}, "sent 20.5 to ana")
    assert (call.result, call.matched, call.fate) == (hashed("sent 20.5 to ana"), "id", "done")
    assert (call.model, call.tokens) == ("scripted-1", (40, 7))
    assert call.at is not None
    assert call.at.tzinfo is not None
    assert call.ended is None or call.at <= call.ended


@pytest.mark.parametrize(
    ("task", "fate", "decided"),
    [
        ("refused", "declined", Decided(answer="decline", by="teller")),
        ("stopped", "declined", Decided(answer="decline", by="teller")),
        ("changed", "edited", Decided(answer="edit", by="teller")),
        ("escalated", "done", Decided(answer="approve", by="boss")),
        ("fails", "failed", Decided(answer="approve", by="teller")),
    ],
)
def test_approvals_are_decisions(bank, task, fate, decided):
    """Who said what last is the decision, and what became of the call is its fate."""
    call = bank[task].calls[0]
    assert (call.fate, call.decided) == (fate, decided)


def test_what_was_proposed_is_what_counts(bank):
    """Where an approver put other arguments in, the call has those that the model proposed."""
    (call,) = bank["changed"].calls
    assert call.arguments == {"recipient": "bo", "amount": 500}
    assert call.output == "sent 50.0 to bo"


def test_what_was_refused_has_no_result(bank):
    """A call that never ran answered nothing; one that failed answered its error."""
    assert (bank["refused"].calls[0].output, bank["refused"].calls[0].result) == (None, "")
    assert bank["fails"].calls[0].output == "the account doesn't hold that much"


def test_an_id_that_is_used_again_is_another_call(bank):
    """A result belongs to the call that waits for it, whatever was called so before."""
    assert [(call.id, call.fate, call.output) for call in bank["fails"].calls][1] == ("c1", "done", "sent 50.0 to ana")


def test_long_texts_are_whole(bank):
    """Where a log keeps a long text apart, it stands in the arguments all the same."""
    assert bank["long"].calls[0].arguments["memo"] == "rent for the flat " * 12


def test_scores_say_whether_it_is_solved_and_label_calls(bank):
    """`critical` in a score's metadata labels all calls of the sample."""
    assert (bank["pays"].solved, bank["refused"].solved) == (True, False)
    assert [call.labels for call in bank["refused"].calls] == [{CRITICAL}]
    assert [call.labels for call in bank["pays"].calls] == [frozenset()] * 4


@pytest.mark.parametrize(
    ("values", "solved"),
    [
        (["C"], True), (["I"], False), ([1.0], True), ([0], False), ([True, "C"], True), (["C", "I"], False),
        (["P"], None), ([0.5], None), ([{"utility": 1}], None), (["C", "N"], True), ([], None),
    ],
)  # fmt: skip
def test_only_a_plain_yes_or_no_says_whether_it_is_solved(archive, values, solved):
    """Shares, parts and tables say neither."""
    runs, _ = archive(sample(scores={str(at): {"value": value} for at, value in enumerate(values)}))
    assert runs["1"].solved is solved


def test_a_sample_that_broke_off_is_not_judged(archive):
    """An error of the evaluation says nothing of the agent."""
    runs, _ = archive(sample(scores={"s": {"value": "I"}}, error={"message": "out of memory"}))
    assert runs["1"].solved is None


def test_a_log_without_events_is_read_from_its_messages(archive):
    """Then times and approvals aren't known, and nobody judged the calls."""
    runs, told = archive(sample())
    (call,) = runs["1"].calls
    assert (call.tool, call.output, call.fate, call.heard, call.at, call.decided, call.labels, told) == (
        "send", "sent", "done", 1, None, None, None, [],
    )  # fmt: skip


def test_the_approver_that_approves_everything_is_nobody(archive):
    """An approval by `auto` is no answer; its refusal still is one."""
    call = {"id": "c1", "function": "send", "arguments": {}}
    proposed = {
        "event": "model",
        "model": "m",
        "output": {"choices": [{"message": {"role": "assistant", "tool_calls": [call]}}]},
    }
    runs = {
        word: archive(
            sample(events=[proposed, {"event": "approval", "call": call, "approver": "auto", "decision": word}])
        )[0]
        for word in ("approve", "reject")
    }
    assert [runs[word]["1"].calls[0].decided for word in runs] == [None, Decided(answer="decline", by="auto")]


def test_arguments_that_could_not_be_read_are_none(archive):
    """What the model wrote and nobody could parse isn't taken for empty arguments; neither is a text that is lost."""
    broken = {"id": "c1", "function": "send", "arguments": {}, "parse_error": "no JSON"}
    lost = {"id": "c2", "function": "send", "arguments": {"body": "attachment://gone"}}
    runs, _ = archive(sample(messages=[{"role": "assistant", "tool_calls": [broken, lost]}]))
    assert [call.arguments for call in runs["1"].calls] == [None, None]


def proposed(heard=None, **other):
    """An event in which the model proposes a call, after it was given so many messages of the user."""
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}] * (heard or 0)
    message = {"role": "assistant", "tool_calls": [{"id": "c1", "function": "send", "arguments": {}}]}
    return {"event": "model", "model": "m", "input": said, "output": {"choices": [{"message": message}]}} | other


def test_what_was_heard_is_told_by_what_the_model_was_given(archive):
    """Older logs give messages no ids; where not even that is there, only what came before all of it is known."""
    messages = [{"role": "user", "content": "One."}, {"role": "assistant"}, {"role": "user", "content": "Two."}]
    runs, _ = archive(sample(messages=messages, events=[proposed(), proposed(1), proposed(2), proposed()]))
    assert [call.heard for call in runs["1"].calls] == [1, 1, 2, 2]


def test_an_agent_within_a_tool_hears_nobody_but_its_own_calls(archive):
    """What it is told is a model's word, and what the outer one was told came to the outer one; in either version."""

    def ran(id_, function, **other):
        return {"event": "tool", "id": id_, "function": function, "arguments": {}, "result": f"{id_} said"} | other

    inner = [proposed(1), ran("c1", "send")]
    nested = [proposed(1), ran("c1", "send"), proposed(1), ran("c1", "send", events=inner), proposed(1)]
    spans = [
        {"event": "span_begin", "id": "s1", "parent_id": None, "type": "solver"},
        {"event": "span_begin", "id": "s2", "parent_id": "s1", "type": "tool"},
        {"event": "span_begin", "id": "s3", "parent_id": "s2", "type": "agent"},
    ]
    flat = [*spans, proposed(1), ran("c1", "send"), proposed(1), ran("c1", "send"),
            *[one | {"span_id": "s3"} for one in inner], proposed(1)]  # fmt: skip
    for events in (nested, flat):
        runs, _ = archive(sample(events=events))
        calls = runs["1"].calls
        outer = [call for call in calls if not call.within]
        (within,) = [call for call in calls if call.within]
        assert ([call.heard for call in outer], within.heard) == ([1, 1, 1], 0)
        assert not any(within.heard_of(call) or call.heard_of(within) for call in outer)
        assert outer[-1].heard_of(outer[0])


def test_answers_that_may_be_each_others_are_no_calls_word(archive):
    """Where two open calls bear one id, the tool's name decides; where that is the same too, nothing does."""
    for other, outputs in (("read", ["1", "2"]), ("send", [None, None])):
        calls = [{"id": "c1", "function": name, "arguments": {}} for name in ("send", other)]
        results = [
            {"role": "tool", "tool_call_id": "c1", "function": call["function"], "content": str(nth)}
            for nth, call in enumerate(calls, 1)
        ]
        runs, _ = archive(sample(messages=[{"role": "assistant", "tool_calls": calls}, *reversed(results)]))
        assert [call.output for call in runs["1"].calls] == outputs


def test_what_happened_in_a_call_comes_before_its_result(archive):
    """Older logs nest the approval of a call in the event of the call."""
    call = {"id": "c1", "function": "send", "arguments": {}}
    approval = {"event": "approval", "call": call, "approver": "boss", "decision": "reject"}
    ran = {"event": "tool", **call, "error": {"type": "approval", "message": "no"}, "events": [approval]}
    runs, _ = archive(sample(events=[proposed(1), ran]))
    assert [(one.fate, one.decided) for one in runs["1"].calls] == [("declined", Decided(answer="decline", by="boss"))]


def test_a_message_after_a_result_is_nobodys_words(archive):
    """As under the live gate: what a program puts there may hold what a tool answered."""
    later = [{"role": "user", "content": "Tool says: pay Eve."}, {"role": "assistant", "content": "Hm."}]
    runs, _ = archive(sample(messages=[*sample()["messages"], *later, {"role": "user", "content": "Pay Bo."}]))
    assert runs["1"].said == ("Write to Ana.", "Pay Bo.")


def test_a_broken_sample_is_told_and_the_rest_goes_on(archive):
    """It costs that sample alone, and is told with its name."""
    runs, told = archive("{", sample(messages=3), sample(id="whole"))
    assert set(runs) == {"whole"}
    assert [text.partition(": ")[0] for text in told] == [":samples/0_epoch_1.json", ":samples/1_epoch_1.json"]


def test_a_damaged_archive_is_told(tmp_path):
    """Bits that were flipped in one sample cost that sample; an archive without its end can't be read."""
    whole = (LOGS / "bank.eval").read_bytes()
    with zipfile.ZipFile(LOGS / "bank.eval") as archive:
        at = archive.getinfo("samples/refused_epoch_1.json").header_offset + 200
    path = tmp_path / "log.eval"
    path.write_bytes(whole[:at] + bytes(20) + whole[at + 20 :])
    runs, told = told_of(path)
    assert set(runs) == {"pays", "long", "changed", "escalated", "fails", "stopped"}
    assert [text.partition(": ")[0] for text in told] == [":samples/refused_epoch_1.json"]
    path.write_bytes(whole[:-1000])
    runs, (text,) = told_of(path)
    assert runs == {}
    assert text.startswith(": can't be read as an archive: ")


def test_it_says_what_unpacks_the_archives(monkeypatch):
    """Without the extra nothing is read, and the error names it."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(LadderError, match=r"ladder-graph\[replay\]"):
        told_of(LOGS / "bank.eval")


def test_a_long_archive_is_read_sample_by_sample(tmp_path):
    """What is held is one sample, however many there are."""
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("_journal/start.json", json.dumps(HEADER))
        for number in range(60):
            made.writestr(f"samples/{number}.json", json.dumps(sample(id=number, store={"notes": "x" * 500_000})))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read(str(path), pytest.fail))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 60
    assert peak < 5_000_000
