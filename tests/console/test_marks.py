"""The marks of pages in addresses: whoever makes one up, or cuts one off, is told where to begin."""

from __future__ import annotations

import base64

import pytest

from ladder_graph.ledger.lists.pages import Key, write_mark

LISTS = ("/confirm?page=", "/confirm?mine=1&page=", "/history?page=", "/history/export?page=", "/drafts?after=",
         "/drafts?show=decided&after=", "/reports?before=")  # fmt: skip
MARKS = ("x", "~00", "%ED%A0%80", "..", "0", "%0A", "%F0%9F%98%80", "a" * 5000,
         write_mark("another", Key(1, "ops", "a")), base64.urlsafe_b64encode(b'["questions",[],1,"ops","a"]').decode(),
         base64.urlsafe_b64encode(b'["entries",{},1,"ops",1]').decode())  # fmt: skip


@pytest.mark.parametrize("source", ["memory", "postgres"])
def test_a_mark_that_is_none_leads_to_the_first_page(console, request, source, monkeypatch, caplog, still):
    """In every list, and nothing of it is an error of the ledger's."""
    monkeypatch.setenv("SEAL", "k" * 40)
    ledger = ":memory:" if source == "memory" else request.getfixturevalue("postgres")
    made = console(policy={"console": {"key_env": "SEAL"}}, ledger=ledger)
    ana = made.visitor()
    for path in LISTS:
        assert ana.get(path).status_code == 200, "no mark is the first page"
        for mark in MARKS:
            answer = ana.get(f"{path}{mark}")
            assert (answer.status_code, "Begin at the first page." in answer.text) == (404, True), (path, mark)
    assert not caplog.records
