"""The agent's hands: plain LangChain tools that act on a world.

They know nothing of rungs. What they declare (an undo, a drafter) says what is possible; `ladder.toml` says what is
allowed. Where a tool can tell that nothing happened it raises `DefiniteFailure`; after any other exception the ladder
holds the outcome to be unknown.
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
import urllib.request
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool, tool

from examples.ops_agent.world import World
from ladder_graph.errors import DefiniteFailure
from ladder_graph.references import registered
from ladder_graph.tools import Arguments, drafted_by, reversible


def toolset(world: World) -> list[BaseTool]:
    """The six tools, bound to one world."""

    @tool
    def read_status() -> str:
        """Read what the service runs with: its health, its process and the text of its config file."""
        try:
            with urllib.request.urlopen(f"{world.url}/status", timeout=2) as answer:  # noqa: S310  # our own address
                return str(answer.read().decode())
        except OSError as wrong:
            raise DefiniteFailure(f"the service does not answer: {wrong}") from wrong

    def config_before(arguments: Arguments) -> dict[str, str]:
        path = config_file(world, arguments["name"])
        return {"path": str(path), "text": path.read_text()}

    @tool(parse_docstring=True)
    @reversible(prepare=config_before, undo=restore, fingerprint=content)
    def apply_config(name: str, text: str) -> str:
        """Replace a config file as a whole. The service reads its file again for each request.

        Args:
            name: The file's name, such as service.toml.
            text: The whole new text of the file, as TOML.
        """
        put(config_file(world, name), text)
        return f"{name} is in place, {len(text.encode())} bytes"

    @tool(parse_docstring=True)
    def send_email(to: str, subject: str, body: str) -> str:
        """Send one e-mail to one person.

        Args:
            to: The e-mail address.
            subject: The subject line.
            body: The text.
        """
        with closing(sqlite3.connect(world.database)) as database, database:
            row = database.execute(
                "INSERT INTO outbox (recipient, subject, body) VALUES (?, ?, ?)", (to, subject, body)
            )
            return f"e-mail {row.lastrowid} to {to} is in the outbox"

    @tool(parse_docstring=True)
    def drop_table(table: str) -> str:
        """Drop a table of the shop's database, with all its rows. This can't be undone.

        Args:
            table: The table's exact name.
        """
        with closing(sqlite3.connect(world.database)) as database, database:
            known = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
            if known.fetchone() is None:
                raise DefiniteFailure(f"there is no table {table!r}; nothing was dropped")
            name = table.replace('"', '""')
            database.execute(f'DROP TABLE "{name}"')
        return f"table {table} is dropped"

    @tool(parse_docstring=True)
    @drafted_by(postmortem)
    def write_postmortem(title: str, summary: str) -> str:
        """Publish a postmortem for everybody in the company to read.

        Args:
            title: What happened, in a few words.
            summary: What happened, why, and what changes now.
        """
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "untitled"
        put(world.postmortems / f"{name}.md", postmortem({"title": title, "summary": summary}))
        return f"published as postmortems/{name}.md"

    @tool(parse_docstring=True)
    def restart_service(reason: str) -> str:
        """Restart the service. Requests that are under way are lost.

        Args:
            reason: Why it has to be.
        """
        world.restart()
        return f"restarted: {reason}"

    return [read_status, apply_config, send_email, drop_table, write_postmortem, restart_service]


def config_file(world: World, name: str) -> Path:
    """The config file of this name.

    Raises:
        DefiniteFailure: There is none; a path that leads elsewhere is no name.
    """
    if name not in {path.name for path in world.conf.iterdir()}:
        raise DefiniteFailure(f"there is no config file {name!r}; nothing was written")
    return world.conf / name


def put(path: Path, text: str) -> None:
    """Replace a file's content at once: a reader sees the old bytes or the new ones, never a part."""
    # The half-written file lies one directory up, on the same disk, where nobody takes it for a config.
    handle, name = tempfile.mkstemp(dir=path.parent.parent, prefix=".half-")
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(handle)
    Path(name).replace(path)


# Another process knows them by these marks, since the tools are made in a function.
@registered("undo")
def restore(artifact: Any) -> None:
    """The undo of `apply_config`, from what was kept before it ran."""
    put(Path(artifact["path"]), artifact["text"])


@registered("fingerprint")
def content(artifact: Any) -> str:
    """Names the file's present content, so that an undo keeps its hands off somebody else's edit."""
    return sha256(Path(artifact["path"]).read_bytes()).hexdigest()


def postmortem(arguments: Arguments) -> str:
    """A postmortem as Markdown, which is the draft as well as what gets published."""
    return f"# {arguments['title']}\n\n{arguments['summary']}\n"
