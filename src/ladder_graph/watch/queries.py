"""Health checks that ask a database or a Prometheus server for numbers."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ladder_graph.policy.checks import Prometheus, Sql
from ladder_graph.watch.verdicts import GOOD, Found, bad, compared, inconclusive, within

_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
"""How each database is told that nothing is to be written. Elsewhere the transaction is rolled back, and no more."""
_BINDABLE = str | bool | int | float | None


def selected(check: Sql, arguments: Mapping[str, Any]) -> Found:
    """Run the query in a transaction that is rolled back, read-only where the database can."""
    address = os.environ.get(check.env)
    if not address:
        return inconclusive(f"the health check {check.title} was not run: there is no such environment variable")
    try:
        return _weighed(check, within(check.timeout, lambda: _value(check, address, arguments)))
    except LookupError as wrong:
        return inconclusive(f"the health check {check.title} {wrong.args[0]}")
    except (SQLAlchemyError, ImportError, OSError, ValueError, TypeError, RuntimeError) as wrong:
        # Only the kind of error: its text may hold the database's URL.
        return inconclusive(f"the health check {check.title} could not be run ({type(wrong).__name__})")


def _value(check: Sql, address: str, arguments: Mapping[str, Any]) -> Any:
    url, query = _address(address), text(check.query)
    bound = _bound(query.compile().params, arguments)
    engine = create_engine(url, poolclass=NullPool, connect_args=_connecting(url, check.timeout))
    with engine.connect() as connection:
        _limit(connection, check.timeout)
        rows = connection.execute(query, bound).fetchmany(2)
        connection.rollback()
    if len(rows) != 1 or len(rows[0]) != 1:
        raise LookupError("answered no single value")
    return rows[0][0]


def _address(address: str) -> URL:
    url = make_url(address)
    # The driver that ladder-graph[postgres] brings, and not SQLAlchemy's own default.
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _bound(names: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the query names."""
    for name in names:
        if name not in arguments:
            raise LookupError(f"needs the argument {name}, which the call doesn't have")
        if not isinstance(arguments[name], _BINDABLE):
            raise LookupError(  # noqa: TRY004  # a query without a result, as above
                f"needs the argument {name} as text or a number"
            )
    return {name: arguments[name] for name in names}


def _connecting(url: URL, timeout: float) -> dict[str, Any]:
    match url.get_backend_name():
        case "sqlite":
            path = url.database
            if path and path != ":memory:" and not path.startswith("file:") and not Path(path).exists():
                # SQLite would make an empty one.
                raise LookupError("found no such file")
            return {"timeout": timeout}
        case "postgresql" | "mysql" | "mariadb":
            return {"connect_timeout": math.ceil(timeout)}
        case _:
            return {}


def _limit(connection: Connection, timeout: float) -> None:
    """Nothing is written, and the query ends by itself at the time at which nobody waits for it any more."""
    name = connection.dialect.name
    if name in _READ_ONLY:
        connection.exec_driver_sql(_READ_ONLY[name])
    if name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {math.ceil(timeout * 1000)}")
    elif name == "sqlite":
        ends = time.monotonic() + timeout
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    elif name in {"mysql", "mariadb"}:
        connection.rollback()  # its session's next transaction is the first that is read-only


def _weighed(check: Sql | Prometheus, value: Any) -> Found:
    match compared(value, check.equals, check.at_least, check.at_most):
        case True:
            return GOOD
        case False:
            return bad(f"the health check {check.title} answered {value!s:.60}")
        case None:
            return inconclusive(f"the health check {check.title} answered {value!s:.60}, which can't be compared")


def queried(check: Prometheus) -> Found:
    """Ask the server's instant query API; every series of the answer must be good."""
    try:
        # Imported here, so that ladders without such checks don't need the [watch] extra.
        from ladder_graph.watch.asking import NoAnswer, NotAsked, ask
    except ImportError:
        return inconclusive("httpx is missing, so health can't be measured; install ladder-graph[watch]")
    url = f"{check.url.rstrip('/')}/api/v1/query?{urlencode({'query': check.query})}"
    try:
        answer = ask(url, timeout=check.timeout, allow=check.allow, body=True)
    except (NotAsked, NoAnswer) as wrong:
        return inconclusive(f"the health check {check.title} was not answered: {wrong}")
    if answer.status != 200:  # noqa: PLR2004  # the only one with a result
        return inconclusive(f"the health check {check.title} was not answered: status {answer.status}")
    try:
        values = _values(json.loads(answer.body))
    except (ValueError, LookupError, TypeError, RecursionError):
        return inconclusive(f"the health check {check.title} was answered by no instant vector and no scalar")
    if not values:
        return inconclusive(f"the health check {check.title} has no data")
    found = [_weighed(check, value) for value in values]
    # One bad series is bad whatever the others are, and one without a value keeps the whole from being good.
    return max(found, key=lambda one: ("good", "inconclusive", "bad").index(one.verdict))


def _values(answer: Any) -> list[float]:
    """The numbers of an answer; `warnings` say that it is not whole."""
    if answer["status"] != "success" or answer.get("warnings"):
        raise ValueError(answer["status"])
    data = answer["data"]
    match data["resultType"]:
        case "scalar":
            return [float(data["result"][1])]
        case "vector":
            return [float(series["value"][1]) for series in data["result"]]
        case other:
            raise ValueError(other)
