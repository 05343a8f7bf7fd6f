"""The command line on a ledger in PostgreSQL: the same words for the same things."""

from __future__ import annotations

import contextlib

import psycopg
import pytest

from ladder_graph import Ladder
from ladder_graph.tools import Declaration
from tests.cli.shop import DAY, Shop
from tests.postgres import server


@pytest.fixture
def shop(postgres, tmp_path, monkeypatch):
    """A shop whose day is on record on a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = Shop(tmp_path, ledger=postgres)
    shop.run(*DAY)
    return shop


def test_a_day_on_a_server(shop, ladder):
    """Looking, answering, judging, resolving: everything that a ledger in a file can do."""
    assert {cell["tool"] for cell in ladder("status", "--json").document} >= {"refund", "close_ticket"}
    refund, ticket = ladder("pending", "--json").document
    ladder("approve", ticket["question"], "--yes")
    ladder("decline", refund["question"], "--reason", "not ours")
    assert shop.resume("close_ticket") == "closed"
    assert "DECLINED" in shop.resume("refund")
    assert ladder("log", "--tool", "refund", "--json").document[-1]["kind"] == "declined"
    assert "it can be written, and the chains end" in " ".join(ladder("doctor").output.split())
    (suggestion,) = ladder("suggestions", "--json").document
    ladder("suggestions", "adopt", suggestion["action"])
    (draft,) = ladder("drafts", "--json").document
    ladder("drafts", "accept", draft["action"], "--yes")
    assert len(shop.run_accepted()) == 1
    (report,) = ladder("reports", "--json").document
    assert "open until" in ladder("report", report["report"]).stdout
    assert ladder("report", "--json").document[0]["calls"] == 1
    ladder("demote", "refund", "suggest", "--reason", "too keen")
    assert ladder("verify", "--json").document["ok"]
    assert ladder("verify", "--export-heads").stdout.startswith('{"stream": "shop"')
    assert not (shop.folder / "ladder.db").exists()


def test_a_ledger_can_be_named_by_its_url(shop, postgres, ladder):
    """`--ledger` takes what the policy takes, and no message holds the password."""
    shop.policy.write_text(shop.policy.read_text(encoding="utf-8").replace(postgres, "ladder.db"), encoding="utf-8")
    named = postgres.replace("postgres:@", "postgres:s3cret@")
    assert len(ladder("--ledger", named, "pending", "--json").document) == 2
    doctor = ladder("--ledger", named, "doctor").output
    assert "s3cret" not in doctor


def test_a_ledger_that_is_not_there_yet_is_no_path(shop, postgres, ladder):
    """Before the first run the doctor notes that there is none, and shows no password."""
    named = f"{postgres.replace('postgres:@', 'postgres:s3cret@')}_new"
    found = {one["about"]: one for one in ladder("--ledger", named, "doctor", "--json").document}
    assert (found["ledger"]["verdict"], found["ledger"]["points"]) == ("note", [])
    assert "the first run makes it" in found["ledger"]["text"]
    assert "s3cret" not in str(found)


def test_trust_on_a_server(shop, ladder):
    """What was earned is seen, a mistake puts a tool down, and all of it is worked out anew."""
    cells = {cell["tool"]: cell for cell in ladder("trust", "--json").document}
    assert (cells["send_mail"]["stands"], cells["send_mail"]["certificate"]["runs"]) == ("bounded", 1)
    mail = next(one["action"] for one in ladder("log", "--json").document if one["tool"] == "send_mail")
    assert ladder("incident", mail, "--severity", "S2", "--json").document["demoted_to"] == "draft"
    assert "waits 28 days" in " ".join(ladder("why", "send_mail").stdout.split())
    assert ladder("sweep", "--json").document == []
    assert "the ledger is whole" in ladder("attest").stdout
    assert "can't go up" in ladder("promote", "send_mail", code=2).stderr
    assert ladder("trust", "--recompute", "--json").document == {"ok": True, "problems": []}


@pytest.mark.parametrize(
    "command", [["status"], ["doctor"], ["verify"], ["demote", "refund", "draft", "--reason", "no"]], ids=" ".join
)
def test_a_mistyped_schema_makes_no_ledger(shop, postgres, ladder, command):
    """A command that looks or acts where no ledger is says so, and leaves the database as it is."""
    result = ladder("--ledger", f"{postgres}_typo", *command, code=None)
    schema = postgres.rpartition("=")[2]
    assert "there is no ledger at" in " ".join(result.output.split())
    with psycopg.connect(server().get_uri()) as connection:
        made = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", [f"{schema}%"]).fetchall()
    assert made == [(schema,)]


def test_a_role_without_rights_is_told_which(shop, postgres, ladder):
    """Who may not use the schema reads that, and where the grants are listed; and not that the ledger isn't there."""
    stranger = f"stranger_{postgres.rpartition('=')[2]}"
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {stranger} LOGIN")
        said = ladder("--ledger", postgres.replace("postgres:@", f"{stranger}@"), "status", code=2).stderr
        connection.execute(f"DROP ROLE {stranger}")
    assert "this role may not use the schema" in said
    assert "docs/postgres.md" in said


@pytest.mark.parametrize("command", ["log", "pending", "drafts", "suggestions", "reports", "status"])
def test_a_role_that_may_not_read_a_table_is_told_which(shop, postgres, ladder, command):
    """In a sentence, whatever way the command reads by."""
    stranger, schema = f"stranger_{postgres.rpartition('=')[2]}", postgres.rpartition("=")[2]
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {stranger} LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {stranger}")
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {stranger}")
        for table in ("action", "draft", "report"):
            connection.execute(f"REVOKE ALL ON {schema}.{table} FROM {stranger}")
        said = ladder("--ledger", postgres.replace("postgres:@", f"{stranger}@"), command, code=2).stderr
        connection.execute(f"DROP OWNED BY {stranger}")
        connection.execute(f"DROP ROLE {stranger}")
    assert "can't be used: permission denied for table" in " ".join(said.split())


GRANTED = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "REVOKE UPDATE, DELETE ON {schema}.entry FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON {schema}.ladder_ledger FROM {role}",
)
"""What docs/postgres.md gives to the role of the agents."""


@pytest.mark.parametrize(
    ("more", "verdict", "said"),
    [
        ((), "good", "it can be written, and the chains end where they should"),
        (("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} FROM {role}",), "note", "may only read it"),
        (("REVOKE INSERT ON {schema}.resumer FROM {role}",), "wrong", "can't be used: permission denied for table"),
        (("ALTER ROLE {role} SET default_transaction_read_only = on",), "wrong", "in a read-only transaction"),
    ],
    ids=["agent", "reader", "a grant is missing", "read-only server"],
)
def test_the_doctor_says_whether_a_role_can_write(shop, postgres, ladder, more, verdict, said):
    """By writing, if the role has the right to; whatever comes of it, nothing stays, and the rest is examined."""
    schema = postgres.rpartition("=")[2]
    names = {"schema": schema, "role": f"stranger_{schema}"}
    before = ladder("log", "--json").document
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        for statement in ("CREATE ROLE {role} LOGIN", *GRANTED, *more):
            connection.execute(statement.format(**names))
        url = postgres.replace("postgres:@", f"{names['role']}@")
        result = ladder("--ledger", url, "doctor", "--json", code=1 if verdict == "wrong" else 0)
        left = connection.execute(f"TABLE {schema}.resumer").fetchone()
        connection.execute("DROP OWNED BY {role}".format(**names))
        connection.execute("DROP ROLE {role}".format(**names))
    found = {one["about"]: one for one in result.document}
    assert found["ledger"]["verdict"] == verdict
    assert said in found["ledger"]["text"]
    assert found["questions"]["text"] == "2 waiting"
    assert left is None
    assert ladder("log", "--json").document == before


def test_an_undo_that_holds_for_a_time_on_a_server(postgres, tmp_path, monkeypatch, ladder):
    """Another process than the agent's reads for how long it can be undone, and says what stands in the way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shop = Shop(tmp_path, ledger=postgres)
    said = shop.policy.read_text(encoding="utf-8")
    watched = said.replace('checks = [{ kind = "python"', 'watch = { window = "10m" }\nchecks = [{ kind = "python"')
    shop.policy.write_text(watched, encoding="utf-8")
    with contextlib.closing(Ladder(policy=shop.policy)) as agent:
        agent.seat(
            "set_price",
            Declaration(prepare=lambda arguments: 1, undo=lambda kept: None, ttl=90.5),
            agent="shop",
            can_ask=True,
        )
    assert "it can be undone for" in ladder("status").stdout
    (found,) = [one for one in ladder("status", "--json").document if one["tool"] == "set_price"]
    assert "undo_too_short" in {reason["code"] for reason in found["reasons"]}
    assert "it can be undone for" in " ".join(ladder("doctor", code=None).stdout.split())
