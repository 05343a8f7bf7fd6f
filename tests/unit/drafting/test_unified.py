"""Unified diffs: read as they were written, fitted exactly or refused, and written so that others can apply them."""

from __future__ import annotations

import subprocess

import pytest

from ladder_graph.drafting import Piece, unified
from ladder_graph.errors import DraftRefused

OLD = "one\ntwo\nthree\nfour\n"
DIFF = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"


def patched(text, base):
    """What the only file of a diff becomes."""
    (one,) = unified.parsed(text)
    return one.name, unified.patched(one, base)


@pytest.mark.parametrize(
    ("text", "base", "after"),
    [
        (DIFF, OLD, "one\nTWO\nthree\nfour\n"),
        ("--- f\n+++ f\n@@ -2 +2 @@\n-two\n+2\n", OLD, "one\n2\nthree\nfour\n"),
        ("--- f\t2026-01-01\n+++ f\t2026-01-02\n@@ -1,0 +2,1 @@\n+x\n", OLD, "one\nx\ntwo\nthree\nfour\n"),
        ("--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n", None, "a\nb"),
        ("--- a/f\n+++ /dev/null\n@@ -1,4 +0,0 @@\n-one\n-two\n-three\n-four\n", OLD, None),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n", "x", "x\n"),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-- a\n+-- b\n x\n", "- a\nx\n", "-- b\nx\n"),
    ],
)
def test_a_diff_is_applied_where_it_fits(text, base, after):
    """New files, removed ones, ends of lines, and lines that look like heads."""
    assert patched(text, base) == ("f", after)


@pytest.mark.parametrize(
    ("text", "base", "why"),
    [
        (DIFF, "one\n2\nthree\n", "doesn't fit 'f' at line 1"),
        (DIFF, None, "is not there"),
        ("--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n", OLD, "is there already"),
        ("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", OLD, "not all of its lines"),
        ("--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n-x\n+y\n\\ No newline at end of file\n+z\n", "x\n", "in its midst"),
        ("hello", OLD, "no unified diff"), ("", OLD, "no unified diff"), ("@@ -1 +1 @@\n-a\n+b\n", OLD, "no file"),
        ("--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n one\n", OLD, "other lines than its head"),
        ("--- a/f\n+++ b/g\n@@ -1 +1 @@\n-one\n+1\n", OLD, "renames"),
        ("--- a/f\n+++ b/f\n", OLD, "changes nothing"),
        (f"rename from a\nrename to b\n{DIFF}", OLD, "can't show"), (f"GIT binary patch\n{DIFF}", OLD, "can't show"),
        (f"old mode 100644\nnew mode 100755\n{DIFF}", OLD, "can't show"),
        (f"new file mode 120000\n{DIFF}", OLD, "can't show"), ('--- "a/f"\n+++ "b/f"\n', OLD, "quotes"),
        ("--- a/f\n+++ b/f\n@@ -99999999999999999 +1 @@\n-x\n+y\n", OLD, "no file|changes nothing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(text, base, why):
    """No place is guessed, and nothing is done that a person wasn't shown."""
    with pytest.raises(DraftRefused, match=why):
        patched(text, base)


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece("a/f", OLD, "zero\none\nTWO\nthree\nfour", "code")],
        [Piece("new", None, "x\ny\n"), Piece("gone", OLD, None), Piece("same", "x", "x")],
        [Piece("f", "".join(f"{n}\n" for n in range(50)), "".join(f"{n}\n" for n in range(50) if n not in {3, 30}))],
        [Piece("f", "a", "b\n")],
    ],
)
def test_git_applies_what_is_written(pieces, tmp_path):
    """And it reads back as what it was made from."""
    text = unified.diff(pieces)
    read = {one.name: one for one in unified.parsed(text)}
    for one in pieces:
        if one.base != one.text:
            assert unified.patched(read[one.name], one.base) == one.text
        if one.base is not None:
            (tmp_path / one.name).parent.mkdir(exist_ok=True)
            (tmp_path / one.name).write_text(one.base)
    subprocess.run(["git", "apply", "-p1", "-"], input=text, text=True, cwd=tmp_path, check=True)
    for one in pieces:
        file = tmp_path / one.name
        assert (file.read_text() if file.exists() else None) == one.text
