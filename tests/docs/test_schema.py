"""The published schema."""

from __future__ import annotations

from typer.testing import CliRunner

from ladder_graph.cli.program import program
from scripts.write_schema import FILE, text


def test_the_published_schema_is_the_models():
    """`docs/ladder.schema.json` is exactly what the model says, and what `ladder schema` prints."""
    assert FILE.read_text(encoding="utf-8") == text(), "run: make docs"


def test_the_command_prints_it():
    """`ladder schema` prints that file, byte for byte."""
    assert CliRunner().invoke(program, ["schema"]).stdout == text()
