"""Writes `docs/grafana.json`, a dashboard for Grafana over the figures of `ladder_graph.telemetry.catalog`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ladder_graph.telemetry import catalog
from ladder_graph.telemetry.catalog import AGENT, PHASE, REASON, RUNG, STATE, TARGET, TOOL, VERDICT, Metric, label

FILE = Path(__file__).parents[1] / "docs" / "grafana.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
WHERE = f'{label(AGENT)}=~"$agent"'
DOUBT = f'{label(STATE)}=~"unknown|undo_failed|undo_conflict"'
"""The states in which a person must look."""
WIDTH = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel."""

    title: str
    text: str
    """What somebody reads who wonders what it shows."""
    queries: tuple[tuple[str, str], ...]
    """Each query, and how its series are called."""
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    worst: float | None = None
    """From which value on it is red."""

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """The panel as Grafana takes it.

        Args:
            number: Its id.
            x: Its first column.
            y: Its first row.
        """
        steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
        steps += [] if self.worst is None else [{"color": "red", "value": self.worst}]
        return {
            "id": number, "type": self.kind, "title": self.title, "description": self.text, "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": 4 if self.kind == "stat" else 8},
            "fieldConfig": {
                "defaults": {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": [],
            },
            "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if self.kind == "stat" else {},
            "targets": [
                {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
                for place, (query, legend) in enumerate(self.queries)
            ],
        }  # fmt: skip


def level(metric: Metric, more: str = "") -> str:
    """What waits, over all agents: each process reads the same ledger, so the largest counts and no sum.

    Args:
        metric: A figure that is read from the ledger.
        more: Further conditions on labels.
    """
    by = ", ".join(map(label, metric.labels))
    where = ",".join(part for part in (WHERE if AGENT in metric.labels else "", more) if part)
    return f"sum(max by ({by}) ({metric.prometheus}{{{where}}})) or vector(0)"


def longest(metric: Metric) -> str:
    """The largest of all labels."""
    return f"max({metric.prometheus}{{{WHERE}}}) or vector(0)"


def rate(metric: Metric, *by: str) -> str:
    """How many a second."""
    return f"sum by ({', '.join(map(label, by))}) (rate({metric.prometheus}{{{WHERE}}}[$__rate_interval]))"


def quantile(metric: Metric, share: float, *by: str) -> str:
    """The time within which that share of them was done."""
    names = ", ".join(["le", *map(label, by)])
    buckets = f"{metric.prometheus}_bucket{{{WHERE}}}[$__rate_interval]"
    return f"histogram_quantile({share}, sum by ({names}) (rate({buckets})))"


def _shown(name: str) -> str:
    return "{{" + label(name) + "}}"


def _stat(title: str, metric: Metric, query: str, worst: float, unit: str = "short") -> Panel:
    return Panel(title, metric.text, ((query, title),), "stat", unit, 4, worst)


PANELS = (
    _stat("Oldest question", catalog.OLDEST, longest(catalog.OLDEST), 14_400, "s"),
    _stat("Reports overdue", catalog.OVERDUE, level(catalog.OVERDUE), 1),
    _stat("In doubt", catalog.UNSETTLED, level(catalog.UNSETTLED, DOUBT), 1),
    _stat("Held for a person", catalog.WATCHES, level(catalog.WATCHES, f'{label(PHASE)}="held"'), 1),
    _stat("Watch overdue by", catalog.LATE, longest(catalog.LATE), 60, "s"),
    _stat("Dead watchers", catalog.WATCHERS, level(catalog.WATCHERS, f'{label(STATE)}="dead"'), 1),
    Panel("Calls by rung", catalog.CALLS.text, ((rate(catalog.CALLS, RUNG), _shown(RUNG)),), unit="ops"),
    Panel("Calls by state", catalog.CALLS.text, ((rate(catalog.CALLS, STATE), _shown(STATE)),), unit="ops"),
    Panel("Why not higher", catalog.REASONS.text, ((rate(catalog.REASONS, REASON), _shown(REASON)),), unit="ops"),
    Panel(
        "Decision", catalog.DECISION.text,
        tuple((quantile(catalog.DECISION, share), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)), unit="s",
    ),
    Panel(
        "Tools running (p95)", catalog.EXECUTION.text, ((quantile(catalog.EXECUTION, 0.95, TOOL), _shown(TOOL)),),
        unit="s",
    ),
    Panel(
        "Answered within (p50, p95)", catalog.ANSWER.text,
        tuple((quantile(catalog.ANSWER, share), f"p{share * 100:g}") for share in (0.5, 0.95)), unit="s",
    ),
    Panel(
        "Looked at for (p50)", catalog.LOOK.text, ((quantile(catalog.LOOK, 0.5, VERDICT), _shown(VERDICT)),), unit="s"
    ),
    Panel("Open questions", catalog.QUESTIONS.text, ((level(catalog.QUESTIONS), "open"),)),
    Panel("Unread reports", catalog.UNREAD.text, ((level(catalog.UNREAD), "unread"),)),
    Panel("Scopes undone in part", catalog.SCOPES.text, ((level(catalog.SCOPES), "held"),)),
    Panel("Undos by what came of them", catalog.UNDOS.text, ((rate(catalog.UNDOS, STATE), _shown(STATE)),), unit="ops"),
    Panel(
        "Actions in a state that something must come of", catalog.UNSETTLED.text,
        ((f"max by ({label(STATE)}) ({catalog.UNSETTLED.prometheus}{{{WHERE}}})", _shown(STATE)),),
    ),
    Panel(
        "Demotions in a day", catalog.DEMOTIONS.text,
        ((f"max by ({label(AGENT)}) (increase({catalog.DEMOTIONS.prometheus}{{{WHERE}}}[1d]))", _shown(AGENT)),),
    ),
    Panel(
        "Checkpoints overdue by", f"{catalog.UNSIGNED.text} {catalog.UNEXPORTED.text}",
        (
            (f"max({catalog.UNSIGNED.prometheus})", "signing"),
            (f"max by ({label(TARGET)}) ({catalog.UNEXPORTED.prometheus})", _shown(TARGET)),
        ), unit="s", width=12,
    ),
    Panel(
        "Checkpoints that weren't exported", f"{catalog.WAITING.text} {catalog.FAILURES.text}",
        (
            (f"max by ({label(TARGET)}) ({catalog.WAITING.prometheus})", _shown(TARGET)),
            (f"max by ({label(TARGET)}) ({catalog.FAILURES.prometheus})", f"{_shown(TARGET)}: failed in a row"),
        ), width=12,
    ),
)  # fmt: skip
"""What is shown, row by row: first what somebody must do something about."""


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    panels: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(PANELS, 1):
        if x + panel.width > WIDTH:
            x, y = 0, y + panels[-1]["gridPos"]["h"]
        panels.append(panel.json(number, x, y))
        x += panel.width
    agents = f"label_values({catalog.CALLS.prometheus}, {label(AGENT)})"
    return {
        "id": None, "uid": "ladder-graph", "title": "ladder-graph", "tags": ["agents"], "schemaVersion": 39,
        "version": 1, "editable": True, "timezone": "browser", "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "annotations": {"list": []}, "links": [],
        "templating": {"list": [
            {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus", "hide": 0},
            {
                "name": "agent", "label": "Agent", "type": "query", "datasource": SOURCE, "definition": agents,
                "query": {"query": agents, "refId": "agents"}, "includeAll": True, "multi": True, "allValue": ".*",
                "current": {"text": "All", "value": "$__all"}, "refresh": 2, "hide": 0,
            },
        ]},
        "panels": panels,
    }  # fmt: skip


def text() -> str:
    """The file as it should stand there."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
