"""What docs/postgres.md says of roles is true: its grants are enough to work with, and too little to change entries."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from ladder_graph.errors import LedgerError
from tests.postgres import server
from tests.unit.ledger.desk import CALL, at, call, charge

PAGE = (Path(__file__).parents[2] / "docs" / "postgres.md").read_text(encoding="utf-8")


def test_the_grants_are_enough_and_no_more(postgres):
    """Under them an agent claims and records; nobody changes or deletes an entry, or says another version."""
    schema = postgres.rpartition("=")[2]
    (grants,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    grants = re.sub(r"\bladder\b", schema, grants).replace("ladder_agent", f"{schema}_agent")
    with at(postgres) as owner, psycopg.connect(server().get_uri(), autocommit=True) as root:
        owner.claim(call(2))
        root.execute(f"CREATE ROLE {schema}_agent LOGIN")
        root.execute(grants)
        with at(postgres.replace("postgres:@", f"{schema}_agent@")) as agent:
            agent.claim(CALL, charge())
            assert agent.record("done")
            assert agent.verify() == ()
            for statement in (
                "DELETE FROM entry", "UPDATE entry SET n = 9", "UPDATE ladder_ledger SET version = 9",
                "DROP TRIGGER entry_refuse ON entry", "CREATE TABLE mine (a int)",
            ):  # fmt: skip
                with pytest.raises(LedgerError, match=r"permission denied|must be owner"):
                    agent.write(lambda _, cursor, said=statement: cursor.execute(said).rowcount)
        root.execute(f"DROP OWNED BY {schema}_agent")
        root.execute(f"DROP ROLE {schema}_agent")
