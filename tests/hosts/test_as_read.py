"""An undo and a draft are made for what the tool's own code will read, whatever its schema makes of the arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel, ConfigDict, field_validator

from ladder_graph import undo
from ladder_graph.testing import calls
from ladder_graph.tools import reversible
from tests.hosts.graphs import GO, ladder_of, on, told
from tests.hosts.mounts import MOUNTS

SICK = {"kind": "python", "function": "tests.hosts.test_as_read:sick"}
RULE = {"rung": "rollback", "bounds": [{"kind": "volume", "limit": 9}], "checks": [SICK]}


class Suffixed(BaseModel):
    """Completes a name."""

    name: str
    text: str

    @field_validator("name")
    @classmethod
    def whole(cls, name):
        """With its suffix."""
        return name if name.endswith(".toml") else f"{name}.toml"


class Stripped(BaseModel):
    """Strips whatever it is given."""

    model_config = ConfigDict(str_strip_whitespace=True)
    name: str
    text: str


class Pathlike(BaseModel):
    """Makes a path of a name."""

    name: Path
    text: str

    @field_validator("name")
    @classmethod
    def whole(cls, name):
        """With its suffix."""
        return name.with_suffix(".toml")


class Loose(Stripped):
    """As above, whatever else comes."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")


def sick(arguments):
    """Nothing is ever well."""
    del arguments
    return False


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (Suffixed, {"name": "service"}),
        (Stripped, {"name": " service.toml "}),
        (Pathlike, {"name": "service"}),
        (Loose, {"name": "service.toml ", "strange": 1}),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)
def test_what_the_schema_completes_is_what_is_put_back(tmp_path, monkeypatch, schema, given, mount):
    """The file that was written is as it was, and not another one that was never touched."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "service.toml"
    file.write_text("old")

    @tool(args_schema=schema)
    @undo.files("name", root=tmp_path, store=tmp_path / "store")
    def write(name, text):
        """Write a setting."""
        file.write_text(text)
        return f"{name} is written"

    ladder = ladder_of({"write": RULE})
    graph = MOUNTS[mount](ladder, [calls("write", {**given, "text": "new"}), "Done."], [write])
    state = graph.invoke(GO, on("t1"))
    assert [(action.state, action.arguments["name"]) for action in ladder.actions()] == [("undone", given["name"])]
    assert file.read_text() == "old"
    assert "Things are as they were before" in told(state)[0][1]


def test_the_author_s_own_prepare_reads_what_the_tool_reads():
    """Numbers are numbers; a list is one of what it holds."""
    seen: list[Any] = []

    @tool
    @reversible(prepare=lambda arguments: seen.append(arguments) or {}, undo=lambda _: None)
    def scale(replicas: int, ratio: float, names: list[int]) -> str:
        """Scale."""
        return f"{replicas} {ratio} {names}"

    ladder = ladder_of({"scale": RULE})
    graph = MOUNTS["wrap"](ladder, [calls("scale", {"replicas": "4", "ratio": 1, "names": ["1", 2]}), "Done."], [scale])
    graph.invoke(GO, on("t1"))
    assert repr(seen) == "[{'replicas': 4, 'ratio': 1.0, 'names': [1, 2]}]"


def test_an_undo_that_found_nothing_says_no_more(tmp_path):
    """What the tool did elsewhere isn't called as it was."""

    @tool
    @undo.files("name", root=tmp_path, store=tmp_path / "store")
    def write(name: str) -> str:
        """Write another file than it says."""
        (tmp_path / f"{name}.toml").write_text("new")
        return "written"

    ladder = ladder_of({"write": RULE})
    graph = MOUNTS["wrap"](ladder, [calls("write", {"name": str(tmp_path / "a")}), "Done."], [write])
    said = told(graph.invoke(GO, on("t1")))[0][1]
    assert "There was nothing to put back: what its undo looks at is as it was before" in said
    assert "Things are" not in said
