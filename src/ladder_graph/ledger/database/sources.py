"""What a ledger is named by: a file, `:memory:`, or the URL of a PostgreSQL database."""

from __future__ import annotations

from importlib import import_module

from ladder_graph.errors import LedgerError


def on_server(source: str) -> bool:
    """Whether a ledger is on a server, whose driver is only loaded then.

    Raises:
        LedgerError: It is on one of another kind, or the driver isn't installed.
    """
    scheme, apart, _ = source.partition("://")
    if not apart:
        return False
    if scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise LedgerError(f"a ledger is a file, :memory:, or at postgresql://…; {scheme}:// isn't known")
    try:
        import_module("psycopg")
    except ImportError as missing:
        raise LedgerError(
            f"a ledger in PostgreSQL needs its driver ({missing}): pip install 'ladder-graph[postgres]'"
        ) from missing
    return True
