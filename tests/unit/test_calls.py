"""Calls: one canonical form, one digest, and the way back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from ladder_graph.calls import DEEPEST, Call, canonical, digest_of, digest_of_call, normalise, restore
from ladder_graph.errors import ArgumentsError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.binary(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(dt.UTC) | st.none())
    | st.dates()
    | st.times()
)
KEY = TEXT | st.sampled_from(["$", "$int", "$$int", "$b64", "$time", "$decimal"])
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3))
ARGUMENTS = st.dictionaries(KEY, JSON, max_size=4)


def call(arguments, **other):
    """A call of one tool."""
    return Call(**{"agent": "ops", "thread": "t1", "id": "c1", "tool": "send", "arguments": arguments, **other})


def nested(levels):
    """Lists in lists."""
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def test_the_digest_stays_what_it_is():
    """A digest is part of what the ledger keeps for years: this one may never change."""
    text = '["lg1","call","send",{"id":{"$int":"1152921504606846976"},"n":3,"to":"ana@example.com"}]'
    asked = call({"to": "ana@example.com", "n": 3, "id": 2**60})
    assert asked.digest == hashlib.sha256(text.encode()).hexdigest()
    assert asked.key == hashlib.sha256(f'["lg1","key","t1","c1","{asked.digest}"]'.encode()).hexdigest()


def test_the_order_of_keys_does_not_matter():
    """Two models that write the same arguments in another order ask for the same thing."""
    assert call({"a": 1, "b": 2}).digest == call({"b": 2, "a": 1}).digest


def test_the_digest_is_about_the_tool_and_the_arguments_alone():
    """Who asks, and where, is in the key and not in the digest."""
    one, two = call({"a": 1}), call({"a": 1}, agent="dev", thread="t2", id="c9", env="e")
    assert one.digest == two.digest
    assert one.key != two.key
    assert call({"a": 1}, tool="drop").digest != one.digest


def test_short_names_the_action():
    """The short form is the beginning of the key."""
    one = call({})
    assert one.key.startswith(one.short)
    assert len(one.short) == 12


def test_the_arguments_are_frozen():
    """What somebody changes after the proposal doesn't reach the call."""
    given_arguments = {"to": ["ana"]}
    frozen = call(given_arguments)
    given_arguments["to"].append("mallory")
    assert frozen.arguments == {"to": ["ana"]}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, {"$int": "9007199254740992"}),
        (-(2**53), {"$int": "-9007199254740992"}),
        (b"\x00", {"$b64": "AA=="}),
        (Decimal("1.50"), {"$decimal": "1.50"}),
        (dt.date(2026, 11, 22), {"$time": "2026-11-22"}),
        ((1, 2), [1, 2]),
        ({"$int": "1"}, {"$$int": "1"}),
        (True, True),
        (None, None),
    ],
)
def test_what_json_lacks_gets_a_tag(value, plain):
    """Large integers, bytes, Decimals and dates become tagged text, and nothing is lost."""
    assert normalise(value) == plain


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ({"x": float("nan")}, "arguments.x is nan"),
        ({"x": [float("inf")]}, r"arguments.x\[0\] is inf"),
        ({"x": "\ud800"}, "half a surrogate pair"),
        ({"\udfff": 1}, "half a surrogate pair"),
        ({1: "x"}, "the key 1"),
        ({"x": object()}, "is a object"),
        ({"x": {1, 2}}, "is a set"),
        ({"x": Decimal("NaN")}, "is a Decimal"),
        ({"x": nested(DEEPEST + 1)}, "nests deeper than 64"),
        ({"x": nested(20_000)}, "nests deeper than 64"),
        ({"x": 10**5000}, "too long to write"),
    ],
)
def test_what_has_no_canonical_form_is_refused(odd, says):
    """NaN, infinity, half characters, odd keys, objects, and what is too deep or too long are no arguments."""
    with pytest.raises(ArgumentsError, match=says):
        call(odd)


def test_a_loop_is_refused():
    """Arguments that hold themselves end in an error, not in an overflow."""
    loop = {}
    loop["again"] = loop
    with pytest.raises(ArgumentsError, match="nests deeper"):
        call(loop)


def test_a_tools_name_must_be_text():
    """Half a surrogate pair in the tool's name is refused like one in an argument."""
    with pytest.raises(ArgumentsError, match="half a surrogate pair"):
        call({}, tool="\ud800")


def test_the_deepest_arguments_fit_into_a_record():
    """Arguments that a call accepts can still be put into a digest or a record a few levels down."""
    deep = call({"x": nested(DEEPEST - 1)})
    assert digest_of("question", {"call": {"arguments": deep.arguments}})
    assert canonical({"body": {"arguments": deep.arguments}})


@given(ARGUMENTS)
@example({"n": 1, "to": "ana", "yes": True, "no": None})
@example({"$int": "1"})
@example({"é": 1, "n": 1})
@example({"n": 1.0})
@example({"n": 2**53})
def test_plain_arguments_have_no_digest_of_their_own(arguments):
    """What is written at once, as most arguments are, has the digest that the long way comes to."""
    assert digest_of_call("send", arguments) == digest_of("call", "send", arguments)
    assert digest_of_call("sénd", arguments) == digest_of("call", "sénd", arguments)


@given(JSON)
@example(["".join(map(chr, range(0x21)))])
@example({"\x7f": "\u2028", "\U0001f600": 1, "\uffff": 2})
def test_the_form_is_that_of_the_standard(value):
    """Whichever library writes it."""
    assert canonical(value) == rfc8785.dumps(normalise(value))


def test_a_text_is_what_it_holds():
    """A class of texts that calls itself something else is the text all the same, as a key too."""

    class Word(str):
        __slots__ = ()

        def __str__(self):
            return "another"

    held, plain = call({Word("to"): [Word("ana")]}), call({"to": ["ana"]})
    assert (held.digest, held.key) == (plain.digest, plain.key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (2**53, {"$int": str(2**53)}),
        (b"x", {"$b64": "eA=="}),
        (Decimal(1), {"$decimal": "1"}),
        (Decimal("1.0"), Decimal("1.00")),
        (dt.date(2026, 1, 1), {"$time": "2026-01-01"}),
        ({"$int": "1"}, {"$$int": "1"}),
        (True, 1),
        (1, "1"),
        (None, "null"),
        ("é", "e\N{COMBINING ACUTE ACCENT}"),
    ],
)
def test_what_looks_alike_has_another_digest(one, other):
    """An answer to one of them can't be used for the other."""
    assert call({"x": one}).digest != call({"x": other}).digest


@given(ARGUMENTS)
def test_a_call_read_back_is_the_same_call(arguments):
    """From canonical JSON, through `restore`, comes a call with the same digest, and with the same values."""
    before = call(arguments)
    after = call(restore(json.loads(canonical(before.arguments))))
    assert (after.digest, after.key) == (before.digest, before.key)
    assert after.arguments == before.arguments


@given(ARGUMENTS, ARGUMENTS)
def test_equal_digests_mean_equal_arguments(one, other):
    """No mapping passes for a tagged value: two arguments share a digest only when they read back alike."""
    if call(one).digest == call(other).digest:
        assert restore(normalise(one)) == restore(normalise(other))
    else:
        assert canonical(one) != canonical(other)


def test_agents_that_count_their_calls_alike():
    """Two agents of one thread may make the same call under the same id; each is a call of its own."""
    keys = {Call(agent, "1", "send:0", "send", {"x": 1}).key for agent in ("ops", "ops/a", "ops/b")}
    assert len(keys) == 3
    assert Call("ops", "1", "send:0", "send", {"x": 1}).key == Call("shop", "1", "send:0", "send", {"x": 1}).key
