"""How things look in a notebook: the host's own colours where it has any, and a pair of our own elsewhere.

Text and ground are always set together, so that no host can leave one without the other. What carries a meaning by its
colour carries it by a word, too.
"""

from __future__ import annotations

from ladder_graph.notebook.palette import BLUE, GREEN, ORANGE, RED

LIGHT = {"ink": "#1b1f24", "soft": "#57606a", "ground": "#ffffff", "line": "#c9d1d9"}
"""Outside any host that names its colours, by day."""
DARK = {"ink": "#e6e8ea", "soft": "#a6b0ba", "ground": "#111418", "line": "#434b55"}
"""The same in the dark."""
HOSTS = {
    "ink": ("--jp-content-font-color1", "--vscode-editor-foreground"),
    "soft": ("--jp-content-font-color2", "--vscode-descriptionForeground"),
    "ground": ("--jp-layout-color0", "--vscode-editor-background"),
    "line": ("--jp-border-color1", "--vscode-panel-border"),
}
"""What JupyterLab and Visual Studio Code call these."""


def _told(colours: dict[str, str]) -> str:
    return "".join(f"--lg-{name}:{_first(name, colour)};" for name, colour in colours.items())


def _first(name: str, colour: str) -> str:
    """The colour that a host names, and ours where none does."""
    for host in reversed(HOSTS[name]):
        colour = f"var({host},{colour})"
    return colour


# JupyterLab puts the cells of tables to the right and gives rows stripes, by rules that weigh more than one class.
_OURS = ".ladder-graph" * 3
_RULES = f"""
.ladder-graph{{color:var(--lg-ink);background:var(--lg-ground);padding:.6em .8em;font:inherit;line-height:1.45;
max-width:66em;overflow-x:auto;overflow-wrap:break-word}}
.ladder-graph *{{color:inherit;background:none;font-family:inherit}}
.ladder-graph p,.ladder-graph dl,.ladder-graph ul,.ladder-graph ol,.ladder-graph table{{margin:.4em 0}}
.ladder-graph table{{border-collapse:collapse;font-size:inherit;border:0}}
.ladder-graph caption,.ladder-graph h3{{text-align:left;font-weight:600;font-size:1em;margin:0;padding:.2em 0;
caption-side:top}}
.ladder-graph caption{{white-space:nowrap}}
{_OURS} tr{{background:none}}
{_OURS} th,{_OURS} td{{text-align:left}}
.ladder-graph th,.ladder-graph td{{vertical-align:top;padding:.25em .9em .25em 0;border:0;
border-bottom:1px solid var(--lg-line);white-space:pre-wrap;max-width:34em}}
.ladder-graph thead th,.ladder-graph .soft{{color:var(--lg-soft)}}
.ladder-graph thead th{{font-weight:400;white-space:nowrap}}
.ladder-graph code{{font-family:var(--jp-code-font-family,var(--vscode-editor-font-family,ui-monospace,monospace));
font-size:.92em;padding:0;overflow-wrap:anywhere}}
.ladder-graph .id{{white-space:nowrap;overflow-wrap:normal}}
.ladder-graph dl{{display:grid;grid-template-columns:max-content 1fr;gap:.1em .9em}}
.ladder-graph dt{{color:var(--lg-soft);font-weight:400;margin:0}}
.ladder-graph dd{{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}}
.ladder-graph pre{{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.92em}}
.ladder-graph ul,.ladder-graph ol{{padding-left:1.3em}}
.ladder-graph .card{{border:1px solid var(--lg-line);border-left:3px solid {BLUE};padding:.4em .8em;margin:.5em 0}}
.ladder-graph .rungs th{{white-space:nowrap;font-weight:400;border-left:3px solid var(--lg-soft);padding-left:.8em}}
.ladder-graph .rungs td{{width:100%;border-right:3px solid var(--lg-soft)}}
.ladder-graph .rungs th,.ladder-graph .rungs td{{border-bottom:3px solid var(--lg-line)}}
.ladder-graph .chip{{display:inline-block;border:1px solid var(--lg-soft);border-radius:.3em;padding:0 .5em;
margin:.1em .3em .1em 0}}
.ladder-graph .stands{{border:2px solid {GREEN};font-weight:600}}
.ladder-graph .held{{border-color:{ORANGE}}}
.ladder-graph .claims{{border-style:dashed;color:var(--lg-soft)}}
.ladder-graph .bad{{border-left-color:{RED}}}
.ladder-graph .good{{border-left-color:{GREEN}}}
.ladder-graph svg{{vertical-align:middle;overflow:visible}}
"""

STYLE = (
    f".ladder-graph{{{_told(LIGHT)}}}@media(prefers-color-scheme:dark){{.ladder-graph{{{_told(DARK)}}}}}"
    + _RULES.replace("\n", "")
)
"""The style that each piece brings along; nothing outside it is touched."""
