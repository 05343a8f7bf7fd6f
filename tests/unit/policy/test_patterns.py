"""Patterns: what could hang the gate is refused, and what stays quick is allowed."""

from __future__ import annotations

import itertools
import string

import pytest

from ladder_graph.policy.bounds.patterns import LONGEST, compiled, longest


@pytest.mark.parametrize(
    "plain",
    [
        "", "a", "[a-z]+", r"INV-\d{6}", r"\d+(\.\d+)?", "[a-z]+(-[a-z]+)*", r"[\w.+-]+@[\w-]+\.[\w.-]+", "(.*)",
        "(?s).*",
        r"v?\d+\.\d+\.\d+(-[\w.]+)?", "https://[^/]+/.*", "([0-9a-f]{16})*", "(?:foo|bar|baz)(?:-(?:foo|bar))*",
        "[]a]+", "^a$",
        r"\S+(\s\S+)*", "a{0}", "(^)*", "[^\\W\\d_]+", "(?:a++)b", "(?>a*)b", r"\bfoo\b", "a{2,5}?",
        "(?:a(?=b)|c)+", r"(?x) a  # an a",
    ],
)  # fmt: skip
def test_a_pattern_without_a_choice_takes_long_texts(plain):
    """Where the next character always decides, no text is slow."""
    assert longest(plain) == LONGEST


@pytest.mark.parametrize(
    ("pattern", "at_least"),
    [
        (r"(\w+\.)*example\.com", 4000),
        (r"(\d{1,3}\.){3}\d{1,3}", 4000),
        (".*foo.*bar.*", 300),
        ("(?!.*--)[a-z-]+", 4000),
        (r"(?:-?){2}\d+\.?\d+", 1000),
    ],
)
def test_a_pattern_with_some_choices_takes_shorter_texts(pattern, at_least):
    """The more repeats can take the same characters, the shorter a text must be."""
    assert at_least <= longest(pattern) < LONGEST


@pytest.mark.parametrize(
    "hanging",
    [
        "(a+)+", "(a*)*", "(a|a)*", r"(\w+\s?)*", "(a|b|ab)*", "(x?y?z?)*", "(.*a){20}", "(a+){2,}",
        "(?i)([a-z]+K)*",
        "(?:[ab]|[ab])+", r"([\w.]+)+@", "(a{1,64}){1,64}", "a?" * 30 + "a" * 30, ".*" * 40, "(?=(a+)+b)a",
        "((a|aa)b?)+",
        "(?:(?:.|a){0,40})",
        "(?:(?=a){1,3}a)+", "((?=a){2,}.)+", "((a(?=a)+))+?", "(a?+(?=a){1,3}){0,40}", "((((?=a){1,3}){5}){5}){0,40}",
        "((a?)+b)+", "((?:b?){2}a)+", "(?:(?:b?){1,3}a)+", "(?:a?){40}b", "(?:|){25}a*", "(((a?){128}){128}){128}",
    ],
)  # fmt: skip
def test_a_pattern_that_can_hang_is_refused(hanging):
    """A loop that can match the same text in two ways would stop the gate, so the policy isn't loaded."""
    with pytest.raises(ValueError, match="would hang on some; make it plainer"):
        longest(hanging)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"(a)\1", "holds a groupref"),
        (r"(a)?(?(1)b|c)", "holds a groupref_exists"),
        (r"(?u:\d)", "switches to Unicode"),
        (r"(?u)\d", "is no regular expression"),
        ("(", "is no regular expression"),
        ("[z-a]", "is no regular expression"),
        ("a{99999999999}", "is no regular expression"),
        ("(" * 5000 + ")" * 5000, "is no regular expression"),
        ("abcdefghij" * 60, "too long to be judged"),
        ("(?:" + "|".join(map("".join, itertools.product("abcde", "fghij", "klmno"))) + ")*", "too large to be judged"),
    ],
)
def test_a_pattern_that_cannot_be_judged_is_refused(pattern, says):
    """Back-references, Unicode switches, mistakes and what is too large are refused with the reason."""
    with pytest.raises(ValueError, match=says):
        longest(pattern)


def test_the_refused_patterns_are_slow_indeed():
    """The steps of the classic example double with each character; the check is about something real."""
    slow = compiled("(?:a|a)*b")
    assert slow.fullmatch("a" * 12) is None
    with pytest.raises(ValueError, match="would hang"):
        longest("(?:a|a)*b")


def test_classes_mean_ascii():
    r"""`\d`, `\w` and letter case take no look-alikes from other scripts."""
    for pattern, odd in ((r"\d", "\N{ARABIC-INDIC DIGIT THREE}"), (r"\w", "é"), ("(?i)k", "\N{KELVIN SIGN}")):
        assert not compiled(pattern).fullmatch(odd)
    assert all(compiled(r"\w").fullmatch(char) for char in string.ascii_letters + string.digits + "_")
