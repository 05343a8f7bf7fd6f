"""The locator: the line of everything in a TOML text."""

from __future__ import annotations

import tomllib

import pytest

from ladder_graph.policy.lines import lines_of, nearest_line

TEXT = '''\
# A comment with = and [brackets]
agent = "ops"  # another

title = """
[not.a.table]
key = "no" \\""" ""\\"""""
'single' = \'\'\'
[neither]\'\'\'
a . "b.c" . d = 1

[tools]
[tools.send]
rung = "confirm"
bounds = [
  { kind = "volume", limit = 3 },  # a { comment ]
  { kind = "range",
    # TOML 1.0 ends inline tables on their line; a later one may not
    argument = "x" },
  [1, [2,
       3]],
]

[tools."drop table"]
confirm = { by = ["ana",
  "bob"], type = "table" }

[[tools."drop table".checks]]
kind = "http"

[[tools."drop table".checks]]
kind = "python"
[tools."drop table".checks.nested]
here = 1

[ far . away ]
when = 2026-11-22 10:00:00Z
"quo\\u0074ed" = 'a # b'
'''

EXPECTED = {
    ("agent",): 2, ("title",): 4, ("single",): 7, ("a",): 9, ("a", "b.c", "d"): 9, ("tools",): 11,
    ("tools", "send"): 12,
    ("tools", "send", "rung"): 13, ("tools", "send", "bounds"): 14, ("tools", "send", "bounds", 0): 15,
    ("tools", "send", "bounds", 0, "limit"): 15, ("tools", "send", "bounds", 1): 16,
    ("tools", "send", "bounds", 1, "argument"): 18, ("tools", "send", "bounds", 2, 1, 1): 20,
    ("tools", "drop table"): 23,
    ("tools", "drop table", "confirm", "by", 0): 24, ("tools", "drop table", "confirm", "by", 1): 25,
    ("tools", "drop table", "confirm", "type"): 25, ("tools", "drop table", "checks"): 27,
    ("tools", "drop table", "checks", 0): 27, ("tools", "drop table", "checks", 0, "kind"): 28,
    ("tools", "drop table", "checks", 1): 30, ("tools", "drop table", "checks", 1, "kind"): 31,
    ("tools", "drop table", "checks", 1, "nested"): 32, ("tools", "drop table", "checks", 1, "nested", "here"): 33,
    ("far",): 35, ("far", "away"): 35, ("far", "away", "when"): 36, ("far", "away", "quoted"): 37,
}  # fmt: skip


@pytest.mark.parametrize("path", EXPECTED)
def test_everything_is_found_on_its_line(path):
    """Tables, lists of tables, inline tables, lists over several lines, dotted and quoted keys, long texts."""
    assert lines_of(TEXT)[path] == EXPECTED[path]


def test_the_places_are_the_places_of_the_values():
    """Each key and list entry that `tomllib` reads has a line, and no other has."""
    text = TEXT.replace(
        '"range",\n    # TOML 1.0 ends inline tables on their line; a later one may not\n   ', '"range",'
    )
    assert set(lines_of(text)) == set(paths_of(tomllib.loads(text)))


def paths_of(value, path=()):
    """The path of every key and every list entry."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths_of(inner, (*path, key))


def test_what_has_no_line_takes_the_line_around_it():
    """A key that is missing is reported where its table begins; the top is line 1."""
    lines = lines_of("\n[tools.send]\nrung = 1\n")
    assert nearest_line(lines, ("tools", "send", "confirm", "by", 0)) == 2
    assert nearest_line(lines, ("tools", "send", "rung")) == 3
    assert nearest_line(lines, ("agent",)) == nearest_line(lines, ()) == 1


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only this", "a = 1", "a = 1 # x", "[a]", "a = []", "a = {}", "a = ''", 'a = ""']
)
def test_small_texts_are_walked_to_their_end(text):
    """Nothing, comments and texts without a last line break are no trouble."""
    assert set(lines_of(text)) == set(paths_of(tomllib.loads(text)))


@pytest.mark.parametrize("text", ["a", "= 1", "[", "[[a]", "a = [1", "a = {b = 1", '"', "]", "a = [1 2]", "\0"])
def test_a_text_that_is_no_toml_ends_too(text):
    """`tomllib` refuses these before; the walk over them still comes to an end."""
    assert isinstance(lines_of(text), dict)
