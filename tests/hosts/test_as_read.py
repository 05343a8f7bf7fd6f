"""An undo and a draft are made for what the tool's own code will read, whatever its schema makes of the arguments."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain.tools import ToolRuntime
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.prebuilt import InjectedState
from pydantic import (
    BaseModel,
    ConfigDict,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import validator as old_validator

from ladder_graph import undo
from ladder_graph.drafting import Drawn, Piece
from ladder_graph.errors import DraftMoved
from ladder_graph.testing import assert_reversible, calls
from ladder_graph.tools import drafted_by, reversible
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


class Old(OldModel):
    """Completes a name, in pydantic's first version."""

    name: str
    text: str

    @old_validator("name")
    @classmethod
    def whole(cls, name):
        """With its suffix."""
        return f"{name}.toml"


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
        (Old, {"name": "service"}),
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


# --- what the graph fills in ------------------------------------------------------------------------------------------

Name = Annotated[str, StringConstraints(strip_whitespace=True)]
files: dict[str, str | None] = {}


@pytest.fixture(autouse=True)
def _files():
    files.clear()
    files["service"] = "old"


def look(arguments):
    """Keep what stands in the place that is named."""
    return {"name": arguments["name"], "was": files.get(arguments["name"])}


def put_back(kept):
    """Write it back."""
    files[kept["name"]] = kept["was"]


def now(kept):
    """What stands there."""
    return str(files.get(kept["name"]))


kept = reversible(prepare=look, undo=put_back, fingerprint=now)


@tool
@kept
def by_id(name: Name, call_id: Annotated[str, InjectedToolCallId]) -> str:
    """Write."""
    files[name] = call_id
    return "written"


@tool
@kept
def by_runtime(name: Name, runtime: ToolRuntime) -> str:
    """Write."""
    files[name] = "new"
    return "written"


@tool
@kept
def by_state(name: Name, state: Annotated[dict, InjectedState]) -> str:
    """Write."""
    files[name] = "new"
    return "written"


class Whole(BaseModel):
    """Looks at all of it, but for what the graph fills in."""

    name: str
    state: Annotated[dict, InjectedState]

    @model_validator(mode="before")
    @classmethod
    def stripped(cls, given):
        """Strip each text, out of what it was given."""
        return {key: value.strip() if isinstance(value, str) else value for key, value in given.items()}

    @model_validator(mode="wrap")
    @classmethod
    def around(cls, given, handler):
        """Do nothing, around the others."""
        return handler(given)

    @model_validator(mode="after")
    def fine(self):
        """As above."""
        return self


class Looking(BaseModel):
    """Completes a name by what the graph fills in."""

    name: str
    state: Annotated[dict, InjectedState]

    @model_validator(mode="before")
    @classmethod
    def whole(cls, given):
        """By how much was said."""
        state = given.get("state")
        return {**given, "name": given["name"].strip() if state and len(state["messages"]) else given["name"]}


class Unique(Looking):
    """Completes a name by chance."""

    @model_validator(mode="before")
    @classmethod
    def whole(cls, given):
        """With a number that no other call has."""
        return {**given, "name": f"{given['name']}-{uuid.uuid4().hex}"}


class Afterwards(Looking):
    """The same, once it is made."""

    @model_validator(mode="before")
    @classmethod
    def whole(cls, given):
        """Nothing."""
        return given

    @model_validator(mode="after")
    def after(self):
        """Complete it."""
        self.name = self.name.strip() if self.state["messages"] else self.name
        return self


def writing(schema):
    """A tool of this schema that writes."""

    @tool(args_schema=schema)
    @kept
    def write(name, state):
        """Write."""
        files[name] = "new"
        return "written"

    return write


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("made", [by_id, by_runtime, by_state, writing(Whole)], ids=lambda one: one.name)
def test_what_the_graph_fills_in_is_no_hindrance(made, mount):
    """A tool that takes its state, its runtime or its call's id is undone where it wrote."""
    ladder = ladder_of({made.name: RULE})
    graph = MOUNTS[mount](ladder, [calls(made.name, {"name": " service"}), "Done."], [made])
    said = told(graph.invoke(GO, on("t1")))[0][1]
    assert "Things are as they were before" in said
    assert files == {"service": "old"}


@pytest.mark.parametrize("schema", [Looking, Afterwards, Unique])
def test_what_nobody_can_tell_is_not_done_as_if_it_could_be_undone(schema):
    """A validator that looks at what the graph fills in, or goes by chance: somebody is asked, and told why."""
    ladder = ladder_of({"write": RULE})
    graph = MOUNTS["wrap"](ladder, [calls("write", {"name": " service"}), "Done."], [writing(schema)])
    graph.invoke(GO, on("t1"))
    (asked,) = ladder.pending()
    assert "its undo could not be made" in str(asked)
    assert files == {"service": "old"}


# --- drafts and rehearsals --------------------------------------------------------------------------------------------


def drawing(arguments):
    """What is there, and what would come."""
    base = files[arguments["name"]]
    return Drawn("text", (Piece("body", base, arguments["text"]),), arguments["text"], ".md", whole=True)


@tool
@drafted_by(drawing)
def drafted(name: Name, text: str) -> str:
    """Write."""
    files[name] = text
    return "written"


def test_a_draft_is_of_one_file_whoever_looks_again():
    """What it starts from hasn't moved, by a process that takes it or by one that runs what was taken elsewhere."""
    files[" service"] = "decoy"
    for which in ("taken here", "taken elsewhere"):
        files["service"] = "old"
        ladder = ladder_of({"drafted": "draft"})
        graph = MOUNTS["wrap"](ladder, [calls("drafted", {"name": " service", "text": which}), "Done."], [drafted])
        graph.invoke(GO, on("t1"))
        key = ladder.actions()[0].key
        if which == "taken here":
            ladder.accept(key, by="ana")
        else:
            here, ladder.take_up = ladder.take_up, lambda *_: None
            ladder.accept(key, by="ana")
            ladder.take_up = here
            assert [reply.state for reply in ladder.run_accepted()] == ["done"]
        assert files == {"service": which, " service": "decoy"}


def test_a_draft_of_what_nobody_can_tell_is_the_call():
    """And says why; nothing is drawn that the call wouldn't do."""

    @tool(args_schema=Looking)
    @drafted_by(lambda arguments: f"drawn for {arguments['name']}")
    def write(name, state):
        """Write."""

    ladder = ladder_of({"write": "draft"})
    graph = MOUNTS["wrap"](ladder, [calls("write", {"name": " service"}), "Done."], [write])
    graph.invoke(GO, on("t1"))
    drawn = ladder.opened_draft(ladder.actions()[0].key).drawn
    assert "a validator looks at what only the graph fills in" in drawn.notes[0]
    assert "drawn for" not in drawn.artifact
    assert drawn.confined


def test_a_draft_that_has_moved_is_still_found():
    """By the file that the tool will write."""
    ladder = ladder_of({"drafted": "draft"})
    graph = MOUNTS["wrap"](ladder, [calls("drafted", {"name": " service", "text": "new"}), "Done."], [drafted])
    graph.invoke(GO, on("t1"))
    files["service"] = "somebody's"
    key = ladder.actions()[0].key
    with pytest.raises(DraftMoved):
        ladder.accept(key, by="ana")
    assert [piece.base for piece in ladder.opened_draft(key).drawn.pieces] == ["somebody's"]


def test_an_undo_is_rehearsed_for_what_the_tool_reads(tmp_path):
    """As it will be made."""
    page = tmp_path / "page"
    page.write_text("old")

    @tool
    @undo.files("path", root=tmp_path, store=tmp_path / "store")
    def write(path: Name) -> str:
        """Write."""
        Path(path).write_text("new")
        return "written"

    given: dict[str, Any] = {"path": f"{page} "}
    assert assert_reversible(write, given, foreign=lambda: page.write_text("mine")).passed
    found, _ = ladder_of({"write": RULE}).rehearse(write, given, by="ana", foreign=lambda: page.write_text("mine"))
    assert found.passed, found
    assert page.read_text() == "old"
