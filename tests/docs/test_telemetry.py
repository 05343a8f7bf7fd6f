"""The dashboard, the alerts and the page about figures: they name what is told, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from typer.main import get_command

from ladder_graph.cli.program import program
from ladder_graph.telemetry.catalog import CATALOG, label
from scripts.write_dashboard import FILE, WIDTH, text

DOCS = Path(__file__).parents[2] / "docs"
SERIES = {
    one.prometheus + end: {label(name) for name in one.labels}
    for one in CATALOG
    for end in (("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",))
}
"""The series that Prometheus has, with their labels."""


def panels():
    """The dashboard's panels."""
    return json.loads(FILE.read_text())["panels"]


def held(query):
    """Hold a query against what is told: each series and each label must be there."""
    named = re.findall(r"\bladder_\w+", re.sub(r"ladder_(rung|state|reason|verdict|phase|target)\b", "", query))
    assert named, query
    for name in named:
        assert name in SERIES, f"{name} is told by nobody: {query}"
    known = set().union(*(SERIES[name] for name in named)) | {"le"}
    for inside in re.findall(r"by \(([^)]*)\)", query):
        assert set(map(str.strip, inside.split(","))) <= known, query
    for inside in re.findall(r"(\w+)(?:=~|!=|=)\"", query):
        assert inside in known, query
    for opening, closing in ("()", "{}", "[]"):
        assert query.count(opening) == query.count(closing), query


def test_the_dashboard_is_what_the_script_writes():
    """`docs/grafana.json` follows from the table of figures."""
    assert FILE.read_text(encoding="utf-8") == text(), "run: make docs"


def test_each_query_of_the_dashboard_asks_for_what_is_told():
    """A figure that is renamed breaks no panel silently."""
    for panel in panels():
        for target in panel["targets"]:
            held(target["expr"])


def test_the_dashboard_can_be_taken_by_grafana():
    """Ids are unique, nothing overlaps or leaves the grid, and each panel says what it shows."""
    found, taken = panels(), set()
    assert len({one["id"] for one in found}) == len({one["title"] for one in found}) == len(found)
    for panel in found:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < WIDTH
        taken |= cells
        assert panel["description"]
        assert panel["type"] in {"stat", "timeseries"}
        refs = [one["refId"] for one in panel["targets"]]
        assert len(set(refs)) == len(refs)
        assert panel["fieldConfig"]["overrides"] == []


def test_every_figure_is_shown():
    """The dashboard leaves no figure out."""
    queries = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    for metric in CATALOG:
        assert metric.prometheus in queries, metric.name


def rules():
    """The alerts."""
    return [rule for group in yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def test_each_alert_asks_for_what_is_told():
    """It names series and labels that there are, says how bad it is, what it is about, and what to do."""
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        held(rule["expr"])
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "action", "runbook_url"}
        by = {
            name for inside in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in map(str.strip, inside.split(","))
        }
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= by, rule["alert"]


def test_what_an_alert_tells_one_to_run_is_a_command():
    """Whoever is woken can type it."""
    commands = set(get_command(program).commands)
    for rule in rules():
        for name in re.findall(r"`ladder (\w+)", rule["annotations"]["action"]):
            assert name in commands, rule["alert"]


def test_each_alert_leads_to_the_part_of_the_runbook_that_says_more():
    """Its link names a heading that is there."""
    heads = re.findall(r"^## (.+)$", (DOCS / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {f"runbook.md#{head.lower().replace(',', '').replace(' ', '-')}" for head in heads}
    for rule in rules():
        assert rule["annotations"]["runbook_url"] in anchors, rule["alert"]


def test_every_figure_is_explained():
    """docs/telemetry.md has each figure with its labels, each attribute of a span, and each alert."""
    page = (DOCS / "telemetry.md").read_text(encoding="utf-8")
    for metric in CATALOG:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{metric.name}` |")]
        for name in metric.labels:
            assert f"`{name}`" in row, metric.name
    for rule in rules():
        assert f"`{rule['alert']}`" in page
    code = (Path(__file__).parents[2] / "src" / "ladder_graph" / "telemetry" / "spans.py").read_text(encoding="utf-8")
    for name in set(re.findall(r'"((?:ladder|gen_ai)\.[a-z_.]+)"', code)):
        assert f"`{name}`" in page, name
