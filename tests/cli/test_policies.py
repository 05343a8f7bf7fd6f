"""policy test and policy diff: a table of decisions, and what another policy decides otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from ladder_graph.cli import documents

CASES = """
[[cases]]
name = "a small price"
tool = "set_price"
arguments = { item = "tea", cents = 250 }
rung = "rollback"

[[cases]]
name = "a huge price"
tool = "set_price"
arguments = { item = "tea", cents = 25_000 }
rung = "confirm"
because = ["outside_range"]

[[cases]]
tool = "drop_table"
rung = 0
"""


def cases(text=CASES, name="cases.toml"):
    """A file of cases in this folder."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def other(*edit):
    """Another policy beside the shop's, with one edit."""
    text = Path("ladder.toml").read_text(encoding="utf-8")
    assert edit[0] in text
    Path("other.toml").write_text(text.replace(*edit), encoding="utf-8")
    return "other.toml"


def test_cases_that_hold_are_good(folder, ladder):
    """Exit code 0, and how many there were. The mail's quota is used up in the ledger, which is nothing to a case."""
    cases(CASES + '[[cases]]\ntool = "send_mail"\nrung = "bounded"\n')
    assert "all of 4 decided as they should be" in ladder("policy", "test", "cases.toml").stdout
    assert ladder("policy", "test", "cases.toml", "--json").document == []


@pytest.mark.parametrize(
    ("edit", "failed"),
    [
        (("cents = 250 }", "cents = 250_000 }"), ("rollback", "confirm", ["outside_range"], [])),
        (('"rollback"', '"report"'), ("report", "rollback", [], [])),
        (("outside_range", "outside_cost"), ("confirm", "confirm", ["outside_range"], ["outside_cost"])),
        (("rung = 0", "rung = 2"), ("confirm", "suggest", [], [])),
    ],
)
def test_a_case_that_fails_is_shown(folder, ladder, edit, failed):
    """Exit code 1, with what was wanted, what is, and why; also where only the reason is another."""
    file = cases(CASES.replace(*edit))
    (found,) = ladder("policy", "test", file, "--json", code=1).document
    assert list(found) == list(documents.DecisionDocument.__annotations__)
    codes = [reason["code"] for reason in found["reasons"]]
    assert (found["before"], found["after"], codes, found["missing"]) == failed
    text = ladder("policy", "test", file, code=1).stdout
    assert "1 of 3 failed" in text
    assert f"-  {failed[0]}" in text
    assert f"+  {failed[1]}" in text


def test_a_case_says_its_circumstances(folder, ladder):
    """When it is, whose run it is, and who said what before."""
    bounds = (
        'bounds = [{ kind = "origin", argument = "to", type = "email", tools = ["book"] }, '
        '{ kind = "time", days = ["mon"] }, { kind = "volume", limit = 1, by = "user" }]'
    )
    Path("mail.toml").write_text(f'[tools.mail]\nrung = "bounded"\n{bounds}\n', encoding="utf-8")
    case = '[[cases]]\ntool = "mail"\narguments = {{ to = "ana@shop.example" }}\nrung = "{}"\n{}\n'
    inside = 'at = 2026-11-23T09:00:00Z\nrequester = "bo"\n'
    cases(
        case.format("bounded", inside + 'said = ["write to ana@shop.example"]')
        + case.format("bounded", inside + 'outputs = { book = "ana@shop.example" }')
        + case.format("confirm", inside + 'outputs = { page = "ana@shop.example" }\nbecause = ["outside_origin"]')
        + case.format("confirm", 'said = ["ana@shop.example"]\nbecause = ["outside_volume"]')
        + case.format("confirm", inside.replace("23T", "24T") + 'because = ["outside_time"]')
    )
    assert "all of 5" in ladder("--policy", "mail.toml", "policy", "test", "cases.toml").stdout
    cases(case.format("bounded", "at = 2026-11-23T09:00:00"))
    assert "has no time zone" in ladder("--policy", "mail.toml", "policy", "test", "cases.toml", code=2).stderr


def test_without_any_call_nothing_is_compared(tmp_path, monkeypatch, ladder):
    """A policy that nothing ran under yet has no calls, and that is no agreement."""
    monkeypatch.chdir(tmp_path)
    for name in ("one.toml", "other.toml"):
        (tmp_path / name).write_text('[tools.send]\nrung = "confirm"\n', encoding="utf-8")
    assert "no call was ever recorded under it" in ladder("policy", "diff", "one.toml", "other.toml", code=2).stderr


def test_mistakes_in_cases_have_their_line(folder, ladder):
    """All of them at once, with the nearest known name, as in a policy."""
    file = cases('[[cases]]\ntol = "a"\nrung = "confrim"\n[[cases]]\ntool = "a"\nrung = 1\nbecause = "x"\n')
    said = ladder("policy", "test", file, code=2).stderr
    assert "cases.toml:2: cases[0].tol: unknown key; did you mean 'tool'?" in said
    assert "cases.toml:3: cases[0].rung:" in said
    assert "did you mean 'confirm'?" in said
    assert "cases.toml:7: cases[1].because: expected a list" in said
    assert "there is no such file" in ladder("policy", "test", "nowhere.toml", code=2).stderr


def test_a_diff_is_over_the_calls_of_the_ledger(folder, ladder):
    """Each recorded call that the other policy decides otherwise is shown once; the rest isn't."""
    assert "none of 7 decided otherwise" in ladder("policy", "diff", "ladder.toml", "ladder.toml").stdout
    second = other("most = 10_000", "most = 100")
    (found,) = ladder("policy", "diff", "ladder.toml", second, "--json", code=1).document
    assert (found["tool"], found["before"], found["after"]) == ("set_price", "rollback", "confirm")
    assert found["arguments"] == {"item": "tea", "cents": 250}
    text = ladder("policy", "diff", "ladder.toml", second, code=1).stdout
    assert "1 of 7 changed" in text
    assert 'set_price(cents=250, item="tea")' in text


def test_a_diff_can_be_over_cases(folder, ladder):
    """With `--cases` the ledger isn't asked, and what the cases expect doesn't matter."""
    second = other('[tools.restart]\nrung = "suggest"', '[tools."*"]\nrung = "draft"')
    (found,) = ladder("policy", "diff", "ladder.toml", second, "--cases", cases(), "--json", code=1).document
    assert (found["tool"], found["before"], found["after"]) == ("drop_table", "suggest", "draft")


def test_nothing_is_written(folder, ladder):
    """Neither test nor diff leaves a trace in the ledger."""
    before = ladder("verify", "--export-heads").stdout
    ladder("policy", "test", cases())
    ladder("policy", "diff", "ladder.toml", "ladder.toml")
    assert ladder("verify", "--export-heads").stdout == before
