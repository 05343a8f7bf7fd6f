"""The small world of `ladder demo`: six tools over three files, and the policy that puts each on another rung."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RULES: dict[str, Any] = {
    "restart": {"rung": "suggest"},
    "write_letter": {"rung": "draft"},
    "drop_table": {"rung": "confirm", "impact": "high", "confirm": {"type": "table"}},
    "send_mail": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 1, "per": "ever"}]},
    "write_page": {
        "rung": "rollback",
        "bounds": [{"kind": "length", "argument": "text", "most": 100}],
        "checks": [{"kind": "python", "function": "ladder_graph.cli.stage:whole"}],
    },
    "read_page": {"rung": "report", "read_only": True},
}
"""One rule for each rung."""

FILES = {"page": "We are open.", "orders": "42 rows", "mails": ""}
"""What is there at first."""


def tools(here: Path) -> list[Any]:
    """Six ordinary tools, one of which declares its undo."""
    from langchain_core.tools import StructuredTool

    from ladder_graph.tools import reversible

    def restart() -> str:
        return "restarted"

    def write_letter(to: str) -> str:
        return f"sent to {to}"

    def drop_table(table: str) -> str:
        (here / table).unlink()
        return "dropped"

    def send_mail(to: str) -> str:
        with (here / "mails").open("a") as mails:
            mails.write("1")
        return f"sent to {to}"

    def put_back(old: str) -> None:
        (here / "page").write_text(old)

    def present(_: str) -> str:
        return (here / "page").read_text()

    @reversible(prepare=lambda _: (here / "page").read_text(), undo=put_back, fingerprint=present)
    def write_page(file: str, text: str) -> str:
        Path(file).write_text(text)
        return "written"

    def read_page() -> str:
        return (here / "page").read_text()

    functions = (restart, write_letter, drop_table, send_mail, write_page, read_page)
    return [StructuredTool.from_function(one, description=one.__name__) for one in functions]


def whole(arguments: dict[str, Any]) -> bool:
    """The health check of the demo's page: it says something."""
    return bool(Path(arguments["file"]).read_text(encoding="utf-8").strip())
