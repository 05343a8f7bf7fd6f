"""What others wrote, on a terminal: shown whole where it can be, never acting, and no longer than anybody can read."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from ladder_graph.briefing import Passing, Past, Surroundings
from ladder_graph.calls import Call
from ladder_graph.cli.briefs import brief
from ladder_graph.cli.screen import Screen
from ladder_graph.cli.vigil import line
from ladder_graph.composing import composed
from ladder_graph.facts import Person, Question, Reason
from ladder_graph.policy.sources import Source
from ladder_graph.scale import Rung
from ladder_graph.telling import Change, Check, Reach, Telling, Undoing

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
NOW = dt.datetime(2026, 11, 22, 16, 28, tzinfo=dt.UTC)
HTML = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;'
MARKDOWN = "[click](javascript:alert(1)) **bold** `code` [bold red]rich[/bold red] :smile:"
ESCAPES = "\x1b[2J\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\x9b1mC1\x07\b\r\x00"
BIDI = "pay \u202e0001\u202c or \u2066left\u2069 \u061c"
INVISIBLE = "ana\u200b@shop\u00ad.example\ufeff\u2062\U000e0041\u3164\ufe0f"

CASES = {
    "html": HTML, "markdown": MARKDOWN, "escapes": ESCAPES, "bidi": BIDI, "invisible": INVISIBLE,
    "megabyte": "A" * 1_000_000, "lines": "one\ntwo\n\n\nYour decision\n\n  time  all of it",
}  # fmt: skip


def told_of(nasty, arguments=None):
    """A briefing in which everything that others wrote is this."""
    call = Call(f"ops{nasty[:40]}", f"t{nasty[:40]}", "c1", f"send{nasty[:40]}", arguments or {nasty[:60]: nasty})
    question = Question(
        id="7f3a0c11d2e4b5a6", digest="ab" * 32, call=call, asked_at=NOW - dt.timedelta(minutes=3),
        expires_at=NOW + dt.timedelta(minutes=12), reasons=f"the amount is {nasty[:200]}", impact="medium",
        requester=Person(nasty[:40], "server"), mistake=200_000_000, quorum=2, may_answer=("role:finance",),
    )  # fmt: skip
    telling = Telling(
        title=f"Send {nasty[:100]}?", words=nasty[:4000], length=len(nasty),
        sources=dict.fromkeys(call.arguments, Source("tool", f"read{nasty[:20]}", 2)), defaults={"notify": True},
        checks=(Check("warn", f"outside its bound: it is {nasty[:80]}", next(iter(call.arguments))),),
        changes=(Change(nasty[:100], nasty[:1000], None),), changes_by="tool", trouble=(f"it broke: {nasty[:80]}",),
        reach=Reach(people=f"1 customer: {nasty[:60]}"), remedy=f"ask {nasty[:60]}",
        undoing=Undoing("reversible", "shop:undo", 1800.0),
    )  # fmt: skip
    around = Surroundings(
        rung=Rung.CONFIRM, reasons=(Reason("ceiling", nasty[:80]),), past=Past(24, 22, 1, 1),
        money=("takes $240.00; $690.00 of $1000.00 is left in 2026-11-22",), egress="yes", rehearsed_at=NOW,
        rehearsed_well=True, passed=(Passing("bo", nasty[:20], NOW, nasty[:60]),),
    )  # fmt: skip
    return composed(question, telling, around)


def shown(monkeypatch, capsys, told, *, whole=False):
    """What stands on a terminal of eighty columns without colour."""
    monkeypatch.setenv("COLUMNS", "80")
    brief(Screen(), told, NOW, whole=whole)
    return capsys.readouterr().out


def golden(name, text):
    """Hold a text against the one that a person has looked at. WRITE_GOLDEN=1 writes it anew."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_nothing_acts_and_all_is_there(name, monkeypatch, capsys):
    """No control character, nothing invisible, nothing that turns the line; each is there to be read."""
    text = shown(monkeypatch, capsys, told_of(CASES[name]))
    assert all(char == "\n" or char.isprintable() for char in text)
    assert not {char for char in text if char in BIDI + INVISIBLE} - {*"ana@shop.example pay 0001 or left"}
    assert max(map(len, text.splitlines())) <= 80
    assert len(text) < 20_000
    golden(name, text)


def test_a_line_of_ours_cannot_be_forged(monkeypatch, capsys):
    """What others wrote with line breaks stands inside its own field, and never at the margin of a heading."""
    text = shown(monkeypatch, capsys, told_of(CASES["lines"]))
    assert [line for line in text.splitlines() if line.startswith("  Your decision")] == ["  Your decision"]


def test_ten_thousand_keys(monkeypatch, capsys):
    """A few are shown, with how many there are; all of them where somebody asks for all."""
    many = {f"key_{at:05}": at for at in range(10_000)}
    told = told_of("x", many)
    text = shown(monkeypatch, capsys, told)
    assert "9941 more arguments are not shown here." in text  # with the tool's default
    assert len(text) < 10_000
    whole = shown(monkeypatch, capsys, told, whole=True)
    assert "key_09999" in whole
    nested = shown(monkeypatch, capsys, told_of("x", {"all": many}))
    assert "characters)" in nested
    assert len(nested) < 10_000


def test_a_megabyte_is_cut_and_said(monkeypatch, capsys):
    """The beginning, and how long it is; all of it where somebody asks for all."""
    told = told_of(CASES["megabyte"])
    assert "… (1000002 characters)" in shown(monkeypatch, capsys, told).replace("\n", "").replace("  ", "")
    whole = shown(monkeypatch, capsys, told, whole=True)
    assert whole.count("A") > 1_000_000


@pytest.mark.parametrize("name", CASES)
def test_one_line_stays_one(name):
    """A question in one line is one inert line of bearable length."""
    text = line(told_of(CASES[name]).question, NOW)
    assert text.isprintable()
    assert len(text) < 2_000


def test_what_cannot_be_seen_is_counted(monkeypatch, capsys):
    """A value with hidden characters is flagged in words, with how many there are."""
    told = told_of("x", {"to": INVISIBLE})
    (given, *_) = told.arguments
    assert ("stop", "7 characters that can't be seen, or turn the reading direction") in [
        (one.level, one.text) for one in given.checks
    ]
    assert "danger: 7 characters that can't be seen" in " ".join(shown(monkeypatch, capsys, told).split())
